"""Synthetic scenes for a catalogue: each product is one direction, each crop lies close to its product's."""

import hashlib

import numpy as np

from packed_scenes.catalogue import Embedding, Entry
from packed_scenes.data import Objects

DIMENSION = 32
EMBEDDING = Embedding("synthetic", "a" * 64, 0.18)
CENTRES = np.linalg.qr(np.random.default_rng(1).standard_normal((DIMENSION, DIMENSION)))[0].astype(np.float32)


def crop_vectors(products, seed=0, noise=0.15):
    """(N, 32) unit rows; two of one product are 0.02 apart (cosine distance), of two products about 1."""
    rng = np.random.default_rng(seed)
    step = rng.standard_normal((len(products), DIMENSION)) * noise / np.sqrt(DIMENSION)
    rows = CENTRES[np.asarray(products, int)].reshape(-1, DIMENSION) + step
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def objects(products, seed=0, cluster=None):
    """Objects of the given products in a row, 20 px wide and 40 px high."""
    count = len(products)
    x = 30.0 * np.arange(count)
    return Objects.from_boxes(
        np.stack([x, np.full(count, 5.0), x + 20, np.full(count, 45.0)], 1),
        embedding=crop_vectors(products, seed),
        cluster=np.asarray(products if cluster is None else cluster, np.int64),
        probability=np.full(count, 0.9, np.float32),
    )


def entry(name, products, *, taken="2026-01-01T00:00:00", picture=False, cluster=None):
    """A scene of the given products; its name decides its noise and its fingerprint."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    seed = int(digest[:8], 16)
    width = 30 * max(len(products), 1)

    def paint():
        image = np.full((50, width, 3), 90, np.uint8)
        for place, product in enumerate(products):
            image[5:45, 30 * place : 30 * place + 20] = (8 * product % 256, 255 - 8 * product % 256, 128)
        return image

    return Entry(
        name=name,
        fingerprint=digest,
        size=(50, width),
        objects=objects(products, seed, cluster),
        picture=paint if picture else None,
        taken=taken,
    )


def identities_of(catalogue, scene):
    """Identity numbers of a scene's objects, in order."""
    return [o.identity_id for o in catalogue.in_scene(scene)]


def partition(catalogue):
    """The set of identities, each as the set of (scene, key) it holds."""
    groups = {}
    for scene in catalogue.scenes():
        for o in catalogue.in_scene(scene.name):
            groups.setdefault(o.identity_id, set()).add((o.scene, o.key))
    return {frozenset(g) for g in groups.values()}

"""Painted squares as photos, and models that need no network: the vector of a box is the colour in its middle."""

import io
from types import SimpleNamespace

import numpy as np
from PIL import Image

from packed_scenes.data import Objects
from packed_scenes.detect.info import DetectionInfo
from packed_scenes.observe import Observer
from packed_scenes.settings import Settings
from packed_scenes.web.project.adding import Caps, Incoming, add_photos
from packed_scenes.web.project.folder import ProjectFolder
from packed_scenes.web.project.project import Project
from tests.packed_scenes.conftest import paint, squares

CARD = {"calibration": {"threshold": 0.05}}
FIRST, SECOND = [[0, 0, 1, 1], [2, 2, 2, 3], [0, None, 1, 1]], [[3, 0], [1, None], [2, 0]]


def colours(image, boxes):
    """Unit vectors of the colours in the middle of boxes."""
    xyxy = np.asarray(boxes, np.float64).reshape(-1, 4)
    at = ((xyxy[:, :2] + xyxy[:, 2:]) / 2).astype(int)
    at = np.minimum(at, [image.shape[1] - 1, image.shape[0] - 1])
    vectors = image[at[:, 1], at[:, 0]].astype(np.float32) + 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def detect(image):
    """The squares of a painted picture; the last one found is less sure."""
    found = squares(image)
    score = np.linspace(0.95, 0.55, len(found)).astype(np.float32)
    return found.replace(score=score), DetectionInfo((9, 9), 1.0, None, 1, None, 0.0, len(found), "", "")


def stub_models():
    """An observer with these stubs."""
    models = Observer(Settings(threshold=0.05))
    vars(models).update(
        detector=SimpleNamespace(detect_with_info=detect, weights_hash="d" * 64, confidence=0.0),
        embedder=SimpleNamespace(card=CARD, weights_hash="e" * 64, dimension=3, embed=colours),
    )
    return models


def png(image):
    """Encode."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, format="PNG")
    return out.getvalue()


def painted(folder, *photos, name="work"):
    """A project of painted photos."""
    held = ProjectFolder.create(folder, name=name, settings=Settings(threshold=0.05).to_json())
    project = Project(held, roots=[], card=CARD)
    files = [Incoming(f"photo{n}.png", lambda rows=rows: png(paint(rows))) for n, rows in enumerate(photos)]
    if files:
        assert add_photos(project, files, stub_models(), caps=Caps(), report=lambda *_: None) == []
    return project


def reopened(project):
    """The same project, read from the disk."""
    project.folder.close()
    return Project(ProjectFolder(project.folder.path), roots=[], card=CARD)


def many_objects(folder, count, *, photos=1):
    """A project of a grid of ``count`` objects a photo in groups of six."""
    held = ProjectFolder.create(folder, name=f"{count} objects", settings=Settings(threshold=0.2).to_json())
    project = Project(held, roots=[], card=CARD)
    side = int(np.ceil(np.sqrt(count)))
    rng = np.random.default_rng(0)
    for number in range(photos):
        image = np.full((side * 24, side * 20, 3), 90 + number, np.uint8)
        at = np.stack([np.arange(count) % side * 20 + 2, np.arange(count) // side * 24 + 2], 1).astype(np.float32)
        for k, (x, y) in enumerate(at.astype(int).tolist()):
            image[y : y + 20, x : x + 16] = np.random.default_rng(k // 6).integers(40, 255, 3)
        content = png(image)
        cluster = np.arange(count) // 6
        vector = rng.normal(size=(count // 6 + 1, 16))[cluster].astype(np.float32)
        vector /= np.linalg.norm(vector, axis=1, keepdims=True)
        objects = Objects.from_boxes(np.concatenate([at, at + np.float32([16, 20])], 1), embedding=vector)
        rows, file = project.history.append_rows(
            {"photo": np.full(count, number), "xyxy": objects.xyxy, "score": objects.score, "vector": vector,
             "cluster": np.full(count, -1), "alive": np.zeros(count, bool), "drawn": np.zeros(count, bool)}
        )  # fmt: skip
        import hashlib

        sha = hashlib.sha256(content).hexdigest()
        patches = project.document.patch("alive", rows, True)
        patches |= project.document.patch("cluster", rows, cluster + number * count)
        about = {"name": f"grid {number}", "size": list(image.shape[:2]), "sha256": sha}
        project.commit(
            "Photo added", columns=patches, rows=file,
            values={f"photo/{number}": about | {"file": held.keep_photo(content, sha, ".png")}, "threshold": 0.2},
        )  # fmt: skip
    return project

"""People kept out of the training of the person network: they check it and calibrate its card."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from packed_scenes.data.synth.people import retake, sample_camera
from packed_scenes.embed.calibrate import Labels, Vectors
from packed_scenes.embed.person_batches import PeopleBatches, RealPeople
from packed_scenes.embed.person_network import PersonNet

HELD_OUT_SEED = 0x4E1D  # seed of the drawn people who are never trained on
HELD_OUT_EVERY = 4  # every so many real people are kept out
MIN_REAL_PEOPLE = (
    5  # real people kept out from which the card is calibrated on them: drawn ones differ more than real ones
)


def hold_out(real: RealPeople) -> tuple[RealPeople, RealPeople]:
    """(for training, kept out): every fourth real person is kept out; both see the same backgrounds."""
    train = [own for number, own in enumerate(real.crops) if number % HELD_OUT_EVERY]
    return RealPeople(train, real.pictures), RealPeople(real.crops[::HELD_OUT_EVERY], real.pictures)


def scenes_of(
    network: PersonNet, holdout: RealPeople, *, count: int, people: int = 24, views: int = 5
) -> list[tuple[Vectors, Labels]]:
    """Embed sites of people kept out: real ones if there are five or more, otherwise drawn ones, pairs of them alike.

    Real people are taken again by one or by two drawn cameras a scene.
    """
    if len(holdout.crops) >= MIN_REAL_PEOPLE:
        batches = (
            real_scene(network, holdout, np.random.default_rng([HELD_OUT_SEED, step]), views=views)
            for step in range(count)
        )
    else:
        drawn = PeopleBatches(
            width=network.width, height=network.height, people=people, views=views,
            real=RealPeople(pictures=holdout.pictures), seed=HELD_OUT_SEED,
        )  # fmt: skip
        batches = (drawn.batch(step) for step in range(count))
    return [(_embed(network, pixels), label) for pixels, label in batches]


def real_scene(
    network: PersonNet, holdout: RealPeople, rng: np.random.Generator, *, views: int
) -> tuple[npt.NDArray[np.uint8], Labels]:
    """Up to ``views`` crops of each real person, by one or two cameras."""
    cameras = [sample_camera(rng, holdout.pictures) for _ in range(int(rng.integers(1, 3)))]
    pixels, label = [], []
    for person, own in enumerate(holdout.crops):
        for pick in rng.permutation(len(own))[: int(rng.integers(1, views + 1))].tolist():
            camera = cameras[int(rng.integers(len(cameras)))]
            pixels.append(retake(own[pick], camera, rng, width=network.width, height=network.height))
            label.append(person)
    return np.stack(pixels), np.array(label, np.int64)


def check_network(real: RealPeople, *, count: int = 2) -> Callable[[PersonNet, int], dict[str, float]]:
    """A check for the training loop: share of held-out drawn crops whose nearest neighbour is the same person."""

    def check(network: PersonNet, step: int) -> dict[str, float]:
        hits = []
        for vectors, label in scenes_of(network, RealPeople(pictures=real.pictures), count=count):
            cosine = vectors @ vectors.T
            np.fill_diagonal(cosine, -2)
            hits.append(float((label[cosine.argmax(1)] == label).mean()))
        return {"held_rank1": float(np.mean(hits))}

    return check


def _embed(network: PersonNet, pixels: npt.NDArray[np.uint8]) -> Vectors:
    with torch.inference_mode():
        parts = torch.split(torch.from_numpy(pixels).permute(0, 3, 1, 2).float(), 32)
        return np.concatenate([network(part).numpy() for part in parts])

"""The rule of :mod:`packed_scenes.detect.novelty` for a set of weights, fitted on where their boxes were right.

    uv run python -m packed_scenes.detect.training.novelty_rule ../shared/data [WEIGHTS]

prints the entry ``familiar`` of the card. Pictures are unseen generated scenes, micrographs and the training parts of
the real sets; nothing that is held out for scores.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.data import InputError, Objects
from packed_scenes.detect.detector import Detector
from packed_scenes.detect.metrics import evaluate
from packed_scenes.detect.novelty import FEATURES, features
from packed_scenes.detect.training.measure import Labelled, real_photos
from packed_scenes.detect.training.pictures import REAL_SETS

WORTHLESS, GOOD = 0.5, 0.7  # F at IoU .5 under which boxes are poor, and from which they are good
FALSE_ALARMS = 0.02  # share of the generated pictures and micrographs of the fit that may be warned of
DOUBTFUL_SCORE = 0.5  # score
SCENES, PER_SET = 28, 30
IN_DOMAIN = ("generated", "cells", "nuclei")
LEARNED = "front-lit shelves, micrographs of cells"


def pictures(root: str | Path) -> Iterator[tuple[str, Labelled]]:
    """Kind and labelled picture; generated ones and, of each folder that is there, some of the training part."""
    from packed_scenes.data.synth import stream
    from packed_scenes.detect.training.recipe import micrographs, scenes

    for image, xyxy in itertools.islice(scenes(9191, root=root), SCENES // 2):
        yield "generated", (image, Objects.from_boxes(xyxy), None)
    wishes: tuple[dict[str, Any], ...] = ({"seed": 9192}, {"seed": 9193, "layout": "scatter"})
    for wish in wishes:
        drawn = stream(**wish)
        for index in range(SCENES // 4):
            made = drawn.labelled(index)
            assert made.scene.truth is not None
            yield "generated", (made.scene.image, made.scene.truth, made.ignore)
    for name in ("cells", "nuclei"):
        if (Path(root) / name).is_dir():
            for image, xyxy in itertools.islice(micrographs(Path(root) / name), 0, None, 12):
                yield name, (image, Objects.from_boxes(xyxy), None)
    for real in REAL_SETS:
        if (Path(root) / real.folder).is_dir():
            for labelled in itertools.islice(real_photos(root, real, wanted="train"), PER_SET):
                yield real.folder, labelled


@dataclass(frozen=True)
class Row:
    """What the fit knows of a picture: the features of its boxes, their F at IoU .5, and whether it is of a kind that
    the weights were trained on (generated ones, micrographs), so in the domain whatever the scores.
    """

    found: dict[str, float]
    f: float
    in_domain: bool = False


def fit_rule(rows: Iterable[Row], *, learned: str) -> dict[str, Any]:
    """Fit the logistic rule; pictures on which the boxes were middling are skipped.

    Args:
        rows: one for each picture on which something was found.
        learned: what the weights learned, for the sentence.

    Returns:
        The card's entry; its bias lets :data:`FALSE_ALARMS` of the pictures in the domain be novel at most.

    Raises:
        InputError: if there are not both kinds of pictures.
    """
    from sklearn.linear_model import LogisticRegression

    labelled = [row for row in rows if row.in_domain or row.f < WORTHLESS or row.f >= GOOD]
    x = np.array([[row.found[name] for name in FEATURES] for row in labelled])
    in_domain = np.array([row.in_domain for row in labelled], bool)
    bad = np.array([row.f < WORTHLESS for row in labelled], bool) & ~in_domain
    if bad.all() or not bad.any():
        raise InputError("pictures on which the boxes are good and such on which they are not are both needed")
    scale = np.maximum(x.std(0), 1e-6)
    model = LogisticRegression(class_weight="balanced").fit(x / scale, bad)
    weights, bias = model.coef_[0] / scale, float(model.intercept_[0])
    if in_domain.any():
        bias = min(bias, -float(np.quantile(x[in_domain] @ weights, 1 - FALSE_ALARMS)))
    return {
        "weights": {name: round(float(w), 4) for name, w in zip(FEATURES, weights, strict=True)},
        "bias": round(bias, 4),
        "doubtful": DOUBTFUL_SCORE,
        "learned": learned,
    }


def describe(detector: Detector, kind: str, labelled: Labelled) -> Row | None:
    """Features and F of one picture; None where nothing was found."""
    image, truth, ignore = labelled
    found = detector.detect(image)
    if not len(found) or found.score is None:
        return None
    height, width = image.shape[:2]
    scores = evaluate([(found, truth, ignore)])
    both = scores.precision50 + scores.recall50
    f = 2 * scores.precision50 * scores.recall50 / both if both else 0.0
    return Row(features(found.xyxy, found.score, width=width, height=height), f, kind in IN_DOMAIN)


if __name__ == "__main__":
    loaded = replace(Detector.load(sys.argv[2] if len(sys.argv) > 2 else None), general=None)
    every = (describe(loaded, *one) for one in pictures(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"))
    print(json.dumps(fit_rule([row for row in every if row is not None], learned=LEARNED), indent=1))

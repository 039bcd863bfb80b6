"""The rule of :mod:`packed_scenes.detect.familiar` for a set of weights: fitted on where their boxes were of worth.

    uv run python -m packed_scenes.detect.training.familiarity ../shared/data [WEIGHTS]

prints the entry ``familiar`` of the card. Pictures are unseen generated scenes, micrographs and the training parts of
the real sets; nothing that is held out for scores.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.data import InputError, Objects
from packed_scenes.detect.detector import Detector
from packed_scenes.detect.familiar import FEATURES, FEW, features
from packed_scenes.detect.metrics import evaluate
from packed_scenes.detect.training.measure import Labelled, real_photos
from packed_scenes.detect.training.pictures import REAL_SETS

WORTHLESS, GOOD = 0.5, 0.7  # F at IoU .5 under which boxes are of little worth, and from which they are not
FALSE_ALARMS = 0.02  # share of the good pictures of the fit that may be warned of
DOUBTFUL = 0.5  # score
SCENES, PER_SET = 48, 26


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


def fit_rule(
    rows: Iterable[tuple[dict[str, float], float]], *, doubtful: float = DOUBTFUL, learned: str = "packed shelves"
) -> dict[str, Any]:
    """Fit the logistic rule.

    Args:
        rows: features of each picture's boxes, and the F of the boxes at IoU .5.

    Returns:
        The card's entry; its bias lets :data:`FALSE_ALARMS` of the good pictures pass as unfamiliar at most.

    Raises:
        InputError: if there are not both kinds of pictures.
    """
    from sklearn.linear_model import LogisticRegression

    told = [(found, f) for found, f in rows if f < WORTHLESS or f >= GOOD]
    x = np.array([[found[name] for name in FEATURES] for found, _ in told])
    bad = np.array([f < WORTHLESS for _, f in told], bool)
    if bad.all() or not bad.any():
        raise InputError("pictures on which the boxes are good and such on which they are not are both needed")
    scale = np.maximum(x.std(0), 1e-6)
    model = LogisticRegression(class_weight="balanced").fit(x / scale, bad)
    weights = model.coef_[0] / scale
    bias = min(float(model.intercept_[0]), -float(np.quantile(x[~bad] @ weights, 1 - FALSE_ALARMS)))
    return {
        "weights": {name: round(float(w), 4) for name, w in zip(FEATURES, weights, strict=True)},
        "bias": round(bias, 4),
        "doubtful": doubtful,
        "learned": learned,
    }


def row(detector: Detector, labelled: Labelled, *, doubtful: float = DOUBTFUL) -> tuple[dict[str, float], float] | None:
    """Features and F of one picture; None where too little was found to say anything."""
    image, truth, ignore = labelled
    found = detector.detect(image)
    if len(found) < FEW or found.score is None:
        return None
    height, width = image.shape[:2]
    scores = evaluate([(found, truth, ignore)])
    both = scores.precision50 + scores.recall50
    f = 2 * scores.precision50 * scores.recall50 / both if both else 0.0
    return features(found.xyxy, found.score, width=width, height=height, doubtful=doubtful), f


if __name__ == "__main__":
    loaded = Detector.load(sys.argv[2] if len(sys.argv) > 2 else None)
    every = (row(loaded, labelled) for _, labelled in pictures(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"))
    print(json.dumps(fit_rule([found for found in every if found is not None]), indent=1))

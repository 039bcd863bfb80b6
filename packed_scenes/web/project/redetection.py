"""Find the boxes of photos anew, after the detector was taught: one change that undo takes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.data.overlaps import pairwise_iou
from packed_scenes.web.project.adding import vector_rows
from packed_scenes.web.project.boxes import bring_in, unwanted
from packed_scenes.web.project.project import Image, Project

SAME_PLACE = 0.5  # IoU from which a box that stays and one that was found are one

Observe = Callable[[Image, str], Objects]  # picture and its name -> boxes with score and embedding


def uncorrected(project: Project) -> list[int]:
    """Numbers of the photos that can be read here and are not marked as right."""
    right = project.document.keyed("corrected")
    return [p.number for p in project.photos if p.source is not None and str(p.number) not in right]


def redetect(
    project: Project, photos: Sequence[int], observe: Observe, *, report: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> str:  # fmt: skip
    """Replace the found boxes of photos; drawn ones stay, and what is found again joins the group of what it is like.

    Args:
        project: changes in one step, at the end.
        photos: their numbers; what was marked as right or removed meanwhile is left as it is.
        observe: finds and describes the objects of a picture.
        report: called with the number of photos done.
        stop: asked before each photo; nothing changes if it says yes.

    Raises:
        InputError: if it was stopped, or a photo cannot be read.
    """
    found: dict[int, Objects] = {}
    for done, number in enumerate(photos):
        if stop():
            raise InputError("stopped; nothing has changed")
        report(done)
        found[number] = observe(project.image(number), project.photo(number).name)
    with project.lock:
        still = set(uncorrected(project))
        found = {number: objects for number, objects in found.items() if number in still}
        columns = project.document.columns
        drawn = columns["alive"] & columns["drawn"]
        fresh = [_beside(columns["xyxy"][drawn & (columns["photo"] == n)], objects) for n, objects in found.items()]
        numbers = np.repeat(np.array(list(found), np.int64), [len(objects) for objects in fresh])
        gone = np.flatnonzero(columns["alive"] & ~columns["drawn"] & np.isin(columns["photo"], list(found)))
        what = f"Boxes found anew on {'1 photo' if len(found) == 1 else f'{len(found)} photos'}"
        if not len(numbers):
            project.commit(what, columns=project.document.patch("alive", gone, False))
            return what
        objects = Objects.concat(
            [o.replace(object_id=[f"{k}-{i}" for i in range(len(o))]) for k, o in enumerate(fresh)]
        )
        vector = objects.embedding
        assert vector is not None
        rows, file = project.history.append_rows({
            "photo": numbers, "xyxy": objects.xyxy, "score": objects.score,
            "cluster": np.full(len(objects), NOISE, np.int64), "alive": np.zeros(len(objects), np.bool_),
            "drawn": np.zeros(len(objects), np.bool_), "vector": vector,
        })  # fmt: skip
        keep = rows[~unwanted(vector, vector_rows(project, "never"), project.threshold)]
        sure = project.document.columns["score"][keep] >= project.confidence
        bring_in(project, what, keep[sure], file=file, also=keep[~sure], gone=gone)
        return what


def _beside(there: npt.NDArray[np.float32], found: Objects) -> Objects:
    """What was found where no drawn box stays."""
    if not len(there) or not len(found):
        return found
    return found.select(pairwise_iou(found.xyxy, there).max(axis=1) < SAME_PLACE)

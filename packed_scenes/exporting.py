"""What was found, in the forms of other tools: COCO, YOLO, Pascal VOC, CVAT, Label Studio, FiftyOne, supervision.

The label of an object is its identity: a name where one is known, else the cluster's number; ``noise`` for -1.
Pictures are called by their paths below the folder that holds them all.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from packed_scenes.data.cells import to_cell
from packed_scenes.data.errors import InputError, named
from packed_scenes.data.files import atomic_write, write_json, write_text
from packed_scenes.data.folders import MADE_BY_EXPORT
from packed_scenes.data.hidden import HIDDEN
from packed_scenes.data.objects import NOISE, Objects

if TYPE_CHECKING:
    from packed_scenes.data.images import RGB
    from packed_scenes.results import Analysis


class Form(StrEnum):
    """Forms that there are."""

    COCO = "coco"
    YOLO = "yolo"
    VOC = "voc"
    CVAT = "cvat"
    LABEL_STUDIO = "label-studio"
    FIFTYONE = "fiftyone"
    SUPERVISION = "supervision"


@dataclass(frozen=True)
class Exported:
    """One picture to be exported.

    Attributes:
        name: of the scene.
        path: its file, or None for a picture in memory.
        size: (width, height) in pixels.
        objects: with ``cluster``.
        pixels: gives the picture where there is no file.
        file: what the picture is called in the export, if not as its file or, without one, as the scene.
    """

    name: str
    path: Path | None
    size: tuple[int, int]
    objects: Objects
    pixels: Callable[[], RGB]
    file: str = ""


def forms(names: Sequence[str]) -> tuple[Form, ...]:
    """Check the names of forms, before any work is done.

    Raises:
        InputError: if one is unknown.
    """
    return tuple(named(Form, name, "export form") for name in dict.fromkeys(names))


def of_analysis(analysis: Analysis) -> list[Exported]:
    """The pictures of an analysis."""

    def pixels(source: object) -> Callable[[], RGB]:
        return lambda: analysis.pictures.get(source).image  # type: ignore[arg-type]

    return [
        Exported(s.name, s.source.path, (s.size[1], s.size[0]), s.objects, pixels(s.source)) for s in analysis.scenes
    ]


def export(
    scenes: Sequence[Exported], form: str | Form, folder: str | Path, *, names: Mapping[int, str] | None = None
) -> Path:
    """Write what was found in one form and return the file (or folder) to open.

    Args:
        scenes: pictures with their objects.
        form: one of :class:`Form`.
        folder: where it goes.
        names: names of clusters, where they are known; clusters of one name are exported as one.

    Raises:
        InputError: if the form is unknown, its library is missing, or the place cannot be written.
    """
    place = Path(folder)
    scenes, titles = _titled(scenes, names or {})
    chosen = named(Form, form, "export form")
    writers = {
        Form.COCO: _coco, Form.YOLO: _yolo, Form.VOC: _voc, Form.CVAT: _cvat, Form.LABEL_STUDIO: _label_studio,
        Form.FIFTYONE: _fiftyone, Form.SUPERVISION: _supervision,
    }  # fmt: skip
    return writers[chosen](scenes, titles, place)


def _titled(scenes: Sequence[Exported], names: Mapping[int, str]) -> tuple[list[Exported], tuple[str, ...]]:
    """The scenes with clusters of one name joined, and distinct labels by cluster."""
    from packed_scenes.data.naming import distinct

    found = [s.objects.cluster for s in scenes if s.objects.cluster is not None]
    highest = max((int(cluster.max(initial=NOISE)) for cluster in found), default=NOISE)
    keys = [(True, names[c]) if c in names else (False, str(c)) for c in range(highest + 1)]
    place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    number = np.array([*(place[key] for key in keys), NOISE], np.int64)  # the last one is noise's, by -1
    joined = [
        s if s.objects.cluster is None else replace(s, objects=s.objects.replace(cluster=number[s.objects.cluster]))
        for s in scenes
    ]
    return joined, tuple(distinct((title for _, title in place), form=str))


def _labels(scene: Exported, titles: Sequence[str]) -> list[str]:
    cluster = scene.objects.cluster
    numbers = np.zeros(len(scene.objects), np.int64) if cluster is None else cluster
    return [titles[c] if c >= 0 else "noise" for c in numbers.tolist()]


def _files(scenes: Sequence[Exported]) -> list[str]:
    """File names that are distinct, as relative paths."""
    from packed_scenes.data.coco import distinct_files

    return distinct_files([Path(s.file) if s.file else _absolute(s) for s in scenes])


def _absolute(scene: Exported) -> Path:
    return Path(f"{scene.name}.png") if scene.path is None else scene.path.absolute()


def _flat_files(scenes: Sequence[Exported]) -> list[str]:
    """File names without folders, by the unique names of the scenes."""
    return [f"{s.name}{'.png' if s.path is None else HIDDEN.sub('_', s.path.suffix)}" for s in scenes]


def _coco(scenes: Sequence[Exported], titles: tuple[str, ...], folder: Path) -> Path:
    from packed_scenes.data.coco import write_coco
    from packed_scenes.data.labelled import LabelledScene

    labelled = [
        LabelledScene(Path(file), s.name, s.objects, size=s.size, categories=titles)
        for s, file in zip(scenes, _files(scenes), strict=True)
    ]
    write_coco(folder / "coco.json", labelled)
    return folder / "coco.json"


def _yolo(scenes: Sequence[Exported], titles: tuple[str, ...], folder: Path) -> Path:
    """With copies of the pictures, because YOLO's tools find labels by the pictures' place; noise is left out."""
    from packed_scenes.data.labelled import LabelledScene
    from packed_scenes.data.yolo import write_yolo

    place = folder / "yolo"
    _mark(place)
    labelled = []
    for scene, file in zip(scenes, _flat_files(scenes), strict=True):
        _copy(scene, place / "images" / file)
        cluster = scene.objects.cluster
        known = scene.objects if cluster is None else scene.objects.select(cluster >= 0)
        labelled.append(LabelledScene(place / "images" / file, scene.name, known, size=scene.size, categories=titles))
    write_yolo(place / "data.yaml", labelled)
    return place / "data.yaml"


def _mark(place: Path) -> None:
    """Say that a folder holds copies of pictures, so that no walk over the photos counts them again."""
    write_text(place / MADE_BY_EXPORT, "")


def _copy(scene: Exported, target: Path) -> None:
    from packed_scenes.data.images import write_image

    if scene.path is None:
        write_image(target, scene.pixels())
        return
    try:
        with atomic_write(target) as temporary:
            shutil.copyfile(scene.path, temporary)
    except FileNotFoundError as error:
        raise InputError("is gone, so it cannot be exported", file=scene.path, remedy="Put it back.") from error


def _voc(scenes: Sequence[Exported], titles: tuple[str, ...], folder: Path) -> Path:
    from packed_scenes.data.xml_write import format_voc

    _mark(folder / "voc")
    for scene, file in zip(scenes, _flat_files(scenes), strict=True):
        text = format_voc(file, scene.objects, _labels(scene, titles), size=scene.size)
        write_text(folder / "voc" / "Annotations" / f"{scene.name}.xml", text)
        _copy(scene, folder / "voc" / "JPEGImages" / file)
    return folder / "voc"


def _cvat(scenes: Sequence[Exported], titles: tuple[str, ...], folder: Path) -> Path:
    from packed_scenes.data.xml_write import format_cvat

    rows = [(f, s.objects, _labels(s, titles), s.size) for s, f in zip(scenes, _files(scenes), strict=True)]
    write_text(folder / "cvat.xml", format_cvat(rows))
    return folder / "cvat.xml"


def _label_studio(scenes: Sequence[Exported], titles: tuple[str, ...], folder: Path) -> Path:
    """Tasks whose pictures lie in Label Studio's local storage, under the names that COCO has."""
    from urllib.parse import quote

    from packed_scenes.data.convert import to_label_studio

    tasks = [
        to_label_studio(f"/data/local-files/?d={quote(f)}", s.objects, size=s.size, labels=_labels(s, titles))
        for s, f in zip(scenes, _files(scenes), strict=True)
    ]
    write_json(folder / "label-studio.json", tasks)
    return folder / "label-studio.json"


def _fiftyone(scenes: Sequence[Exported], titles: tuple[str, ...], folder: Path) -> Path:
    from packed_scenes.data.convert import library, to_fiftyone

    fo = library("fiftyone")
    dataset = fo.Dataset()
    for scene, file in zip(scenes, _flat_files(scenes), strict=True):
        path = scene.path
        if path is None:
            _mark(folder / "fiftyone-pictures")
            path = folder / "fiftyone-pictures" / file
            _copy(scene, path)
        labels = _labels(scene, titles)
        dataset.add_sample(to_fiftyone(path.absolute(), scene.objects, size=scene.size, labels=labels))
    dataset.export(
        export_dir=str(folder / "fiftyone"), dataset_type=fo.types.FiftyOneDataset, export_media=False, overwrite=True
    )
    return folder / "fiftyone"


def _supervision(scenes: Sequence[Exported], titles: tuple[str, ...], folder: Path) -> Path:
    from packed_scenes.data.convert import library, to_supervision

    sv = library("supervision")
    with atomic_write(folder / "supervision.csv") as temporary:
        sink = sv.CSVSink(file_name=str(temporary))
        with sink:
            for scene, file in zip(scenes, _files(scenes), strict=True):
                found = to_supervision(scene.objects.replace(embedding=None))
                found.data["label"] = np.array([to_cell(label) for label in _labels(scene, titles)], np.str_)
                sink.append(found, {"image": to_cell(file)})  # the sink writes cells as they are
    return folder / "supervision.csv"

"""What the browser draws: JSON values, one picture of all crops, coordinates of the map."""

from __future__ import annotations

import io
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE
from packed_scenes.web.workbench import View, Workbench

LONGEST_SIDE = 2800  # px of the picture in the browser: fine at four times the width of a screen column
CELLS = ((400, 112), (1500, 72), (6000, 40))  # (up to so many objects, px of a crop), so that the atlas stays < 10 MB
Image = npt.NDArray[np.uint8]


class Projection(StrEnum):
    """How vectors are brought into two or three dimensions."""

    PCA = "pca"
    UMAP = "umap"


def hexadecimal(color: tuple[int, int, int]) -> str:
    """Write a colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def groups(bench: Workbench, view: View) -> list[dict[str, Any]]:
    """List the groups, largest first, noise last: number, name, colour, number of objects, least sure member."""
    cluster = bench.grouping.cluster
    numbers, count = np.unique(cluster, return_counts=True)
    order = np.lexsort((numbers, -count, numbers == NOISE))
    return [
        {
            "c": int(numbers[k]),
            "name": bench.grouping.label(int(numbers[k])),
            "named": int(numbers[k]) in bench.grouping.names,
            "color": hexadecimal(view.colors.get(int(numbers[k]), (150, 150, 150))),
            "n": int(count[k]),
        }
        for k in order
    ]


def scene_data(bench: Workbench, view: View, scene: int) -> dict[str, Any]:
    """Describe one scene: size, objects (global row, box, cluster, probability), outlines as SVG paths."""
    part, first = view.parts[scene], bench.starts[scene]
    height, width = bench.sizes[scene]
    assert part.cluster is not None
    assert part.probability is not None
    boxes = np.round(part.xyxy.astype(np.float64), 1).tolist()
    rows = zip(boxes, part.cluster.tolist(), np.round(part.probability, 2).tolist(), strict=True)
    return {
        "width": width,
        "height": height,
        "objects": [{"i": first + k, "b": box, "c": c, "p": p} for k, (box, c, p) in enumerate(rows)],
        "congregations": [
            {"c": found.cluster, "label": found.label, "d": _path(found.polygons), "b": list(found.bbox)}
            for found in view.congregations[scene]
        ],
    }


def _path(polygons: Any) -> str:
    rings = [ring for polygon in polygons for ring in polygon]
    return "".join("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in ring) + "Z" for ring in rings)


def picture(image: Image, *, side: int = LONGEST_SIDE, quality: int = 85) -> bytes:
    """Encode a picture as JPEG of at most ``side`` pixels."""
    from packed_scenes.catalogue.pictures import thumbnail

    if max(image.shape[:2]) > side:
        return thumbnail(image, side=side)
    return _encode(image, "JPEG", quality=quality)


def png(image: Image) -> bytes:
    """Encode a picture as PNG."""
    return _encode(image, "PNG")


def atlas(bench: Workbench) -> tuple[bytes, int, int]:
    """Put the crops of all objects into one picture, row by row, transparent around them.

    Returns:
        WebP bytes, the side of a cell in pixels, cells per row. Beyond the last size of ``CELLS`` cells are 24 px.
    """
    import cv2

    count = len(bench.vectors)
    cell = next((side for most, side in CELLS if count <= most), 24)
    columns = max(1, int(np.ceil(np.sqrt(count))))
    sheet = np.zeros((max(1, -(-count // columns)) * cell, columns * cell, 4), np.uint8)
    for scene, part in enumerate(bench.view().parts):
        image, first = bench.image(scene), bench.starts[scene]
        height, width = image.shape[:2]
        low = np.clip(np.floor(part.xyxy[:, :2]), 0, [width - 1, height - 1]).astype(int)
        high = np.maximum(np.clip(np.ceil(part.xyxy[:, 2:]), 1, [width, height]).astype(int), low + 1)
        for k, ((x1, y1), (x2, y2)) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
            scale = min(cell / (x2 - x1), cell / (y2 - y1))
            wide, tall = max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            top = (first + k) // columns * cell + (cell - tall) // 2
            left = (first + k) % columns * cell + (cell - wide) // 2
            sheet[top : top + tall, left : left + wide, :3] = cv2.resize(
                image[y1:y2, x1:x2], (wide, tall), None, 0, 0, how
            )
            sheet[top : top + tall, left : left + wide, 3] = 255
    return _encode(sheet, "WEBP", quality=82, method=2), cell, columns


def crop(bench: Workbench, row: int, *, side: int = 160) -> bytes:
    """Cut one object out of its scene, JPEG."""
    from packed_scenes.aggregate.legend import cut
    from packed_scenes.catalogue.pictures import thumbnail

    return thumbnail(cut(bench.image(bench.scene_of(row)), bench.boxes[row]), side=side)


def project(
    vectors: npt.NDArray[np.float32], *, dimensions: int = 2, how: Projection | str = Projection.PCA, seed: int = 0
) -> npt.NDArray[np.float32]:
    """Bring (N, D) vectors into 2 or 3 dimensions, scaled into [-1, 1].

    Raises:
        InputError: if UMAP is asked for fewer than 5 vectors.
    """
    how = Projection(how)
    if how is Projection.UMAP:
        flat = _umap(vectors, dimensions, seed)
    else:
        flat = np.zeros((len(vectors), dimensions))
        if len(vectors):
            centred = vectors - vectors.mean(axis=0, dtype=np.float64)
            _, _, axes = np.linalg.svd(centred, full_matrices=False)
            found = centred @ axes[:dimensions].T
            flat[:, : found.shape[1]] = found
    if len(flat):
        flat = flat - (flat.max(axis=0) + flat.min(axis=0)) / 2
        flat = flat / max(float(np.abs(flat).max()), 1e-9)
    return flat.astype(np.float32)


def _umap(vectors: npt.NDArray[np.float32], dimensions: int, seed: int) -> npt.NDArray[np.float64]:
    if len(vectors) < 5:
        raise InputError("UMAP needs at least 5 objects", remedy="Use PCA.")
    from umap import UMAP

    made = UMAP(
        n_components=dimensions,
        metric="cosine",
        n_neighbors=min(15, len(vectors) - 1),
        random_state=seed,
        init="spectral" if len(vectors) > dimensions + 2 else "random",
        n_jobs=1,
    )
    return np.asarray(made.fit_transform(vectors), np.float64)


def _encode(image: Image, form: str, **options: Any) -> bytes:
    from PIL import Image as Pillow

    out = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(image)).save(out, format=form, **options)
    return out.getvalue()

"""Stage ``reference``: embedding, clustering, aggregation and overlay of given boxes, ours beside the author's method.

The author's stages are written here anew and plainly from their description (github.com/BCuan/embedding-clustering):
every crop is resized to 224 x 224 by Pillow, normalised and embedded by the two-layer network; HDBSCAN on the full
cosine matrix, OPTICS on what is left; then for every cluster a mask of the whole picture, rescaled by 0.1, closed with
a 15 x 15 square, scaled back, labelled, and painted. Both sides begin with the decoded picture and end with the
overlay as JPEG.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .inputs import Photo, Work, photo
from .record import Found, Table
from .timing import Timed, ratio, take_turns

RESCALE = 0.1  # of the mask
SQUARE = 15  # pixels of the rescaled mask
TEXT = 70  # pixels


def run(work: Work) -> Found:
    """Time both."""
    from packed_scenes.embed import Embedder
    from packed_scenes.observe import Observer
    from packed_scenes.settings import Settings

    shot = photo(work)
    settings = Settings(embedder=work.embedder, device="cpu")
    observer = Observer(settings)
    network = Embedder.load("reference", device="cpu").network
    spent: dict[str, Timed] = {}
    jobs = {
        "ours": partial(ours, shot, work.scratch / "ours.jpg", observer, spent),
        "reference": partial(reference, shot, work.scratch / "reference.jpg", network, spent),
    }
    turns = min(work.turns, 5)
    timed = take_turns(jobs, turns=turns)
    rows = [
        {"method": "ours", **timed["ours"].row(), "clusters": timed["ours"].result},
        {
            "method": "reference", **timed["reference"].row(), **ratio(timed["reference"], timed["ours"]),
            "cpu x": ratio(timed["reference"], timed["ours"], cpu=True).get("x"),
            "clusters": timed["reference"].result,
        },
    ]  # fmt: skip
    parts: dict[str, dict[str, Any]] = {}
    for name, times in spent.items():
        method, part = name.split(": ")
        times.wall, times.cpu = times.wall[-turns:], times.cpu[-turns:]
        parts.setdefault(method, {"method": method})[part] = round(times.seconds, 4)
    return Found(
        [
            Table(
                "embedding + clustering + aggregation + overlay of given boxes",
                rows,
                f"On {shot.name}.",
                "bars",
                by="method",
            ),
            Table("its parts, wall seconds", list(parts.values())),
        ]
    )


def ours(shot: Photo, path: Path, observer: Any, spent: dict[str, Timed]) -> int:
    """Our stages; returns the number of clusters."""
    from packed_scenes.aggregate import draw_overlay
    from packed_scenes.data.images import write_image
    from packed_scenes.identify import congregate, identify

    def part(name: str, job: Any) -> Any:
        return spent.setdefault(f"ours: {name}", Timed()).add(job)

    vectors = part("embed", lambda: observer.embedder.embed(shot.image, shot.boxes.xyxy))
    objects = shot.boxes.replace(embedding=vectors)
    card, settings = observer.embedder.card, observer.settings
    grouped, info = part("cluster", lambda: identify([objects], settings=settings, card=card))
    done, places = part("aggregate", lambda: congregate(grouped, [shot.image.shape[:2]], settings=settings))
    part("overlay", lambda: write_image(path, draw_overlay(shot.image, done[0], places[0]), quality=90))
    return int(info["n_clusters"])


def reference(shot: Photo, path: Path, network: Any, spent: dict[str, Timed]) -> int:
    """The author's stages; returns the number of clusters."""
    from PIL import Image

    picture = Image.fromarray(shot.image)
    boxes = np.rint(shot.boxes.xyxy).astype(int)

    def part(name: str, job: Any) -> Any:
        return spent.setdefault(f"reference: {name}", Timed()).add(job)

    vectors = part("embed", lambda: reference_vectors(picture, boxes, network))
    labels = part("cluster", lambda: reference_labels(vectors))
    part("aggregate and overlay", lambda: reference_overlay(picture, boxes, labels).save(path, quality=90))
    return int(labels.max()) + 1


def reference_vectors(picture: Any, boxes: npt.NDArray[np.int64], network: Any) -> npt.NDArray[np.float32]:
    """Cut, stretch to 224 x 224, normalise, embed: (N, 32) unit rows."""
    import torch
    from torchvision import transforms

    prepare = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor()])
    crops = torch.stack([prepare(picture.crop(tuple(box))) for box in boxes.tolist()])
    with torch.inference_mode():
        rows = [network(part * 255) for part in crops.split(100)]  # the network normalises by ImageNet's values itself
    return np.asarray(torch.cat(rows).numpy(), np.float32)


def reference_labels(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """HDBSCAN on the precomputed cosine matrix, then OPTICS on its noise; -1 = noise of both."""
    import hdbscan
    from sklearn.cluster import OPTICS

    distance = 1 - vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    labels = np.asarray(
        hdbscan.HDBSCAN(min_cluster_size=2, metric="precomputed").fit_predict(distance.clip(0)), np.int64
    )
    left = np.flatnonzero(labels < 0)
    if len(left) > 1:
        with np.errstate(all="ignore"):
            more = OPTICS(min_samples=2, metric="cosine").fit_predict(vectors[left])
        labels[left] = np.where(more >= 0, more + labels.max() + 1, -1)
    return labels


def reference_overlay(picture: Any, boxes: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> Any:
    """Paint every cluster's closed mask over the picture, each worked on at full size."""
    from PIL import Image, ImageDraw, ImageFont
    from skimage.measure import label
    from skimage.morphology import closing
    from skimage.transform import rescale, resize

    width, height = picture.size
    faded = picture.convert("RGBA")
    faded.putalpha(128)
    layer = Image.new("RGBA", picture.size, (255, 255, 255, 0))
    pen = ImageDraw.Draw(layer)
    font = ImageFont.load_default(TEXT)
    colors = np.random.default_rng(0).integers(0, 256, (labels.max() + 1, 3))
    for cluster in range(labels.max() + 1):
        mask = np.zeros((height, width))
        for x1, y1, x2, y2 in boxes[labels == cluster].tolist():
            mask[y1 : y2 + 1, x1 : x2 + 1] = 1
        small = closing(rescale(mask, RESCALE, anti_aliasing=False), np.ones((SQUARE, SQUARE)))
        whole = (resize(small, (height, width), anti_aliasing=False) > 0).astype(np.uint8)
        pen.bitmap((0, 0), Image.fromarray(whole * 255), fill=(*colors[cluster].tolist(), 128))
        places = label(whole, background=0)
        for number in range(1, int(places.max()) + 1):
            rows, columns = np.nonzero(places == number)
            corner = (int(columns.min() + columns.max()) // 2 - TEXT, int(rows.min() + rows.max()) // 2 - TEXT)
            pen.text(corner, f"{cluster}_{number}" if places.max() > 1 else str(cluster), font=font)
    return Image.alpha_composite(faded, layer).convert("RGB")

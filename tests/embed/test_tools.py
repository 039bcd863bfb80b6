from pathlib import Path

import cv2
import numpy as np
import pytest

from packed_scenes.data import InputError
from packed_scenes.embed import Embedder
from packed_scenes.embed.onnx_export import export_onnx
from packed_scenes.embed.robustness import CHANGES, plot_robustness, robustness
from packed_scenes.embed.similarity import canvases_of, draw_pairs, overlay, similarity_map


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(device="cpu")


@pytest.mark.parametrize("name", ["default", "colour"])
def test_onnx_export_equals_the_original(tmp_path: Path, name: str) -> None:
    import onnxruntime

    embedder = Embedder.load(name, device="cpu")
    path = tmp_path / "net.onnx"
    assert export_onnx(embedder, path) < 1e-4
    crops = [np.random.default_rng(i).integers(0, 256, (50 + i, 40, 3), dtype=np.uint8) for i in range(5)]
    pixels = canvases_of(embedder, crops).transpose(0, 3, 1, 2).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert np.abs(session.run(["embedding"], {"pixels": pixels})[0] - embedder.embed_crops(crops)).max() < 1e-4
    with pytest.raises(InputError, match="onnx"):
        export_onnx(embedder, tmp_path / "net.pt")


def test_the_map_finds_the_only_thing_there_is() -> None:
    embedder = Embedder.load("colour", device="cpu")
    crop = np.full((144, 96, 3), 90, np.uint8)
    marked = crop.copy()
    marked[20:50, 30:70] = (250, 30, 30)
    canvas = canvases_of(embedder, [marked])[0]
    target = embedder.embed_crops([marked])[0]
    found = similarity_map(embedder, canvas, target)
    assert found.shape == canvas.shape[:2]
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert 0.08 < y / found.shape[0] < 0.42
    assert 0.2 < x / found.shape[1] < 0.8
    with pytest.raises(InputError):
        similarity_map(embedder, canvas, target, cells=1)


def test_overlay_of_nothing_leaves_the_crop_readable() -> None:
    canvas = np.random.default_rng(0).integers(0, 256, (20, 10, 3), dtype=np.uint8)
    drawn = overlay(canvas, np.zeros((20, 10), np.float32))
    assert drawn.shape == canvas.shape
    assert drawn.dtype == np.uint8


def test_pairs_are_drawn(tmp_path: Path, embedder: Embedder) -> None:
    crops = [np.random.default_rng(i).integers(0, 256, (60, 40, 3), dtype=np.uint8) for i in range(2)]
    cosines = draw_pairs(embedder, [(crops[0], crops[0]), (crops[0], crops[1])], tmp_path / "maps.png", zoom=1)
    assert cosines[0] == pytest.approx(1, abs=1e-4)
    picture = cv2.imread(str(tmp_path / "maps.png"))
    assert picture.shape == (2 * (22 + 144), 4 * 96, 3)


@pytest.mark.slow
def test_robustness_starts_at_one_and_falls(tmp_path: Path) -> None:
    embedder = Embedder.load("colour", device="cpu")
    rng = np.random.default_rng(0)
    crops = [cv2.resize(rng.integers(0, 256, (6, 4, 3), dtype=np.uint8), (40, 60)) for _ in range(8)]
    rows = robustness(embedder, crops, np.arange(8))
    assert len(rows) == sum(len(strengths) for _, strengths in CHANGES.values())
    for name in CHANGES:
        mine = [row for row in rows if row["change"] == name]
        assert mine[0]["cosine"] == pytest.approx(1, abs=1e-5)
        assert mine[0]["changed"] == 0
        assert mine[-1]["cosine"] < mine[0]["cosine"]
    plot_robustness({"colour": rows}, tmp_path / "curves.png")
    assert cv2.imread(str(tmp_path / "curves.png")) is not None

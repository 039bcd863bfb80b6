import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from packed_scenes.data import InputError
from packed_scenes.data.files import sha256_file
from packed_scenes.embed import Embedder
from packed_scenes.embed.compiled import CompiledRunner
from packed_scenes.embed.fuse import fuse
from packed_scenes.embed.networks import LayoutNet
from packed_scenes.embed.runners import TorchRunner
from packed_scenes.embed.weights import card_path, save_weights


def small() -> LayoutNet:
    torch.manual_seed(0)
    network = LayoutNet(width=32, height=48, channels=(4, 6, 8, 8), dimension=16)
    for module in network.modules():  # statistics that a fused network must respect
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    return network.eval()


OPTIONS = {"width": 32, "height": 48, "channels": [4, 6, 8, 8], "dimension": 16}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    save_weights(path, small().state_dict(), {"architecture": "layout", "options": OPTIONS}, half=False)
    return path


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)


def test_rows_are_unit_and_align_with_boxes(weights: Path, image: np.ndarray) -> None:
    embedder = Embedder.load(weights, device="cpu")
    boxes = np.array([[i, i % 7, i + 30, i % 7 + 60] for i in range(70)], np.float32)  # more than one chunk
    vectors = embedder.embed(image, boxes)
    assert vectors.shape == (70, 16) == (70, embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    order = np.random.default_rng(1).permutation(70)
    assert np.allclose(embedder.embed(image, boxes[order]), vectors[order], atol=1e-5)
    crops = [image[int(b[1]) : int(b[3]), int(b[0]) : int(b[2])] for b in boxes]
    assert np.allclose(embedder.embed_crops(crops), vectors, atol=1e-5)


def test_no_boxes_give_no_rows(weights: Path, image: np.ndarray) -> None:
    embedder = Embedder.load(weights, device="cpu")
    assert embedder.embed(image, np.zeros((0, 4))).shape == (0, 16)
    assert embedder.embed_crops([]).shape == (0, 16)


def test_fused_network_equals_the_original() -> None:
    pixels = torch.rand(3, 3, 48, 32) * 255
    with torch.inference_mode():
        assert torch.allclose(small()(pixels), fuse(small())(pixels), atol=1e-5)


def test_compiled_network_is_the_torch_network(weights: Path) -> None:
    """On a CPU the file runs in OpenVINO; torch's network of the same file is the measure."""
    compiled = Embedder.load(weights, device="cpu")
    assert isinstance(compiled.runner, CompiledRunner)
    plain = Embedder(TorchRunner(small(), device="cpu"), card=compiled.card)
    canvases = np.random.default_rng(2).integers(0, 256, (37, 48, 32, 3), dtype=np.uint8)
    expected = plain.embed_canvases(canvases)
    assert np.abs(compiled.embed_canvases(canvases) - expected).max() < 1e-4
    assert np.abs(compiled.describe_canvases(canvases) - expected).max() < 1e-4
    assert compiled.embed_canvases(canvases[:0]).shape == (0, 16)
    assert compiled.cut == plain.cut
    with torch.inference_mode():
        pixels = torch.from_numpy(canvases).permute(0, 3, 1, 2).float()
        assert np.abs(compiled.network(pixels).numpy() - expected).max() < 1e-4


def test_shipped_embedder_needs_no_torch() -> None:
    code = "import sys, numpy as np; from packed_scenes.embed import Embedder; e = Embedder.load(device='cpu')\n"
    code += "e.embed(np.zeros((90, 60, 3), np.uint8), [[0, 0, 50, 80]]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_half_precision_file_keeps_the_directions(tmp_path: Path, weights: Path, image: np.ndarray) -> None:
    half = tmp_path / "half.safetensors"
    save_weights(half, small().state_dict(), {"architecture": "layout", "options": OPTIONS})
    assert half.stat().st_size < 0.75 * weights.stat().st_size
    boxes = [[0, 0, 40, 60], [20, 10, 90, 80]]
    one, two = Embedder.load(weights, device="cpu"), Embedder.load(half, device="cpu")
    assert ((one.embed(image, boxes) * two.embed(image, boxes)).sum(1) > 0.9999).all()
    assert one.weights_hash != two.weights_hash


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda p: card_path(p).unlink(), "no such file"),
        (lambda p: card_path(p).write_text("{}"), "no embedder card"),
        (lambda p: card_path(p).write_text("not json"), "no embedder card"),
        (lambda p: p.write_bytes(p.read_bytes()[:-1] + b"\x00"), "do not belong"),
        (lambda p: p.unlink(), "no such file"),
    ],
)
def test_damaged_files_are_refused(weights: Path, damage, says: str) -> None:  # type: ignore[no-untyped-def]
    damage(weights)
    with pytest.raises(InputError, match=says):
        Embedder.load(weights, device="cpu")


def test_pickled_weights_unknown_names_and_devices_are_refused(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(InputError, match=r"\.safetensors"):
        Embedder.load(tmp_path / "weights.pt")
    with pytest.raises(InputError, match=r"Known: .*default"):
        Embedder.load("nonsense")
    with pytest.raises(InputError, match="device must be"):
        Embedder.load(weights, device="abacus")


def test_wrong_architecture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    save_weights(path, small().state_dict(), {"architecture": "layout", "options": OPTIONS | {"dimension": 8}})
    with pytest.raises(InputError, match="do not fit"):
        Embedder.load(path)
    save_weights(path, small().state_dict(), {"architecture": "perceptron"})
    with pytest.raises(InputError, match="unknown architecture"):
        Embedder.load(path)


def test_files_of_many_tensors_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "many.safetensors"
    card = {"architecture": "layout", "options": OPTIONS}
    save_weights(path, {f"layer{k}.weight": torch.zeros(1) for k in range(10_000)}, card)
    with pytest.raises(InputError, match="do not fit"):
        Embedder.load(path, device="cpu")
    path.write_bytes((3 << 20).to_bytes(8, "little") + bytes(4 << 20))
    card_path(path).write_text(json.dumps(card | {"version": 1, "sha256": sha256_file(path)}))
    with pytest.raises(InputError, match="list of tensors"):
        Embedder.load(path, device="cpu")


def test_dimensions_of_a_card_that_would_fill_the_memory_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "wide.safetensors"
    for options in ({"channels": [10**9] * 4}, {"dimension": 10**12}, {"width": 10**9, "height": 10**9}):
        save_weights(path, small().state_dict(), {"architecture": "layout", "options": OPTIONS | options})
        with pytest.raises(InputError, match=r"do not fit|8 to 2048 px"):
            assert Embedder.load(path, device="cpu").runner.network  # type: ignore[attr-defined]


def test_shipped_weights_tell_two_goods_apart() -> None:
    from packed_scenes.data.synth.goods.families import Family

    embedder = Embedder.load(device="cpu")
    rng = np.random.default_rng(3)

    def crop(product) -> np.ndarray:  # type: ignore[no-untyped-def]
        rgba = product.render(150, rng).astype(np.float32)
        alpha = rgba[..., 3:] / 255
        return (rgba[..., :3] * alpha + 40 * (1 - alpha)).astype(np.uint8)

    products = [Family(seed).variant(v) for seed in (1, 2, 3, 4) for v in (0, 1)]
    first, second = (embedder.embed_crops([crop(p) for p in products]) for _ in range(2))
    cosine = first @ second.T
    assert (cosine.argmax(1) == np.arange(8)).mean() >= 0.85
    assert np.diag(cosine).min() > 0.5
    assert 0 < embedder.card["calibration"]["threshold"] < 1

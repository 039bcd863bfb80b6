"""Networks of others as embedders."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from packed_scenes.data import InputError, read_image
from packed_scenes.embed import Embedder
from packed_scenes.embed.onnx_export import export_onnx
from packed_scenes.embed.registry import check_name
from tests.netfiles import constant_onnx, means_ir, means_onnx
from tests.real import SHARED, needs

CROPS = [np.random.default_rng(k).integers(0, 256, (40 + k, 20, 3), np.uint8) for k in range(5)]


def naive(embedder: Embedder, crops: list[np.ndarray], *, bgr: bool, mean: float, scale: float) -> np.ndarray:
    from packed_scenes.embed.crops import letterbox_crops

    canvases = letterbox_crops(crops, **embedder.cut).astype(np.float64)[..., :: -1 if bgr else 1]
    n, h, w, _ = canvases.shape
    values = ((canvases - mean) / scale).reshape(n, 2, h // 2, 2, w // 2, 3).mean((2, 4)).transpose(0, 3, 1, 2)
    rows = values.reshape(n, -1)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("shape", [(1, 3, 32, 16), ("n", 3, 32, 16), (4, 3, 32, 16), ("n", 32, 16, 3)])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_onnx_of_any_batch_layout_and_type(tmp_path: Path, shape: tuple[int, ...], kind: int) -> None:
    file = means_onnx(tmp_path / "net.onnx", shape, kind=kind)
    (tmp_path / "net.json").write_text(json.dumps({"channels": "bgr", "mean": 100, "scale": [50, 50, 50]}))
    embedder = Embedder.load(file, device="cpu")
    assert (embedder.width, embedder.height, embedder.dimension) == (16, 32, 12)
    assert embedder.cut["stretch"]  # twice as high as wide: people
    assert embedder.card["assumed"] == []
    close = 1e-5 if kind == TensorProto.FLOAT else 2e-3
    wanted = naive(embedder, CROPS, bgr=True, mean=100, scale=50)
    assert np.abs(embedder.embed_crops(CROPS) - wanted).max() < close
    assert np.abs(embedder.embed_crops(CROPS[:1]) - wanted[:1]).max() < close
    assert embedder.embed_crops([]).shape == (0, 12)


def test_ir_as_the_converter_left_it_takes_bgr_bytes(tmp_path: Path) -> None:
    embedder = Embedder.load(means_ir(tmp_path / "net.xml", (1, 3, 16, 16), bgr=True), device="cpu")
    assert np.abs(embedder.embed_crops(CROPS) - naive(embedder, CROPS, bgr=True, mean=0, scale=1)).max() < 1e-5
    assert embedder.card["assumed"] == []
    plain = Embedder.load(means_ir(tmp_path / "plain.xml", (0, 3, 16, 16)), device="cpu")
    assert plain.card["channels"] == "rgb"
    assert len(plain.card["assumed"]) == 3  # channels, mean, scale


def test_the_hash_follows_the_pixels(tmp_path: Path) -> None:
    file = means_onnx(tmp_path / "net.onnx", ("n", 3, 16, 16))
    before = Embedder.load(file).weights_hash
    (tmp_path / "net.json").write_text('{"channels": "bgr"}')
    assert Embedder.load(file).weights_hash != before
    (tmp_path / "net.json").write_text('{"licence": "MIT"}')
    assert Embedder.load(file).weights_hash == before


def test_the_output_is_the_only_one_of_two_axes_or_the_named_one(tmp_path: Path) -> None:
    file = means_onnx(tmp_path / "net.onnx", ("n", 3, 16, 16), extra=True)
    assert Embedder.load(file).dimension == 12
    (tmp_path / "net.json").write_text('{"output": "p", "pool": "mean"}')
    assert Embedder.load(file).dimension == 3
    (tmp_path / "net.json").write_text('{"output": "q"}')
    with pytest.raises(InputError, match=r"no output 'q'. There are: p, v"):
        Embedder.load(file)


def test_tokens_are_pooled_as_the_card_says(tmp_path: Path) -> None:
    tokens = np.random.default_rng(0).normal(size=(1, 5, 7)).astype(np.float32)
    file = constant_onnx(tmp_path / "net.onnx", (1, 3, 16, 16), {"tokens": tokens})
    with pytest.raises(InputError, match='need "pool"'):
        Embedder.load(file)
    for pool, row in (("first", tokens[0, 0]), ("mean", tokens[0].mean(0))):
        (tmp_path / "net.json").write_text(json.dumps({"pool": pool}))
        assert np.allclose(Embedder.load(file).embed_crops(CROPS[:1])[0], row / np.linalg.norm(row), atol=1e-6)


def test_a_known_kind_by_name_and_file(tmp_path: Path) -> None:
    file = means_onnx(tmp_path / "vit.onnx", ("n", 3, 16, 16))
    for name in ("dinov2", "clip", "imagenet", "osnet"):
        check_name(f"{name}={file}")
        embedder = Embedder.load(f"{name}={file}", device="cpu")
        assert embedder.card["channels"] == "rgb"
        assert embedder.card["mean"][0] > 100
    with pytest.raises(InputError, match="needs an exported network"):
        Embedder.load("clip")


def test_our_own_export_comes_back_the_same(tmp_path: Path) -> None:
    own = Embedder.load("colour", device="cpu")
    export_onnx(own, tmp_path / "colour.onnx")
    again = Embedder.load(tmp_path / "colour.onnx", device="cpu")
    assert again.cut == own.cut
    assert again.card["calibration"] == own.card["calibration"]
    assert np.abs(own.embed_crops(CROPS) - again.embed_crops(CROPS)).max() < 1e-4


@pytest.mark.parametrize(
    ("card", "line"),
    [
        ("[]", "JSON object"),
        ("{", "no JSON"),
        ('{"chanels": "bgr"}', "Did you mean 'channels'"),
        ('{"channels": "bgrx"}', 'must be "rgb" or "bgr"'),
        ('{"scale": 0.229}', "units of 0…255"),
        ('{"scale": [1, 2]}', "one number or three"),
        ('{"mean": "x"}', "one number or three"),
        ('{"width": 99}', "its input has 16"),
        ('{"height": "16"}', "height must be"),
        ('{"fit": "crop"}', "letterbox"),
        ('{"pool": "max"}', "pool must be"),
    ],
)
def test_a_wrong_card_is_one_clear_line(tmp_path: Path, card: str, line: str) -> None:
    file = means_onnx(tmp_path / "net.onnx", ("n", 3, 16, 16))
    (tmp_path / "net.json").write_text(card)
    with pytest.raises(InputError, match=line) as caught:
        Embedder.load(file)
    assert "\n" not in str(caught.value)


def hostile(folder: Path, case: str) -> Path:
    file = folder / "net.onnx"
    if case == "text":
        file.write_text("no network")
    elif case == "empty":
        file.write_bytes(b"")
    elif case == "detector":
        constant_onnx(file, (1, 3, 16, 16), {"rows": np.zeros((1, 7, 300), np.float32)})
    elif case == "grey":
        constant_onnx(file, (1, 1, 16, 16), {"v": np.ones((1, 8), np.float32)})
    elif case == "nan":
        constant_onnx(file, (1, 3, 16, 16), {"v": np.full((1, 8), np.nan, np.float32)})
    elif case == "outside":
        means_onnx(file, (1, 3, 16, 16))
        model = onnx.load(str(file))
        tensor = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "../../../etc/hostname"
        model.graph.initializer.append(tensor)
        file.write_bytes(model.SerializeToString())
    elif case == "xml":
        file = folder / "net.xml"
        file.write_text("<html></html>")
        (folder / "net.bin").write_bytes(b"x")
    elif case == "bin":
        file = means_ir(folder / "net.xml", (1, 3, 16, 16))
        (folder / "net.bin").unlink()
    elif case == "torn":
        file = means_ir(folder / "net.xml", (1, 3, 16, 16))
        file.write_text(file.read_text()[:600])
    elif case == "two":
        x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 8, 8]) for n in "xy")
        z = helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 3, 8, 8])
        graph = helper.make_graph([helper.make_node("Add", ["x", "y"], ["z"])], "two", [x, y], [z])
        onnx.save(helper.make_model(graph), str(file))
    return file


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("text", "not an ONNX network"),
        ("empty", "0 bytes"),
        ("detector", "one vector per crop"),
        ("grey", r"\(B, 3, H, W\)"),
        ("nan", "no numbers"),
        ("outside", "outside its folder"),
        ("xml", "not an OpenVINO network"),
        ("bin", "its weights are missing"),
        ("torn", "OpenVINO cannot read"),
        ("two", "takes 2 inputs"),
    ],
)
def test_what_is_no_embedder_is_one_clear_line(tmp_path: Path, case: str, line: str) -> None:
    with pytest.raises(InputError, match=line) as caught:
        Embedder.load(hostile(tmp_path, case))
    assert "\n" not in str(caught.value)


def test_layers_of_a_file_cannot_be_looked_into(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be looked into"):
        _ = Embedder.load(means_onnx(tmp_path / "net.onnx", (1, 3, 16, 16))).network


@pytest.mark.slow
@needs("people_campus", "../models")
def test_a_reidentification_network_tells_people_apart() -> None:
    """40 people, one crop of each camera: nearest neighbour in the other camera (all 938 crops: .752)."""
    files = sorted((SHARED / "people_campus" / "images").glob("*.jpg"))
    first: dict[tuple[str, str], Path] = {}
    for file in files:
        first.setdefault(tuple(file.stem.split("_")[:2]), file)  # type: ignore[arg-type]
    people = sorted({who for who, _ in first})[:40]
    embedder = Embedder.load(SHARED.parent / "models" / "omz-person-reid-0287-FP32.xml", device="cpu")
    one, two = (embedder.embed_crops([read_image(first[who, cam]) for who in people]) for cam in ("c1", "c2"))
    assert (np.argmax(one @ two.T, axis=1) == np.arange(len(people))).mean() > 0.7

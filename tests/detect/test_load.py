import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from packed_scenes.data import InputError
from packed_scenes.data.files import sha256_file
from packed_scenes.data.shipped import ASSETS
from packed_scenes.detect import Detector, network
from packed_scenes.detect.heads import read_yolo
from packed_scenes.detect.load import load_network, pick_device
from packed_scenes.detect.training.release import release


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A released network with random weights of which some score high."""
    torch.manual_seed(0)
    model = network.build(classes=2)
    with torch.no_grad():
        for branch in model.model[-1].cv3:  # type: ignore[index, union-attr]
            branch[-1].bias.fill_(-1.0)
            branch[-1].weight.normal_(0, 0.3)
    stem = tmp_path_factory.mktemp("weights") / "own"
    release(stem, model.eval(), names=["can", "jar"], about={"object_px": 50.0, "confidence": 0.3, "recipe": "test"})
    return stem


def noise(height: int = 160, width: int = 224) -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (1, height // 16, width // 16, 3))
    return coarse.repeat(16, 1).repeat(16, 2).astype(np.uint8)


@pytest.mark.slow
def test_torch_onnxruntime_and_openvino_agree(trained: Path) -> None:
    """Between ONNX libraries 0.1 px and .001; torch keeps batch norm apart, so float16 storage rounds other numbers."""
    images = noise()
    runs = {
        "torch": load_network(trained.with_suffix(".pt")),
        "onnxruntime": load_network(trained.with_suffix(".onnx"), backend="onnxruntime"),
        "openvino": load_network(trained.with_suffix(".onnx"), backend="openvino"),
    }
    results = {name: run(images, 0.0)[0] for name, run in runs.items()}
    for name, run in runs.items():
        assert run.card.backend == name
        assert (run.card.names, run.card.object_px, run.card.confidence) == (("can", "jar"), 50.0, 0.3)
    onnx, other, own = results["onnxruntime"], results["openvino"], results["torch"]
    assert np.abs(onnx[0] - other[0]).max() < 0.1
    assert np.abs(onnx[1] - other[1]).max() < 1e-3
    assert np.abs(onnx[0] - own[0]).max() < 1.0
    assert np.abs(onnx[1] - own[1]).max() < 0.01


@pytest.mark.slow
def test_onnx_takes_any_size_and_batch(trained: Path) -> None:
    run = load_network(trained.with_suffix(".onnx"))
    images = np.stack([noise(96, 160), noise(96, 160)])[:, 0]
    both = run(images, 0.2)
    alone = run(images[:1], 0.2)
    assert len(both) == 2
    assert np.allclose(both[0][0], alone[0][0], atol=0.05)


def test_the_shipped_files_fit_their_card() -> None:
    for stem in ("detector-general", "detector"):
        card = json.loads((ASSETS / f"{stem}.json").read_text("utf-8"))
        for name, digest in card["sha256"].items():
            assert sha256_file(ASSETS / name) == digest
    assert 0 < card["confidence"] < 1
    assert load_network(None).card.sha256 == card["sha256"]["detector.onnx"]
    assert load_network(None, backend="torch").card.sha256 == card["sha256"]["detector.pt"]


def test_a_foreign_pickle_needs_trust(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "harm"),)

    file = tmp_path / "foreign.pt"
    torch.save({"model": Harm()}, file)
    with pytest.raises(InputError, match="--trust"):
        load_network(file)
    file.write_bytes(pickle.dumps(Harm()))
    with pytest.raises(InputError, match="--trust"):
        load_network(file)
    assert not (tmp_path / "harm").exists()


@pytest.mark.slow
def test_trusted_ultralytics_weights_load_and_keep_more_than_300(tmp_path: Path) -> None:
    from packed_scenes.detect.ultralytics_import import import_ultralytics

    ultralytics = import_ultralytics()
    model = ultralytics.YOLO("yolo11n.yaml", verbose=False)
    file = tmp_path / "foreign.pt"
    model.save(file)
    run = load_network(file, trust=True)
    assert run.card.names[0] in ("person", "0")
    assert len(run(noise(320, 320), 0.0)[0][1]) > 2000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pt", None, "no such weights"),
        ("a.onnx", b"x", "not an ONNX"),
        ("a.txt", b"x", "must be a .onnx, .xml or .pt"),
        ("a.onnx", None, "no such"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_network(tmp_path / name)


def test_a_checkpoint_that_is_no_detector_is_refused(tmp_path: Path) -> None:
    torch.save({"state": {}}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="not detector weights"):
        load_network(tmp_path / "other.pt")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torchvision:none_such", "torchvision:ssdlite320_mobilenet_v3_large:/absent.pth"])
def test_unknown_torchvision_models_are_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packed_scenes.data.connection.reachable", lambda _: True)
    with pytest.raises(InputError):
        load_network(name)


@pytest.mark.parametrize("name", ["torchvision:fasterrcnn_resnet50_fpn", "yolo11n.pt"])
def test_a_published_network_that_cannot_be_fetched_is_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packed_scenes.data.connection.reachable", lambda _: False)
    monkeypatch.setattr("packed_scenes.data.connection.downloads", lambda: Path("/none"))
    with pytest.raises(InputError, match=r"cannot be reached\. Give a "):
        load_network(name, trust=True)


def test_a_class_that_the_bundled_networks_do_not_know_is_said_with_those_that_they_do() -> None:
    with pytest.raises(InputError, match=r"no class 'person'.* one class, object, .*--weights"):
        Detector.load(classes=["person"], device="cpu")


@pytest.mark.slow
def test_torchvision_weights_from_a_file(tmp_path: Path) -> None:
    import torchvision

    model = torchvision.models.get_model(
        "ssdlite320_mobilenet_v3_large", weights=None, weights_backbone=None, num_classes=91
    )
    torch.save(model.state_dict(), tmp_path / "ssd.pth")
    run = load_network(f"torchvision:ssdlite320_mobilenet_v3_large:{tmp_path / 'ssd.pth'}")
    boxes, score, class_id = run(noise(), 0.0)[0]
    assert boxes.shape == (len(score), 4)
    assert class_id.shape == score.shape
    assert run.card.names[1] == "person"


@pytest.mark.parametrize("device", ["gpu", "cuda:x"])
def test_unknown_devices_and_backends(device: str) -> None:
    with pytest.raises((InputError, RuntimeError)):
        pick_device(device) if not torch.cuda.is_available() else pick_device("gpu")
    with pytest.raises(InputError, match="backend"):
        load_network(None, backend="tensorrt")


def test_end_to_end_outputs_are_read() -> None:
    rows = np.array([[[0, 0, 10, 10, 0.9, 1], [0, 0, 0, 5, 0.8, 0], [0, 0, 5, 5, 0.1, 0]]], np.float32)
    boxes, score, class_id = read_yolo(rows, 0.25, 3)[0]
    assert (boxes.tolist(), score.tolist(), class_id.tolist()) == ([[0, 0, 10, 10]], [pytest.approx(0.9)], [1])
    with pytest.raises(InputError, match="network output"):
        read_yolo(np.zeros((1, 9, 9), np.float32), 0.2, 3)


QUIET = """
import socket, sys
def refuse(*a, **k): raise SystemExit("called out")
socket.socket.connect = refuse; socket.getaddrinfo = refuse
from packed_scenes.detect.ultralytics_import import import_ultralytics
u = import_ultralytics()
m = u.YOLO("yolo11n.yaml", verbose=False)
assert not u.settings["sync"]
"""


@pytest.mark.slow
def test_ultralytics_writes_nothing_home_and_calls_nobody(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    root = Path(__file__).resolve().parents[2]
    keep = {k: v for k, v in os.environ.items() if not k.startswith("YOLO_")}
    environment = {
        **keep,
        "HOME": str(home),
        "PYTHONPATH": str(root),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", QUIET], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert not any(home.rglob("*"))
    assert not list(tmp_path.glob("packed-scenes-*"))


def test_importing_the_detector_loads_nothing_heavy() -> None:
    heavy = ("torch", "ultralytics", "onnx", "matplotlib")
    code = f"import sys; from packed_scenes.detect import Detector; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.stdout.strip() == "[]"

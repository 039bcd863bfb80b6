"""From a weights name or file to a network, safely: nothing from outside that can run code is opened without trust."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from packed_scenes.data import InputError
from packed_scenes.data.connection import TORCHVISION, downloads, require_weights
from packed_scenes.data.device import pick_device as pick_device
from packed_scenes.data.extras import installed
from packed_scenes.data.files import sha256_file
from packed_scenes.data.netfile import SUFFIXES
from packed_scenes.data.shipped import ASSETS
from packed_scenes.data.text import load_json
from packed_scenes.data.torchfile import load_torch
from packed_scenes.detect import network
from packed_scenes.detect.exported import known_network, load_exported
from packed_scenes.detect.networks import Card, Network, TorchNetwork, TorchvisionNetwork
from packed_scenes.detect.novelty import NoveltyRule
from packed_scenes.detect.ultralytics_import import import_ultralytics

DEFAULT = "detector"  # assets/detector.pt, .onnx and .json (the card)
GENERAL = "detector-general"  # the same three files


class Backend(StrEnum):
    """The library that runs a network."""

    AUTO = "auto"
    TORCH = "torch"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"


@dataclass(frozen=True)
class General:
    """The shipped network for pictures unlike those that the default one learned; loaded when one comes.

    Attributes:
        device, backend: as for :func:`load_network`.
    """

    device: str
    backend: str

    @property
    def sha256(self) -> str:
        """Of the weights file, as its card says; checked when it is loaded."""
        path, card = _shipped_files(GENERAL, pick_device(self.device), _choice(self.backend))
        return str(load_json(card.read_text("utf-8"))["sha256"][path.name])

    def load(self) -> Network:
        """Load it, once a process.

        Raises:
            InputError: if the files are missing or damaged.
        """
        return _load_general(pick_device(self.device), _choice(self.backend))


@cache
def _load_general(device: str, backend: Backend) -> Network:
    return _shipped(GENERAL, device, backend)


def load_network(
    weights: str | Path | None = None,
    *,
    device: str = "auto",
    backend: str | Backend = Backend.AUTO,
    class_names: tuple[str, ...] = (),
    trust: bool = False,
) -> Network:
    """Load a detection network.

    Args:
        weights: None for the shipped network; a ``.onnx`` or OpenVINO ``.xml`` file of any known kind
            (:mod:`packed_scenes.detect.exported`); a ``.pt`` file written by this project; with
            ``trust`` any ultralytics ``.pt`` file or model name (``yolo11n.pt``, fetched into torch's hub folder if
            absent); ``torchvision:NAME`` for a torchvision detector with its published weights, or
            ``torchvision:NAME:FILE`` for a file of weights.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        backend: library for ``.onnx`` files: auto is OpenVINO on a CPU, else ONNX Runtime. The shipped network is run
            from its ONNX form on a CPU and by torch on a GPU, unless this says otherwise.
        class_names: names by number of a ``.onnx`` or ``.xml`` file, before those in it.
        trust: open pickles from outside, which can run any code in them.

    Raises:
        InputError: if the file is missing, damaged, of another kind, or needs trust.
    """
    backend, device = _choice(backend), pick_device(device)
    if weights is None:
        return _shipped(DEFAULT, device, backend)
    if str(weights).startswith("torchvision:"):
        return _torchvision(str(weights), device)
    path = Path(weights)
    if path.suffix in SUFFIXES:
        _require(path)
        return _exported(path, device, backend, class_names)
    if path.suffix not in (".pt", ".pth"):
        raise InputError(
            "weights must be a .onnx, .xml or .pt file", file=path, remedy="For torchvision write torchvision:NAME."
        )
    if class_names:
        raise InputError("only .onnx and .xml files take class names", file=path, remedy="A .pt brings its own.")
    if not path.is_file() and path.name == str(weights):
        if not trust:
            raise InputError(
                "no such file; ultralytics publishes networks under such names, as pickles that can run code",
                file=path,
                remedy=f"With --trust and a network connection it is fetched; or run `yolo export model={path.name} "
                f"format=onnx` where you trust it, and give {path.stem}.onnx, which needs no trust.",
            )
        path = _fetch(path.name)
    _require(path)
    return _torch(path, device, trust)


def _choice(backend: str | Backend) -> Backend:
    try:
        return Backend(backend)
    except ValueError as error:
        raise InputError(f"backend must be one of {', '.join(Backend)}, got {backend!r}") from error


def _require(path: Path) -> None:
    if not path.is_file():
        remedy = "Give a .onnx, .xml or .pt file; with --trust an ultralytics name is fetched; none = the shipped ones."
        raise InputError("no such weights file", file=path, remedy=remedy)


def _shipped_files(name: str, device: str, backend: Backend) -> tuple[Path, Path]:
    """Weights and card."""
    suffix = ".pt" if backend is Backend.TORCH or (backend is Backend.AUTO and device != "cpu") else ".onnx"
    path, card = ASSETS / f"{name}{suffix}", ASSETS / f"{name}.json"
    if not (path.is_file() and card.is_file()):
        raise InputError(
            "the shipped weights are missing", file=path, remedy="Restore the assets folder, or give --weights."
        )
    return path, card


def _shipped(name: str, device: str, backend: Backend) -> Network:
    path, card = _shipped_files(name, device, backend)
    about = load_json(card.read_text("utf-8"))
    if sha256_file(path) != about["sha256"][path.name]:
        raise InputError(
            "the shipped weights are damaged (SHA-256 differs from the card)", file=path, remedy="Restore the file."
        )
    if path.suffix == ".pt":
        return _torch(path, device, trust=False, about=about)
    chosen = _chosen(backend, device)  # the card says what is in the file, so the library onnx is not needed
    return known_network(path, _card(about, about["names"], path, backend=str(chosen)), device=device)


def _chosen(backend: Backend, device: str) -> Backend:
    """The library that runs an ONNX file."""
    if backend not in (Backend.AUTO, Backend.TORCH):
        return backend
    return Backend.OPENVINO if device == "cpu" and installed("openvino") else Backend.ONNXRUNTIME


def _exported(path: Path, device: str, backend: Backend, class_names: tuple[str, ...] = ()) -> Network:
    """A detector of any known kind; what one library cannot run the other may, unless one is asked for."""
    if path.suffix != ".onnx":
        return load_exported(path, class_names=class_names)
    chosen = _chosen(backend, device)
    try:
        return load_exported(path, device=device, backend=str(chosen), class_names=class_names)
    except InputError:
        if backend is not Backend.AUTO or chosen is not Backend.OPENVINO or not installed("onnxruntime"):
            raise
        with suppress(InputError):  # the first library's reason is the one to report
            return load_exported(path, device=device, backend=str(Backend.ONNXRUNTIME), class_names=class_names)
        raise


def _torch(path: Path, device: str, trust: bool, about: Mapping[str, Any] | None = None) -> Network:
    try:
        content = load_torch(path)
    except Exception as error:
        if not trust:
            raise InputError(
                "not weights of this project; opening a foreign .pt can run any code in it",
                file=path,
                remedy="Pass --trust if you trust its source, or give its export, which needs no trust: "
                f"yolo export model={path.name} format=onnx.",
            ) from error
        return _ultralytics(path, device)
    if not isinstance(content, dict) or content.get("format") != network.FORMAT:
        raise InputError(
            "not detector weights", file=path, remedy="Expected a file from train_detector.py or an ultralytics model."
        )
    model = network.restore(content, source=path)
    try:
        card = _card(about or content["card"], content["names"], path, backend="torch")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"its card is damaged ({error})", file=path, remedy="Copy it again.") from error
    return TorchNetwork(model, card, device=device)


def _ultralytics(path: Path, device: str) -> Network:
    import_ultralytics()
    from ultralytics.nn.tasks import load_checkpoint

    try:
        model, _ = load_checkpoint(str(path), device="cpu", fuse=True)
    except Exception as error:
        raise InputError(
            f"ultralytics cannot read this file ({str(error).splitlines()[0][:150]})", file=path,
            remedy="Export it to ONNX.",
        ) from error  # fmt: skip
    if getattr(model, "task", "detect") != "detect":
        raise InputError(
            f"this network is for the task {model.task!r}, not detection", file=path, remedy="Take one that detects."
        )
    names = [model.names[i] for i in range(len(model.names))]
    card = Card(tuple(names), int(max(model.stride)), sha256=sha256_file(path), backend="torch", object_px=100.0)
    return TorchNetwork(model.float(), card, device=device)


def _fetch(name: str) -> Path:
    require_weights(name, "github.com", remedy="Give a path to a file.")
    import_ultralytics()
    from ultralytics.utils.downloads import attempt_download_asset

    folder = downloads()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / name).is_file():
        try:
            attempt_download_asset(folder / name)
        except Exception as error:
            raise InputError(
                f"cannot fetch {name} ({type(error).__name__})", remedy="Give a path to a file."
            ) from error
    return folder / name


def _card(about: Mapping[str, Any], names: list[str], path: Path, **known: Any) -> Card:
    chosen = {k: about[k] for k in ("stride", "object_px", "confidence", "general_above") if k in about}
    if "familiar" in about:
        chosen["novelty_rule"] = NoveltyRule.read(about["familiar"])
    return Card(names=tuple(map(str, names)), sha256=sha256_file(path), **chosen, **known)


def _torchvision(weights: str, device: str) -> Network:
    _, name, *file = weights.split(":", 2)
    remedy = None if file else f"Give a file: torchvision:{name}:FILE, or check the name."
    if remedy is not None:
        require_weights(name, TORCHVISION, remedy=remedy)
    import torchvision

    known = torchvision.models.list_models(torchvision.models.detection)
    if name not in known:
        raise InputError(f"torchvision has no detector {name!r}", remedy=f"Known: {', '.join(known)}.")
    published = torchvision.models.get_model_weights(name).DEFAULT
    names = tuple(published.meta["categories"])
    try:
        if file:
            _require(Path(file[0]))
            model = torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=len(names))
            model.load_state_dict(load_torch(file[0]))
        else:
            model = torchvision.models.get_model(name, weights=published, box_detections_per_img=1000)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"cannot load {weights} ({type(error).__name__}: {str(error).splitlines()[0][:120]})", remedy=remedy
        ) from error
    sha256 = sha256_file(file[0]) if file else ""
    return TorchvisionNetwork(
        model, Card(names, 32, sha256=sha256, backend="torchvision", object_px=100.0, batch=False), device=device
    )

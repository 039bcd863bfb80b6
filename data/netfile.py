"""Networks that somebody exported, ONNX or OpenVINO IR: read as data, checked and bounded, then compiled and run.

Neither format holds code. What a hostile or broken file could still do is bounded here: sizes, and the names of the
files that it refers to (an ONNX file may keep its tensors in others, an IR keeps them in a ``.bin`` of its own name).
What it may take of the machine is bounded by :mod:`packed_scenes.data.netbounds`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import check_file, sha256_file
from packed_scenes.data.inference import compile_network, core, openvino
from packed_scenes.data.netbounds import bounded_memory, check_model, check_onnx, is_memory, too_much

SUFFIXES = (".onnx", ".xml")
COPY_AGAIN, SMALLER = "Export or copy it again.", "Take a smaller one."
MAX_BYTES = 1 << 32  # bytes of all files of a network
MAX_GRAPH_BYTES = {".onnx": 1 << 31, ".xml": 1 << 26}  # protobuf's own limit; an IR's graph of a few MB is a large one

Array = npt.NDArray[Any]
Run = Callable[[Array], dict[str, Array]]


@dataclass(frozen=True)
class Port:
    """An input or output: its name, its shape (0 = any, empty = unknown) and its NumPy type."""

    name: str
    shape: tuple[int, ...]
    kind: str


@dataclass(frozen=True)
class NetFile:
    """What a network file says about itself.

    Attributes:
        path: ``.onnx`` or ``.xml``.
        inputs, outputs: in the file's order.
        about: an ONNX file's metadata; an IR's conversion parameters.
        sha256: of all its files.
    """

    path: Path
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    about: Mapping[str, str]
    sha256: str

    @property
    def picture(self) -> Port:
        """The one input, which takes pictures.

        Raises:
            InputError: if there are several inputs, or its shape is none of pictures.
        """
        if len(self.inputs) != 1:
            found = ", ".join(port.name for port in self.inputs[:4])
            raise InputError(
                f"the network takes {len(self.inputs)} inputs ({found}), not one picture",
                file=self.path,
                remedy="Export only the part that takes pictures.",
            )
        port = self.inputs[0]
        colour = [place for place in (-3, -1) if len(port.shape) in (3, 4) and port.shape[place] in (0, 3)]
        if not colour or port.kind not in ("float32", "float16", "uint8"):
            raise InputError(
                f"the input must be (B, 3, H, W) or (B, H, W, 3) numbers, got {port.kind} {list(port.shape)}",
                file=self.path,
                remedy="Export it for colour pictures.",
            )
        return port


def read_netfile(path: str | Path) -> NetFile:
    """Read what a network file says about itself; nothing is compiled.

    Raises:
        InputError: if a file is missing, too large, no such network, or refers to files outside its folder.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise InputError("no network file", file=path, remedy="Give .onnx, or .xml with its .bin beside it.")
    size = check_file(path, what="network")
    if size > MAX_GRAPH_BYTES[path.suffix]:
        raise InputError(f"{size / 1e6:,.0f} MB is too large for a {path.suffix} network", file=path, remedy=SMALLER)
    return _read_onnx(path) if path.suffix == ".onnx" else _read_ir(path)


def _read_onnx(path: Path) -> NetFile:
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
        constants = {tensor.name for tensor in model.graph.initializer}
        inputs = tuple(_onnx_port(value) for value in model.graph.input if value.name not in constants)
        outputs = tuple(_onnx_port(value) for value in model.graph.output)
    except Exception as error:  # protobuf raises errors of its own
        raise InputError(f"not an ONNX network ({type(error).__name__})", file=path, remedy=COPY_AGAIN) from error
    if not inputs or not outputs:
        raise InputError("not an ONNX network (it has no input or no output)", file=path, remedy=COPY_AGAIN)
    check_onnx(model, path)
    others = _external(path, model)
    return NetFile(path, inputs, outputs, {p.key: p.value for p in model.metadata_props}, _sha256([path, *others]))


def _onnx_port(value: Any) -> Port:
    from onnx import helper

    tensor = value.type.tensor_type
    kind = str(np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type))) if tensor.elem_type else ""
    return Port(value.name, tuple(max(0, d.dim_value) for d in tensor.shape.dim), kind)


def _external(path: Path, model: Any) -> list[Path]:
    """The files that hold tensors of an ONNX file; only files beside it are allowed."""
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    names: set[str] = set()
    for tensor in _get_all_tensors(model):
        if uses_external_data(tensor):
            names |= {entry.value for entry in tensor.external_data if entry.key == "location"}
    for name in names:
        if name in ("", ".", "..") or Path(name).name != name or "\\" in name:
            raise InputError(f"it takes tensors from {name!r}, outside its folder", file=path, remedy="Do not use it.")
    return _bounded(path, [path.with_name(name) for name in sorted(names)])


def _read_ir(path: Path) -> NetFile:
    with open(path, "rb") as file:
        if b"<net" not in file.read(4096):
            raise InputError("not an OpenVINO network (no <net> in it)", file=path, remedy=COPY_AGAIN)
    weights = path.with_suffix(".bin")
    if not weights.is_file():
        raise InputError("its weights are missing", file=weights, remedy="Copy the .bin beside the .xml.")
    others = _bounded(path, [weights])
    try:
        with bounded_memory():
            model = core().read_model(str(path))
        inputs, outputs = ([_ir_port(p, k) for k, p in enumerate(ports)] for ports in (model.inputs, model.outputs))
        about = _conversion(model)
    except Exception as error:  # RuntimeError, or what its binding raises on names that are no UTF-8
        raise _failed(error, f"OpenVINO cannot read this network ({_last_line(error)})", path) from error
    check_model(model, path)
    return NetFile(path, tuple(inputs), tuple(outputs), about, _sha256([path, *others]))


def _ir_port(port: Any, number: int) -> Port:
    shape = port.get_partial_shape()
    sides = tuple(0 if d.is_dynamic else d.get_length() for d in shape) if shape.rank.is_static else ()
    return Port(_name(port, number), sides, str(np.dtype(port.get_element_type().to_dtype())))


def _name(port: Any, number: int) -> str:
    return str(port.get_any_name()) if port.get_names() else f"output{number}"


def _conversion(model: Any) -> dict[str, str]:
    """The parameters of OpenVINO's converter that an IR keeps: mean and scale that are in the network already."""
    try:
        kept = model.get_rt_info(["conversion_parameters"]).astype(dict)
        return {str(key): str(value.astype(str)) for key, value in kept.items()}
    except Exception:  # an IR of another age keeps none
        return {}


def _bounded(path: Path, others: Sequence[Path]) -> list[Path]:
    size = path.stat().st_size + sum(check_file(other, what="weights") for other in others)
    if size > MAX_BYTES:
        raise InputError(f"{size / 1e6:,.0f} MB are more than {MAX_BYTES / 1e6:,.0f} MB", file=path, remedy=SMALLER)
    return list(others)


def _sha256(files: Sequence[Path]) -> str:
    """SHA-256 of one file, or of the hashes of several."""
    digests = [sha256_file(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def compile_netfile(net: NetFile, *, backend: str = "openvino", device: str = "cpu", shape: Sequence[int] = ()) -> Run:
    """Compile a network for float32 arithmetic.

    Args:
        net: of :func:`read_netfile`.
        backend: ``openvino`` (a CPU) or ``onnxruntime`` (``.onnx`` only).
        device: ``cpu`` or ``cuda``, for ONNX Runtime.
        shape: make the input's shape this one (0 = any), for OpenVINO.

    Returns:
        A function of the input that gives the outputs by name; safe in threads, one at a time.

    Raises:
        InputError: if the library cannot run this network, or not with that shape.
    """
    if backend == "onnxruntime":
        return _onnxruntime(net, device)
    library = openvino()

    def build() -> Any:
        model = core().read_model(str(net.path))
        if shape:
            model.reshape({0: library.PartialShape([side or -1 for side in shape])})
        check_model(model, net.path)
        return model

    try:
        with bounded_memory():
            compiled = compile_network(build, key=f"{net.sha256} {list(shape)}")
    except Exception as error:  # RuntimeError, or what its binding raises on names that are no UTF-8
        raise _failed(error, f"OpenVINO cannot read this network ({_last_line(error)})", net.path) from error
    request, names = compiled.create_infer_request(), [_name(port, k) for k, port in enumerate(compiled.outputs)]

    def run(batch: Array) -> dict[str, Array]:
        request.infer([batch])
        return {name: np.array(request.get_output_tensor(k).data) for k, name in enumerate(names)}

    return _Compiled(run, net, backend, device, tuple(shape))


class _Compiled:
    """A compiled network; a copy of it (another process's) is compiled anew."""

    def __init__(self, run: Run, net: NetFile, backend: str, device: str, shape: tuple[int, ...]) -> None:
        self._run, self._net, self._lock = run, net, Lock()
        self._made_of = net, backend, device, shape

    def __call__(self, batch: Array) -> dict[str, Array]:
        """Run with the input's own type, one caller at a time."""
        kind = self._net.inputs[0].kind if self._net.inputs else "float32"
        try:
            with self._lock, bounded_memory() if self._made_of[2] == "cpu" else nullcontext():
                return self._run(np.ascontiguousarray(batch, np.dtype(kind)))
        except Exception as error:  # each library has its own; a wrong shape is the usual reason
            what = f"the network fails on an input of shape {list(batch.shape)} ({_last_line(error)})"
            raise _failed(error, what, self._net.path, "Export it for this size, or for any.") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return _compile_again, self._made_of


def _compile_again(net: NetFile, backend: str, device: str, shape: tuple[int, ...]) -> Run:
    return compile_netfile(net, backend=backend, device=device, shape=shape)


def _onnxruntime(net: NetFile, device: str) -> Run:
    import onnxruntime

    if net.path.suffix != ".onnx":
        raise InputError("only OpenVINO runs this network", file=net.path, remedy="Leave the backend out.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are reported in our own line
    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    providers = [p for p in [*wanted, "CPUExecutionProvider"] if p in onnxruntime.get_available_providers()]
    try:
        # without its fallback, which prints to standard output, where --json answers
        with bounded_memory() if providers == ["CPUExecutionProvider"] else nullcontext():
            session = onnxruntime.InferenceSession(str(net.path), options, providers=providers, enable_fallback=0)
    except Exception as error:
        raise _failed(error, f"ONNX Runtime cannot read this network ({str(error).strip()[:150]})", net.path) from error
    name, outputs = session.get_inputs()[0].name, [port.name for port in session.get_outputs()]

    def run(batch: Array) -> dict[str, Array]:
        return {key: np.asarray(value) for key, value in zip(outputs, session.run(None, {name: batch}), strict=True)}

    return _Compiled(run, net, "onnxruntime", device, ())


def _failed(error: Exception, what: str, path: Path, remedy: str = COPY_AGAIN) -> InputError:
    """What is said of a library's error."""
    if isinstance(error, InputError):
        return error
    return too_much(path) if is_memory(error) else InputError(what, file=path, remedy=remedy)


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1][:150]

"""What an untrusted network file may take of the machine: no loops, bounded nodes, bounded memory.

A file of a kilobyte can ask for any amount: ``Tile`` and ``Expand`` multiply what they are given, functions of an ONNX
file that call each other twice double at every level, and a ``Loop`` need not end. Loops and endless functions are
refused as the file is read. Memory is bounded while the network is compiled and while it runs, by the system's limit of
the process's address space, so that an allocation above it fails and the library says so. Where the shapes of the
arrays are known before anything is computed (OpenVINO), so are the bytes of each and the multiply-adds of all.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from packed_scenes.data.errors import InputError

LOOPS = {"Loop", "Scan", "TensorIterator"}
MAX_NODES = 20_000  # with functions written out; large networks have some thousands (compiling 10,000 takes 10 s)
MAX_NESTED = 3  # branches within branches; OpenVINO takes several times as long for each level
MAX_LIST = 1 << 20  # bytes that name a safetensors file's tensors; some 15,000 tensors
MAX_ARRAY = 2 << 30  # bytes of one array at the smallest input, weights among them
MAX_WORK = 1e13  # multiply-adds at the smallest input; the bundled detector takes 1.2e10 at 1280 px
MAX_MEMORY = 8 << 30  # bytes that a network may take beside what the process has
SHARE = 0.75  # of the machine's memory, if that is less

_NO_MEMORY = ("bad_alloc", "llocate", "exceeds the supported maximum", "SafeInt")  # of OpenVINO and ONNX Runtime
_lock, _held, _before = Lock(), 0, (0, 0)


class LimitError(InputError):
    """A network that asks for more than it may take, whichever library runs it."""


def check_onnx(model: Any, path: Path) -> None:
    """Refuse an ONNX network that loops, or is larger than it looks.

    Args:
        model: ``onnx.ModelProto``.
        path: for the message.

    Raises:
        InputError: if it has a loop, a function that calls itself, branches nested deeper than :data:`MAX_NESTED`, or
            more than :data:`MAX_NODES` nodes.
    """
    functions = {(one.domain, one.name): one for one in model.functions}
    sizes: dict[tuple[str, str], tuple[int, int]] = {}

    def size(nodes: Iterable[Any], inside: tuple[tuple[str, str], ...] = ()) -> tuple[int, int]:
        """How many nodes there are, with functions written out, and how deep branches are nested."""
        total, deepest = 0, 0
        for node in nodes:
            if node.op_type in LOOPS and not node.domain:
                raise _endless(path, node.op_type)
            parts = [(1, 0)]
            for attribute in node.attribute:
                for graph in (attribute.g, *attribute.graphs):
                    if graph.node:
                        count, depth = size(graph.node, inside)
                        parts.append((count, depth + 1))
            name = (node.domain, node.op_type)
            if name in functions:
                if name in inside:
                    raise _endless(path, f"function {node.op_type} that calls itself")
                if name not in sizes:
                    sizes[name] = size(functions[name].node, (*inside, name))
                parts.append(sizes[name])
            total += sum(count for count, _ in parts)
            deepest = max(deepest, *(depth for _, depth in parts))
            if total > MAX_NODES:
                raise _too_many(path)
            if deepest > MAX_NESTED:
                raise _nested(path)
        return total, deepest

    try:
        size(model.graph.node)
    except RecursionError as error:
        raise InputError("the network is nested too deeply", file=path, remedy="Take another one.") from error


def check_model(model: Any, path: Path) -> None:
    """Refuse a network that OpenVINO has read and that loops, or whose arrays alone are more than it may take.

    Args:
        model: ``openvino.Model``.
        path: for the message.

    Raises:
        InputError: if it has a loop, too many nodes, an array larger than :data:`MAX_ARRAY` whatever its input, more
            than :data:`MAX_WORK` to compute, or a ``Reshape`` into another number of values: OpenVINO 2026.4 does not
            check it and writes beyond its memory.
    """
    work = 0
    for count, node in enumerate(_nodes(model, path)):
        if count > 3 * MAX_NODES:  # constants count here, too
            raise _too_many(path)
        if node.get_type_name() == "Reshape" and not _keeps_count(node):
            raise InputError(
                "the network reshapes an array into another number of values", file=path, remedy="Export it again."
            )
        for port in node.outputs():
            if max(port.get_element_type().bitwidth, 1) * math.prod(_sides(port)) > 8 * MAX_ARRAY:
                raise LimitError(
                    f"the network asks for an array of more than {MAX_ARRAY / 1e9:.0f} GB", file=path,
                    remedy="Take a smaller one.",
                )  # fmt: skip
        work += _work(node)
        if work > MAX_WORK:
            raise LimitError(
                f"the network takes more than {MAX_WORK:.0e} multiplications", file=path, remedy="Take a smaller one."
            )


def _nodes(model: Any, path: Path, depth: int = 0) -> Iterator[Any]:
    """The nodes of a network and of its branches."""
    if depth > MAX_NESTED:
        raise _nested(path)
    for node in model.get_ops():
        kind = node.get_type_name()
        if kind in LOOPS:
            raise _endless(path, kind)
        yield node
        if kind == "If":
            yield from _nodes(node.get_then_body(), path, depth + 1)
            yield from _nodes(node.get_else_body(), path, depth + 1)


def _sides(port: Any) -> list[int]:
    """The sides of an array, 1 for what its input decides; of unknown rank: none."""
    shape = port.get_partial_shape()
    return [] if shape.rank.is_dynamic else [max(side.get_min_length(), 1) for side in shape]


def _work(node: Any) -> int:
    """Multiply-adds of a node: for each value of the larger side, how many it is made of, or goes into."""
    kind, out = node.get_type_name(), sum(math.prod(_sides(port)) for port in node.outputs())
    if kind == "MatMul":
        return out * [1, 1, *_sides(node.input_value(0))][-2 if node.get_attributes()["transpose_a"] else -1]
    if "Convolution" in kind:
        weights = node.input_value(2 if kind.startswith("Deformable") else 1)
        kernel = math.prod(_sides(weights)[2 if kind.startswith("Group") else 1 :])
        return kernel * (math.prod(_sides(node.input_value(0))) if "Backprop" in kind else out)
    return out


def _keeps_count(node: Any) -> bool:
    """Whether a Reshape keeps the number of values, as far as the shapes are known."""
    before, after = node.input(0).get_partial_shape(), node.output(0).get_partial_shape()
    if before.rank.is_dynamic or after.rank.is_dynamic:
        return True
    pattern = node.input_value(1).get_node()
    if before.is_dynamic and (pattern.get_type_name() != "Constant" or -1 in pattern.get_data()):
        return True  # one side is what is left
    known = [[side.get_length() for side in shape if side.is_static] for shape in (before, after)]
    copied = len(before) - len(known[0]) == len(after) - len(known[1])
    return not copied or math.prod(known[0]) == math.prod(known[1])


def too_much(path: Path) -> InputError:
    """What is said of a network that asks for more memory than it may take."""
    return LimitError(
        f"the network asks for more than {memory_limit() / 1e9:.0f} GB of memory", file=path,
        remedy="Take a smaller one, or a smaller picture.",
    )  # fmt: skip


def is_memory(error: Exception) -> bool:
    """Whether a library's error says that memory was refused; the text is all there is."""
    return isinstance(error, MemoryError) or any(text in str(error) for text in _NO_MEMORY)


def memory_limit() -> int:
    """Bytes that a network may take: :data:`MAX_MEMORY`, or a :data:`SHARE` of the machine's memory if that is less."""
    if not hasattr(os, "sysconf"):  # Windows
        return MAX_MEMORY
    return min(MAX_MEMORY, int(SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")))


def check_tensors(path: str | Path) -> None:
    """Refuse a safetensors file that lists more tensors than any network has: a million of them are read for minutes.

    Raises:
        InputError: if its list is longer than :data:`MAX_LIST` bytes, or it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path, remedy="Check its permissions.") from error
    if MAX_LIST < size < Path(path).stat().st_size:
        raise InputError(f"its list of tensors has {size:,} bytes", file=path, remedy="Take a smaller one.")


def _too_many(path: Path) -> InputError:
    return LimitError(f"the network has more than {MAX_NODES:,} nodes", file=path, remedy="Take a smaller one.")


def _nested(path: Path) -> InputError:
    return LimitError(
        f"the network has branches more than {MAX_NESTED} deep", file=path, remedy="Export it without them."
    )


def _endless(path: Path, what: str) -> InputError:
    return LimitError(
        f"the network has a {what}, whose end cannot be known", file=path, remedy="Export it without loops."
    )


@contextmanager
def bounded_memory(limit: int | None = None) -> Iterator[None]:
    """Let allocations fail that would bring the process ``limit`` bytes above what it has now; threads may nest it.

    Only where the system has such a limit and reports the size of a process (Linux).

    Args:
        limit: bytes; None = :func:`memory_limit`.
    """
    global _held, _before
    size = _address_space()
    if not size:
        yield
        return
    import resource

    with _lock:
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        if not _held:
            _before = soft, hard
        _held += 1
        wanted = size + (limit or memory_limit())
        bounds = [bound for bound in (_before[0], hard) if bound != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min([wanted, *bounds]), hard))
    try:
        yield
    finally:
        with _lock:
            _held -= 1
            if not _held:
                resource.setrlimit(resource.RLIMIT_AS, _before)


def _address_space() -> int:
    """Bytes of this process's address space; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0

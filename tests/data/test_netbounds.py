"""Networks of a few hundred bytes that ask for all memory or never end: one line, little memory."""

import threading
from itertools import pairwise

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from packed_scenes.data import netbounds
from packed_scenes.data.errors import InputError
from packed_scenes.data.netbounds import bounded_memory, is_memory
from packed_scenes.data.netfile import compile_netfile, read_netfile

resource = pytest.importorskip("resource", reason="no such limit here")
NODE = helper.make_node
BACKENDS = ["openvino", "onnxruntime"]
MEANS = NODE("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0)  # (B, 3)


@pytest.fixture(autouse=True)
def _not_kept(monkeypatch):
    monkeypatch.setenv("PACKED_SCENES_CACHE", "off")


def save(path, nodes, functions=(), **constants):
    """A network from (B, 3, 32, 32) to ``v`` (B, 3)."""
    values = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(
        nodes, "bomb", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 32, 32])],
        [helper.make_tensor_value_info("v", TensorProto.FLOAT, ["batch", 3])], values,
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)]
    model = helper.make_model(graph, opset_imports=opsets, functions=list(functions))
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


def mean_added(name):
    """Take the mean of an array and add it to ``m``."""
    return [
        NODE("Mul", [name, name], ["u"]),
        NODE("ReduceMean", ["u"], ["k"], keepdims=0),
        NODE("Add", ["m", "k"], ["v"]),
    ]


def tile(path):
    return save(path, [MEANS, NODE("Tile", ["m", "r"], ["t"]), *mean_added("t")], r=[1, 3_000_000_000])


def expand(path):
    by = [NODE("Unsqueeze", ["m", "a"], ["n"]), NODE("Expand", ["n", "r"], ["t"])]
    return save(path, [MEANS, *by, *mean_added("t")], a=[2], r=[1, 3, 4_000_000_000])


def fill(path):
    return save(path, [MEANS, NODE("ConstantOfShape", ["r"], ["t"]), *mean_added("t")], r=[200_000, 100_000])


def double(path):
    """A constant that is put behind itself, again and again; its size is not written anywhere."""
    nodes = [NODE("Concat", [f"c{k}"] * 4, [f"c{k + 1}"], axis=0) for k in range(18)]
    return save(path, [MEANS, *nodes, *mean_added("c18")], c0=np.ones(64, np.float32))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", [tile, expand, fill])
def test_networks_that_ask_for_all_memory(tmp_path, make, backend):
    path = make(tmp_path / "n.onnx")
    with pytest.raises(InputError, match=r"asks for (an array of )?more than . GB"):
        compile_netfile(read_netfile(path), backend=backend)(np.zeros((2, 3, 32, 32), np.float32))


@pytest.mark.parametrize("batch", [-1, 1])
def test_a_reshape_that_loses_values_would_write_beyond_its_memory(tmp_path, batch):
    from openvino import Model, Type, opset13, save_model

    x = opset13.parameter([batch, 3, 32, 32], Type.f32, name="x")
    for pattern, fine in (([0, 0], False), ([0, -1], True), ([-1, 1024], True), ([0, 0, 1024], True)):
        v = opset13.reshape(x, opset13.constant(np.array(pattern)), special_zero=True)
        save_model(Model([v], [x], "r"), str(tmp_path / "n.xml"), compress_to_fp16=False)
        if fine:
            assert read_netfile(tmp_path / "n.xml").inputs[0].name == "x"
        else:
            with pytest.raises(InputError, match="another number of values"):
                read_netfile(tmp_path / "n.xml")


def test_an_array_is_measured_in_bytes(tmp_path):
    from openvino import Model, Type, opset13, save_model

    for kind, fine in ((Type.u8, True), (Type.f32, False)):  # 1 GB, 4 GB
        x = opset13.parameter([1], kind, name="x")
        large = opset13.broadcast(x, opset13.constant(np.array([1, 1_000_000_000])))
        v = opset13.reduce_max(large, opset13.constant(np.array([0, 1])))
        save_model(Model([v], [x], "r"), str(tmp_path / "n.xml"), compress_to_fp16=False)
        if fine:
            assert read_netfile(tmp_path / "n.xml").inputs[0].name == "x"
        else:
            with pytest.raises(InputError, match="an array of more than 2 GB"):
                read_netfile(tmp_path / "n.xml")


def test_constants_that_grow_are_refused_before_they_do(tmp_path):
    with pytest.raises(InputError, match="asks for an array of more than 2 GB"):
        compile_netfile(read_netfile(double(tmp_path / "n.onnx")))


@pytest.mark.slow
def test_constants_that_grow_meet_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(netbounds, "MAX_MEMORY", 1 << 30)
    net = read_netfile(double(tmp_path / "n.onnx"))
    with pytest.raises(InputError, match=r"asks for more than . GB of memory"):
        compile_netfile(net, backend="onnxruntime")(np.zeros((2, 3, 32, 32), np.float32))


def test_a_loop_is_refused(tmp_path):
    scalar = [helper.make_tensor_value_info(n, k, []) for n, k in (("i", TensorProto.INT64), ("on", TensorProto.BOOL))]
    state, after = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", 3]) for n in ("s", "s2"))
    still = helper.make_tensor_value_info("on2", TensorProto.BOOL, [])
    nodes = [NODE("Identity", ["on"], ["on2"]), NODE("Add", ["s", "s"], ["s2"])]
    body = helper.make_graph(nodes, "body", [*scalar, state], [still, after])
    path = save(tmp_path / "n.onnx", [MEANS, NODE("Loop", ["n", "t", "m"], ["v"], body=body)], n=2**62, t=True)
    with pytest.raises(InputError, match="has a Loop, whose end cannot be known"):
        read_netfile(path)


def function(k, inner):
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)]
    nodes = [NODE(inner, ["a"], ["b"], domain="d" * k), NODE(inner, ["b"], ["c"], domain="d" * k)]
    return helper.make_function("d", f"f{k}", ["a"], ["c"], nodes, opsets)


def test_functions_that_call_functions(tmp_path):
    chain = [function(0, "Neg"), *(helper.make_function(
        "d", f"f{k}", ["a"], ["c"],
        [NODE(f"f{k - 1}", ["a"], ["b"], domain="d"), NODE(f"f{k - 1}", ["b"], ["c"], domain="d")],
        [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)],
    ) for k in range(1, 40))]  # fmt: skip
    call = [MEANS, NODE("f39", ["m"], ["v"], domain="d")]
    with pytest.raises(InputError, match="more than 20,000 nodes"):
        read_netfile(save(tmp_path / "n.onnx", call, chain))
    small = save(tmp_path / "s.onnx", [MEANS, NODE("f3", ["m"], ["v"], domain="d")], chain[:4])
    assert read_netfile(small).outputs[0].name == "v"
    own = function(1, "f1")
    with pytest.raises(InputError, match="function f1 that calls itself"):
        read_netfile(save(tmp_path / "o.onnx", [MEANS, NODE("f1", ["m"], ["v"], domain="d")], [own]))


def test_the_limit_goes_when_the_last_one_leaves():
    before = resource.getrlimit(resource.RLIMIT_AS)
    inside, leave = threading.Event(), threading.Event()

    def other():
        with bounded_memory(1 << 40):
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=other)
    with bounded_memory(1 << 30):
        thread.start()
        assert inside.wait(60)
    assert resource.getrlimit(resource.RLIMIT_AS)[0] > 0
    leave.set()
    thread.join()
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    with bounded_memory(1 << 28), pytest.raises(MemoryError) as raised:
        bytearray(1 << 33)
    assert is_memory(raised.value)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_chain_of_more_nodes_than_any_network_has_is_refused_before_it_is_compiled(tmp_path):
    names = ["m", *(f"r{k}" for k in range(25_000)), "v"]
    chain = [NODE("Relu", [a], [b]) for a, b in pairwise(names)]
    with pytest.raises(InputError, match=r"n\.onnx: the network has more than 20,000 nodes\. Take a smaller one\."):
        read_netfile(save(tmp_path / "n.onnx", [MEANS, *chain]))


def matrices(opset, x, count):
    """Square matrices one behind another, 8.6e9 multiply-adds each."""
    square = opset.broadcast(opset.reduce_mean(x, opset.constant(np.array([0, 1, 2, 3]))), opset.constant([2048, 2048]))
    made = square
    for _ in range(count):
        made = opset.matmul(made, square, False, False)
    return made


@pytest.mark.parametrize(("count", "fine"), [(1100, True), (1200, False)])
def test_multiplications_are_counted_before_one_is_done(tmp_path, count, fine):
    from openvino import Model, Type, opset13, save_model

    x = opset13.parameter([1, 3, 32, 32], Type.f32, name="x")
    save_model(Model([matrices(opset13, x, count)], [x], "m"), str(tmp_path / "n.xml"), compress_to_fp16=False)
    if fine:
        assert read_netfile(tmp_path / "n.xml").inputs[0].name == "x"
    else:
        with pytest.raises(InputError, match=r"more than 1e\+13 multiplications"):
            read_netfile(tmp_path / "n.xml")


def test_convolutions_count_each_value_of_their_kernels(tmp_path, monkeypatch):
    from openvino import Model, Type, opset13, save_model

    def weights(*shape):
        return opset13.constant(np.ones(shape, np.float32))

    even = ([1, 1], [0, 0], [0, 0], [1, 1])
    x = opset13.parameter([1, 4, 32, 32], Type.f32, name="x")
    for made, work in (
        (opset13.convolution(x, weights(8, 4, 3, 3), *even), 8 * 30 * 30 * 4 * 9),
        (opset13.group_convolution(x, weights(2, 4, 2, 3, 3), *even), 8 * 30 * 30 * 2 * 9),
        (opset13.convolution_backprop_data(x, weights(4, 8, 3, 3), [1, 1]), 4 * 32 * 32 * 8 * 9),
        (opset13.deformable_convolution(x, weights(1, 18, 30, 30), weights(8, 4, 3, 3), *even), 8 * 30 * 30 * 4 * 9),
    ):
        save_model(Model([made], [x], "c"), str(tmp_path / "n.xml"), compress_to_fp16=False)
        for limit, fine in ((1.1 * work + 20_000, True), (0.9 * work, False)):
            monkeypatch.setattr(netbounds, "MAX_WORK", limit)
            if fine:
                assert read_netfile(tmp_path / "n.xml").inputs[0].name == "x"
            else:
                with pytest.raises(InputError, match="multiplications"):
                    read_netfile(tmp_path / "n.xml")


def branch(inner=None, *, function=False):
    """Both branches of an ``If`` from ``m`` to ``o``, with ``inner`` nodes within the first."""
    out = helper.make_tensor_value_info("o", TensorProto.FLOAT, None)
    then = helper.make_graph(inner or [NODE("Neg", ["m"], ["o"])], "then", [], [out])
    other = helper.make_graph([NODE("Identity", ["m"], ["o"])], "other", [], [out])
    return [NODE("If", ["t"], ["o"], then_branch=then, else_branch=other)]


@pytest.mark.parametrize(("depth", "fine"), [(3, True), (4, False), (20, False)])
def test_branches_within_branches(tmp_path, depth, fine):
    import openvino

    nodes = None
    for _ in range(depth):
        nodes = branch(nodes)
    path = save(tmp_path / "n.onnx", [MEANS, *nodes, NODE("Identity", ["o"], ["v"])], t=True)
    if depth < 10:
        model = openvino.Core().read_model(str(path))
        openvino.save_model(model, str(tmp_path / "n.xml"), compress_to_fp16=False)
    for file in sorted(tmp_path.glob("n.[ox]*")):
        if fine:
            assert read_netfile(file).outputs
        else:
            with pytest.raises(InputError, match="branches more than 3 deep"):
                read_netfile(file)


def test_branches_within_functions_within_branches(tmp_path):
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)]
    functions, calls, last = [], [], "m"
    for k in range(4):  # each is called by the main graph first, and once more within a branch of the next
        body = branch([NODE(f"g{k - 1}", ["m", "t"], ["o"], domain="d")] if k else None)
        functions.append(helper.make_function("d", f"g{k}", ["m", "t"], ["o"], body, opsets))
        calls.append(NODE(f"g{k}", [last, "t"], [f"w{k}"], domain="d"))
        last = f"w{k}"
    end = NODE("Identity", ["w3"], ["v"])
    with pytest.raises(InputError, match="branches more than 3 deep"):
        read_netfile(save(tmp_path / "n.onnx", [MEANS, *calls, end], functions, t=True))
    end = NODE("Identity", ["w2"], ["v"])
    assert read_netfile(save(tmp_path / "n.onnx", [MEANS, *calls[:3], end], functions[:3], t=True)).outputs

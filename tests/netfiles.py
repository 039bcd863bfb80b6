"""Small networks in ONNX and OpenVINO IR, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]


def means_onnx(path: Path, shape: Shape, *, kind: int = TensorProto.FLOAT, extra: bool = False) -> Path:
    """(B, 3, H, W) or (B, H, W, 3) -> the means of the 4 quarters of every channel (B, 12), and a constant."""
    last = shape[-1] == 3
    nodes, name = [], "x"
    if last:
        nodes.append(helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]))
        name = "t"
    if kind != TensorProto.FLOAT:
        nodes.append(helper.make_node("Cast", [name], ["c"], to=TensorProto.FLOAT))
        name = "c"
    height, width = (shape[1], shape[2]) if last else (shape[2], shape[3])
    assert isinstance(height, int)
    assert isinstance(width, int)
    half = [height // 2, width // 2]
    nodes += [
        helper.make_node("AveragePool", [name], ["p"], kernel_shape=half, strides=half),
        helper.make_node("Flatten", ["p"], ["v"], axis=1),
    ]
    outputs = [helper.make_tensor_value_info("v", TensorProto.FLOAT, [shape[0], 12])]
    if extra:  # the map before it, an output of four axes
        outputs.insert(0, helper.make_tensor_value_info("p", TensorProto.FLOAT, [shape[0], 3, 2, 2]))
    graph = helper.make_graph(nodes, "means", [helper.make_tensor_value_info("x", kind, list(shape))], outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


def means_ir(path: Path, shape: Sequence[int], *, bgr: bool = False) -> Path:
    """The same as OpenVINO IR, float32; ``bgr`` notes that the converter turned the channels."""
    import openvino
    from openvino import opset13 as op

    x = op.parameter([side or -1 for side in shape], openvino.Type.f32, name="x")
    half = [shape[2] // 2, shape[3] // 2]
    pooled = op.avg_pool(x, half, [0, 0], [0, 0], half, True)
    v = op.reshape(pooled, op.constant(np.array([0, -1])), special_zero=True)
    v.get_output_tensor(0).set_names({"v"})
    model = openvino.Model([v], [x], "means")
    if bgr:
        model.set_rt_info("True", ["conversion_parameters", "reverse_input_channels"])
    openvino.save_model(model, str(path), compress_to_fp16=False)
    return path


def constant_onnx(
    path: Path, shape: Shape, outputs: dict[str, np.ndarray], metadata: dict[str, str] | None = None
) -> Path:
    """A network that gives the same arrays whatever it is shown."""
    nodes = [helper.make_node("ReduceMean", ["x"], ["m"], keepdims=0), helper.make_node("Mul", ["m", "zero"], ["z"])]
    constants = [numpy_helper.from_array(np.float32(0), "zero")]
    infos = []
    for name, value in outputs.items():
        constants.append(numpy_helper.from_array(value, f"{name}_value"))
        if value.dtype == np.float32:
            nodes.append(helper.make_node("Add", [f"{name}_value", "z"], [name]))
        else:
            nodes += [
                helper.make_node("Cast", ["z"], [f"{name}_z"], to=helper.np_dtype_to_tensor_dtype(value.dtype)),
                helper.make_node("Add", [f"{name}_value", f"{name}_z"], [name]),
            ]
        infos.append(
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), list(value.shape))
        )
    graph = helper.make_graph(
        nodes, "constant", [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))], infos, constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    for key, text in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, text
    onnx.save(model, str(path))
    return path

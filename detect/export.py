"""Write a network as ONNX that ONNX Runtime, OpenVINO and ultralytics read, for any batch, height and width."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.files import atomic_write

if TYPE_CHECKING:
    import torch

OPSET = 17


def export_onnx(path: str | Path, model: torch.nn.Module, *, names: list[str], card: dict[str, Any]) -> None:
    """Export an ultralytics detection model; output (B, 4 + classes, A): centre-size boxes in input pixels and scores.

    Args:
        card: plain values kept in the file's metadata under ``card`` (``object_px`` and ``confidence`` are read back).
    """
    import onnx
    import torch

    model = model.float().cpu().eval()
    head: Any = model.model[-1]  # type: ignore[index]
    head.export, head.dynamic, head.format = True, True, "onnx"
    axes = {"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}}
    try:
        with atomic_write(path) as temporary:
            with warnings.catch_warnings(), torch.inference_mode():
                warnings.simplefilter("ignore")  # the tracer's remarks on shapes, all of which are dynamic axes here
                torch.onnx.export(
                    model, (torch.zeros(1, 3, 256, 320),), str(temporary), opset_version=OPSET, dynamo=False,
                    input_names=["images"], output_names=["output0"], dynamic_axes=axes,
                )  # fmt: skip
            network = onnx.load(str(temporary))
            _halve(network)
            stride = int(max(model.stride))  # type: ignore[arg-type]
            about = {
                "names": dict(enumerate(names)), "stride": stride, "task": "detect", "batch": 1, "imgsz": [640, 640],
                "author": "packed-scenes", "license": "AGPL-3.0-or-later",
            }  # fmt: skip
            for key, value in {**about, "card": json.dumps(card)}.items():
                entry = network.metadata_props.add()
                entry.key, entry.value = key, str(value)
            onnx.save(network, str(temporary))
    finally:
        head.export, head.dynamic = False, False


def _halve(network: Any) -> None:
    """Store large float32 constants as float16, cast back when the network is loaded: half the file, all arithmetic
    in float32.
    """
    import onnx
    from onnx import helper, numpy_helper

    casts = []
    for constant in network.graph.initializer:
        if constant.data_type == onnx.TensorProto.FLOAT and len(constant.raw_data) > 1024:
            values = numpy_helper.to_array(constant)
            name = f"{constant.name}_float16"
            casts.append(helper.make_node("Cast", [name], [constant.name], to=onnx.TensorProto.FLOAT))
            constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name))
    for node in reversed(casts):
        network.graph.node.insert(0, node)

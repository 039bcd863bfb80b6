"""ONNX export of any embedder, checked against the original before it is kept."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np

from packed_scenes.data import InputError
from packed_scenes.data.files import atomic_write
from packed_scenes.data.pixels import Pixels
from packed_scenes.embed.embedder import Embedder

TOLERANCE = 1e-4
OPSET = 17


def export_onnx(embedder: Embedder, path: str | Path) -> float:
    """Write ``pixels`` (N, 3, H, W) float32 RGB 0…255 -> ``embedding`` (N, D) unit rows; N is free.

    What a crop needs and the calibration go along, so that :mod:`packed_scenes.embed.exported` reads the same embedder.

    Returns:
        The largest absolute difference from the original on test crops.

    Raises:
        InputError: if the suffix is not ``.onnx`` or the exported network differs by more than 1e-4.
    """
    import onnxruntime
    import torch

    path = Path(path)
    if path.suffix != ".onnx":
        raise InputError("the file must end in .onnx", file=path, remedy="Rename it.")
    network = embedder.network.cpu().to(memory_format=torch.contiguous_format)
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 255, (3, 3, network.height, network.width)).astype(np.float32)
    try:
        with atomic_write(path) as temporary:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the tracer's notes on shapes, which are fixed here
                torch.onnx.export(
                    network, (torch.from_numpy(pixels[:1]),), str(temporary), dynamo=False, opset_version=OPSET,
                    input_names=["pixels"], output_names=["embedding"],
                    dynamic_axes={"pixels": {0: "crops"}, "embedding": {0: "crops"}},
                )  # fmt: skip
            _add_card(temporary, embedder)
            session = onnxruntime.InferenceSession(str(temporary), providers=["CPUExecutionProvider"])
            with torch.inference_mode():
                expected = network(torch.from_numpy(pixels)).numpy()
            difference = float(np.abs(session.run(None, {"pixels": pixels})[0] - expected).max())
            if difference > TOLERANCE:
                raise InputError(f"the exported network differs by {difference:.2g}, more than {TOLERANCE}", file=path)
    finally:
        embedder.network.to(embedder.device)
    return difference


def _add_card(path: Path, embedder: Embedder) -> None:
    import onnx

    kept = {key: embedder.card[key] for key in ("name", "licence", "calibration") if key in embedder.card}
    card = kept | {"fit": embedder.card.get("fit", "letterbox"), **Pixels().to_card()}
    network = onnx.load(str(path))
    entry = network.metadata_props.add()
    entry.key, entry.value = "card", json.dumps(card)
    onnx.save(network, str(path))

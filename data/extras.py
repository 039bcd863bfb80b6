"""Which optional dependency group ("extra") brings which library, for messages that say how to install it."""

from __future__ import annotations

from importlib.util import find_spec

# library as it is imported -> extra of pyproject.toml
EXTRAS = {
    **dict.fromkeys(("torch", "torchvision", "ultralytics"), "train"),
    **dict.fromkeys(("pandas", "numba", "matplotlib", "seaborn", "umap", "plotly", "skimage"), "study"),
    **dict.fromkeys(("starlette", "uvicorn"), "app"),
    "streamlit": "simple",
    **dict.fromkeys(("ray", "fsspec"), "ray"),
    "pytorch_grad_cam": "explain",
    **dict.fromkeys(("onnx", "onnxruntime"), "onnx"),
    **dict.fromkeys(("igraph", "leidenalg"), "graph"),
    "fiftyone": "fiftyone",
    "supervision": "supervision",
}


def installed(library: str) -> bool:
    """Return whether a library can be imported, without importing it."""
    return find_spec(library) is not None


def remedy(library: str) -> str:
    """Return the command that installs a library that is missing."""
    extra = EXTRAS.get(library)
    wanted = library if extra is None else f"'packed-scenes[{extra}]'"
    return f"Install it: pip install {wanted}"

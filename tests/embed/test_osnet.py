from pathlib import Path

import numpy as np
import pytest
import torch

from packed_scenes.data import InputError
from packed_scenes.embed import Embedder
from packed_scenes.embed.osnet import WIDTHS, OSNet, load_osnet
from packed_scenes.embed.registry import OSNET

# As in the files that torchreid publishes (read there, written down here).
PUBLISHED = {
    "conv1.conv.weight": (64, 3, 7, 7), "conv1.bn.running_var": (64,), "conv2.0.conv1.conv.weight": (64, 64, 1, 1),
    "conv2.0.conv2a.conv1.weight": (64, 64, 1, 1), "conv2.0.conv2a.conv2.weight": (64, 1, 3, 3),
    "conv2.0.conv2b.1.bn.weight": (64,), "conv2.0.conv2d.3.conv2.weight": (64, 1, 3, 3),
    "conv2.0.gate.fc1.weight": (4, 64, 1, 1), "conv2.0.gate.fc2.bias": (64,),
    "conv2.0.conv3.conv.weight": (256, 64, 1, 1), "conv2.0.downsample.conv.weight": (256, 64, 1, 1),
    "conv2.2.0.conv.weight": (256, 256, 1, 1), "conv3.0.downsample.bn.bias": (384,),
    "conv4.1.conv3.bn.running_mean": (512,), "conv5.conv.weight": (512, 512, 1, 1), "fc.0.weight": (512, 512),
    "fc.1.running_mean": (512,),
}  # fmt: skip


def saved(tmp_path: Path, variant: str = "osnet_x0_25", **extra: torch.Tensor) -> Path:
    torch.manual_seed(0)
    path = tmp_path / f"{variant}.pth"
    tensors = {f"module.{k}": v for k, v in OSNet(variant).state_dict().items()}
    torch.save({"state_dict": tensors | extra, "epoch": 3}, path)
    return path


def test_names_shapes_and_size_are_the_published_ones() -> None:
    own = {key: tuple(value.shape) for key, value in OSNet().state_dict().items()}
    assert PUBLISHED.items() <= own.items()
    assert "conv2.1.downsample.conv.weight" not in own
    count = sum(p.numel() for p in OSNet().parameters())
    assert count == 2_169_508  # 2.2 million in the paper's table; the same as torchreid's without its classifier


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["osnet_x0_25", "osnet_x0_5"])
def test_published_files_load_and_describe(tmp_path: Path, variant: str) -> None:
    path = saved(tmp_path, variant, **{"module.classifier.weight": torch.zeros(7, 512)})
    network, found = load_osnet(path)
    assert found == variant
    assert network.features(torch.zeros(2, 3, 256, 128)).shape == (2, 512)
    embedder = Embedder.load(f"osnet={path}", device="cpu")
    crops = [np.random.default_rng(i).integers(0, 256, (90, 40, 3), dtype=np.uint8) for i in range(3)]
    vectors = embedder.embed_crops(crops)
    assert vectors.shape == (3, 512)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert len(embedder.weights_hash) == 64


def test_wrong_files_are_refused_with_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs its published weights"):
        Embedder.load("osnet")
    with pytest.raises(InputError, match="no such file"):
        Embedder.load(f"osnet={tmp_path / 'absent.pth'}")
    with pytest.raises(InputError, match=r"osnet_x0_25, not of osnet_x1_0"):
        Embedder.load(f"osnet_x1_0={saved(tmp_path)}")
    with pytest.raises(InputError, match=r"unknown.*IN\.weight|tensors are unknown"):
        load_osnet(saved(tmp_path, **{"conv2.0.IN.weight": torch.zeros(3)}))  # OSNet-IBN, OSNet-AIN
    other = tmp_path / "other.pth"
    torch.save({"fc.weight": torch.zeros(2, 2)}, other)
    with pytest.raises(InputError, match="no OSNet state dict"):
        load_osnet(other)
    torch.save(OSNet("osnet_x0_25"), other)  # a whole pickled model
    with pytest.raises(InputError, match="plain tensors"):
        load_osnet(other)
    other.write_bytes(b"not a file of torch")
    with pytest.raises(InputError, match="plain tensors"):
        load_osnet(other)
    with pytest.raises(InputError, match="Known: osnet_x1_0"):
        OSNet("osnet_x9")
    assert tuple(WIDTHS) == tuple(OSNET)

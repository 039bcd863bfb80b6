from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from packed_scenes.data import InputError
from packed_scenes.data.letterbox import GREY
from packed_scenes.embed.masking import (
    DeepLab,
    GrabCut,
    Threshold,
    apply_mask,
    is_plausible,
    make_masker,
    mask_sheet,
    masked_out,
)


def disc(height: int = 120, width: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """A red disc on a textured green ground, and its true mask."""
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal((70, 150, 80), 6, (height, width, 3)), 0, 255).astype(np.uint8)
    truth = np.zeros((height, width), np.uint8)
    cv2.circle(truth, (width // 2, height // 2), 30, 1, -1)
    image[truth > 0] = np.clip(rng.normal((190, 40, 40), 6, (int(truth.sum()), 3)), 0, 255).astype(np.uint8)
    image[5, 5] = (255, 0, 0)  # a speck
    return image, truth.astype(bool)


@pytest.mark.parametrize("masker", [Threshold(), GrabCut()], ids=["threshold", "grabcut"])
def test_masks_find_the_object_and_drop_specks(masker) -> None:  # type: ignore[no-untyped-def]
    image, truth = disc()
    mask = masker(image)
    assert mask.shape == truth.shape
    assert mask.dtype == bool
    assert (mask & truth).sum() / (mask | truth).sum() > 0.85
    assert not mask[5, 5]
    assert np.array_equal(mask, masker(image))


@pytest.mark.parametrize("masker", [Threshold(), GrabCut()], ids=["threshold", "grabcut"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 40), (33, 3), (64, 64)])
def test_crops_without_an_answer_stay_whole(masker, shape: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    assert masker(np.full((*shape, 3), 90, np.uint8)).all()


def test_what_stays_and_what_goes_make_the_crop() -> None:
    image, truth = disc()
    stays, goes = apply_mask(image, truth), masked_out(image, truth)
    assert (stays[~truth] == GREY).all()
    assert (goes[truth] == GREY).all()
    assert np.array_equal(np.where(truth[..., None], stays, goes), image)
    assert is_plausible(np.zeros((4, 4), bool)).all()


@pytest.mark.slow
def test_deeplab_runs_from_a_weights_file_and_says_what_is_wrong(tmp_path: Path) -> None:
    from torchvision.models import get_model

    name = "deeplabv3_mobilenet_v3_large"
    torch.manual_seed(0)
    network = get_model(name, weights=None, weights_backbone=None, num_classes=21, aux_loss=True)  # as published
    path = tmp_path / "deeplab.pth"
    torch.save(network.state_dict(), path)
    masker = make_masker(f"deeplab={path}", device="cpu")
    assert isinstance(masker, DeepLab)
    image, truth = disc()
    assert masker(image).shape == truth.shape
    assert masker.key["weights"] not in ("", "torchvision")
    with pytest.raises(InputError, match="no such file"):
        make_masker("deeplab=absent.pth")
    torch.save({"x": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="no weights of deeplabv3"):
        make_masker(f"deeplab={path}")(image)  # type: ignore[misc]


def test_deeplab_without_weights_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.error import URLError

    import torchvision.models

    def offline(*_: object, **__: object) -> None:
        raise URLError("offline")

    monkeypatch.setattr("packed_scenes.data.connection.reachable", lambda _: True)
    monkeypatch.setattr(torchvision.models, "get_model", offline)
    with pytest.raises(InputError, match="--mask deeplab=FILE"):
        make_masker("deeplab")(disc()[0])  # type: ignore[misc]


def test_names_and_keys() -> None:
    assert make_masker(None) is None
    assert make_masker("none") is None
    assert make_masker("threshold").key != make_masker("grabcut").key  # type: ignore[union-attr]
    assert Threshold(erode=0.1).key != Threshold().key
    for wrong in ("otsu", "grabcut=x"):
        with pytest.raises(InputError, match="Known: threshold"):
            make_masker(wrong)


def test_the_sheet_shows_crop_rest_and_removed(tmp_path: Path) -> None:
    images = [disc()[0], np.full((40, 40, 3), 90, np.uint8), disc(80, 160)[0]]
    share = mask_sheet(images, Threshold(), tmp_path / "sheet.png", size=40, columns=2)
    assert share == pytest.approx(1 / 3)
    picture = cv2.imread(str(tmp_path / "sheet.png"))
    assert picture.shape == (2 * 44, 2 * 128, 3)
    with pytest.raises(InputError, match="no crop"):
        mask_sheet([], Threshold(), tmp_path / "none.png")

"""Files of torch.save: plain ones are read, compressed ones and damaged checkpoints are refused."""

import zipfile

import pytest

from packed_scenes.data import InputError
from packed_scenes.data.torchfile import going_on_from, load_torch


def test_a_file_that_unpacks_to_more_than_itself_is_refused(tmp_path):
    torch = pytest.importorskip("torch")

    torch.save({"a": torch.zeros(1_000_000)}, tmp_path / "a.pt")
    assert load_torch(tmp_path / "a.pt")["a"].shape == (1_000_000,)
    with (
        zipfile.ZipFile(tmp_path / "a.pt") as old,
        zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    with pytest.raises(ValueError, match="compressed"):
        load_torch(tmp_path / "b.pt")


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\x80\x02]q\x00.", b"PK\x03\x04", b"{}"])
def test_every_damage_of_a_checkpoint_is_one_line(tmp_path, content):
    pytest.importorskip("torch")
    (tmp_path / "last.ckpt").write_bytes(content)
    with (
        pytest.raises(InputError, match=r"last\.ckpt: cannot go on from this checkpoint .*Delete it to begin anew\."),
        going_on_from(tmp_path / "last.ckpt"),
    ):
        load_torch(tmp_path / "last.ckpt")["network"]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\xff" * 99, b"{"])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_published_weights_of_any_content_are_one_line(tmp_path, name, content):
    pytest.importorskip("torch")
    from packed_scenes.embed.published import load_published

    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: not readable as plain tensors"):
        load_published(tmp_path / name)


def test_published_numbers_that_repeat_without_end_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    from packed_scenes.embed.published import load_published

    torch.save({"a": torch.zeros(1, dtype=torch.float16).expand(1 << 40)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="repeats its numbers"):
        load_published(tmp_path / "w.pth")

"""Arrays of others are read as they are, or refused before they take memory."""

import zipfile

import numpy as np
import pytest

from packed_scenes.data import InputError
from packed_scenes.data.npz import read_npz


def test_arrays_come_as_they_are(tmp_path):
    made = {"a": np.arange(6.0).reshape(2, 3), "b/c": np.array(["x", "yz"]), "d": np.zeros(0, np.int64)}
    for save, name in ((np.savez, "s.npz"), (np.savez_compressed, "c.npz")):
        save(tmp_path / name, **made)
        found = read_npz(tmp_path / name)
        assert set(found) == set(made)
        for key, value in made.items():
            np.testing.assert_array_equal(found[key], value)


def test_what_unpacks_to_far_more_than_the_file_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros(50_000_000, np.uint8))
    with pytest.raises(InputError, match=r"bomb\.npz: its arrays have 50 MB, more than they may\. Make it again\."):
        read_npz(tmp_path / "bomb.npz")
    np.savez(tmp_path / "large.npz", a=np.zeros(3_000_000, np.uint8))
    with pytest.raises(InputError, match="its arrays have 3 MB"):
        read_npz(tmp_path / "large.npz", max_bytes=2_000_000)


def test_members_that_share_their_bytes_count_each(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.zeros(1_000_000, np.uint8))
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        first = archive.infolist()[0]
        for _ in range(300):
            again = zipfile.ZipInfo("a.npy")
            for part in ("compress_type", "CRC", "compress_size", "file_size", "header_offset"):
                setattr(again, part, getattr(first, part))
            archive.filelist.append(again)
        archive._didModify = True  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="its arrays have 301 MB"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 100])
def test_damage_is_one_line(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz: no readable \.npz file .*Make it again\."):
        read_npz(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"none\.npz"):
        read_npz(tmp_path / "none.npz")


def test_objects_and_unusual_compressions_are_refused(tmp_path):
    np.savez(tmp_path / "o.npz", a=np.array([{}], object))
    with pytest.raises(InputError):
        read_npz(tmp_path / "o.npz")
    with zipfile.ZipFile(tmp_path / "l.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", b"x")
    with pytest.raises(InputError, match="unusual compression"):
        read_npz(tmp_path / "l.npz")

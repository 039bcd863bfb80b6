"""Folders by URL: memory stands for an object store, file:// for a shared folder."""

import pickle
import uuid

import numpy as np
import pytest

from packed_scenes import analyze
from packed_scenes.data import InputError
from packed_scenes.data.images import write_image
from packed_scenes.sources import sources
from packed_scenes.storage import Storage, StoredSource, is_url, list_stored
from tests.packed_scenes.conftest import paint


@pytest.fixture
def bucket():
    return f"memory://{uuid.uuid4().hex}"


@pytest.fixture(params=["memory", "file"])
def url(request, bucket, tmp_path):
    return bucket if request.param == "memory" else f"file://{tmp_path}/store"


def test_write_read_delete(url):
    store = Storage(url)
    assert store.read("a/b.bin") is None
    store.write("a/b.bin", b"one")
    store.write("a/b.bin", b"two")
    assert store.read("a/b.bin") == b"two"
    store.delete("a")
    store.delete("a")
    assert store.read("a/b.bin") is None


def test_pictures_of_a_store_are_those_of_a_folder(url, observer, tmp_path):
    store = Storage(url)
    for number, rows in enumerate([[[0, 1]], [[1, 2]]]):
        write_image(tmp_path / "local" / f"p{number}.png", paint(rows))
        store.write(f"p{number}.png", (tmp_path / "local" / f"p{number}.png").read_bytes())
    store.write(".hidden/x.png", b"")
    store.write("notes.txt", b"")
    here, there = sources(tmp_path / "local"), sources(url)
    assert [s.name for s in there] == [s.name for s in here]
    assert [s.fingerprint() for s in there] == [s.fingerprint() for s in here]
    assert [s.content() for s in there] == [s.content() for s in here]
    assert all(np.array_equal(a.scene().image, b.scene().image) for a, b in zip(here, there, strict=True))
    assert pickle.loads(pickle.dumps(there[0])) == there[0]
    local, stored = analyze(tmp_path / "local", observer=observer), analyze(url, observer=observer)
    assert [s.objects for s in local.scenes] == [s.objects for s in stored.scenes]
    assert [s.where for s in sources([there[0].where, url])] == [s.where for s in there]


def test_bad_pictures_and_addresses_are_one_line(bucket, observer):
    store = Storage(bucket)
    store.write("cut.png", b"\x89PNG")
    store.write("good.png", b"")
    with pytest.raises(InputError, match=r"cut\.png: (is no picture|cannot decode|the picture is cut off)"):
        sources(f"{bucket}/cut.png")[0].scene()
    with pytest.raises(InputError, match="no picture here"):
        list_stored(f"{bucket}/nothing")
    gone = StoredSource("gone", url=f"{bucket}/gone.png")
    with pytest.raises(InputError, match=r"gone\.png: no such file"):
        gone.scene()
    with pytest.raises(InputError, match="no way to this kind of storage"):
        list_stored("nonsense://bucket/x")


def test_what_is_a_url():
    assert is_url("s3://bucket/x")
    assert not is_url("C:/photos")
    assert not is_url(7)

import os
import pickle
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from packed_scenes.data import InputError
from packed_scenes.embed import Embedder, descriptors
from packed_scenes.embed.descriptors.cache import Cache
from packed_scenes.embed.descriptors.extraction import extract
from packed_scenes.embed.descriptors.matrix import load_matrix, load_table


@pytest.fixture
def crops(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    folder = tmp_path / "crops"
    folder.mkdir()
    for i in range(70):
        cv2.imwrite(str(folder / f"{i:02}.png"), rng.integers(0, 256, (30 + i % 9, 24, 3), dtype=np.uint8))
    return sorted(folder.iterdir())


def test_rows_are_those_of_the_embedder_in_the_order_given(crops: list[Path], tmp_path: Path) -> None:
    from packed_scenes.data import read_image

    embedder = Embedder.load("colour", device="cpu")
    order = np.random.default_rng(1).permutation(len(crops))
    mixed = [crops[i] for i in order]
    seen: list[tuple[int, int]] = []
    found = extract(mixed, "colour", cache=tmp_path / "c", device="cpu", progress=lambda *a: seen.append(a))
    wanted = embedder.embed_crops([read_image(p) for p in mixed])
    np.testing.assert_allclose(found.matrix, wanted, atol=1e-6)
    assert isinstance(found.matrix, np.memmap)
    assert found.matrix.dtype == np.float32
    assert found.paths == mixed
    assert found.card["computed"] == 70
    assert seen[-1] == (70, 70)
    again = extract(mixed, "colour", cache=tmp_path / "c", device="cpu", workers=1, batch=7)
    assert again.card["computed"] == 0
    assert np.array_equal(again.matrix, found.matrix)


def test_nothing_is_done_twice_when_files_move_grow_or_repeat(crops: list[Path], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = extract(crops[:40], "shape", cache=cache, device="cpu")
    moved = tmp_path / "elsewhere" / "renamed.png"
    moved.parent.mkdir()
    crops[3].rename(moved)
    copy = tmp_path / "copy.png"
    copy.write_bytes(crops[4].read_bytes())
    second = extract([moved, copy, copy, *crops[40:50]], "shape", cache=cache, device="cpu")
    assert second.card["computed"] == 10
    assert np.array_equal(second.matrix[:3], first.matrix[[3, 4, 4]])
    assert extract([*crops[41:45]], "shape", cache=cache, device="cpu", mask="threshold").card["computed"] == 4


def test_a_broken_file_is_told_and_costs_no_other_row(crops: list[Path], tmp_path: Path) -> None:
    crops[5].write_bytes(b"")
    crops[6].write_bytes(crops[7].read_bytes()[:60])
    found = extract([*crops[:10], tmp_path / "absent.png"], "colour", cache=tmp_path / "c", device="cpu")
    assert found.paths == [*crops[:5], *crops[7:10]]
    assert [path for path, _ in found.failed] == [crops[5], crops[6], tmp_path / "absent.png"]
    assert "empty" in found.failed[0][1]
    assert len(found.matrix) == 8
    with pytest.raises(InputError, match="none of the 2 pictures"):
        extract(crops[5:7], "colour", cache=tmp_path / "c", device="cpu")
    with pytest.raises(InputError, match="no picture"):
        extract([], "colour", cache=tmp_path / "c")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
def test_a_killed_extraction_loses_at_most_one_shard(crops: list[Path], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    code = f"""
        import os, signal
        from pathlib import Path
        from packed_scenes.embed.descriptors import cache, extract
        cache.Cache.__init__.__kwdefaults__["shard"] = 16
        paths = sorted(Path({str(crops[0].parent)!r}).iterdir())
        def die(done, total):
            if done >= 60:
                os.kill(os.getpid(), signal.SIGKILL)
        extract(paths, "colour", cache=Path({str(cache)!r}), device="cpu", batch=4, progress=die)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=Path(__file__).resolve().parents[2])
    assert done.returncode == -signal.SIGKILL
    found = extract(crops, "colour", cache=cache, device="cpu")
    assert 10 <= found.card["computed"] <= 70 - 60 + 16
    whole = extract(crops, "colour", cache=tmp_path / "new", device="cpu").matrix
    np.testing.assert_allclose(found.matrix, whole, atol=1e-6)  # the last bits of a sum follow batch size and threads


def test_an_interrupt_keeps_every_finished_row(crops: list[Path], tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(crops, "colour", cache=tmp_path / "c", device="cpu", batch=8, progress=stop)
    assert extract(crops, "colour", cache=tmp_path / "c", device="cpu").card["computed"] == 62


def test_the_cache_keeps_apart_what_differs_and_survives_damage(tmp_path: Path) -> None:
    one = Cache(tmp_path, {"name": "a", "weights": "1"}, dimension=2, shard=4)
    two = Cache(tmp_path, {"name": "a", "weights": "2"}, dimension=2)
    assert one.folder != two.folder
    contents = [bytes([i]) * 32 for i in range(10)]
    vectors = np.arange(20, dtype=np.float32).reshape(10, 2)
    one.add(contents, vectors)
    one.flush()
    assert len(list(one.folder.glob("shard-*"))) == 3
    order = [7, 0, 0, 9]
    found = one.gather([contents[i] for i in order], one.folder / "m.npy")
    assert np.array_equal(found, vectors[order])
    next(iter(sorted(one.folder.glob("shard-*")))).write_bytes(b"damaged")
    again = Cache(tmp_path, {"name": "a", "weights": "1"}, dimension=2, shard=4)
    assert len(again) in (6, 8)
    again.add(contents, vectors)
    again.flush()
    assert np.array_equal(again.gather(contents, again.folder / "n.npy"), vectors)


@pytest.mark.slow
def test_pretrained_features_keep_their_length_and_load_from_a_users_file(crops: list[Path], tmp_path: Path) -> None:
    from torchvision.models import mobilenet_v3_small

    torch.manual_seed(0)
    path = tmp_path / "mine.pth"
    torch.save(mobilenet_v3_small().state_dict(), path)
    found = extract(crops[:6], "mobilenet_v3_small", weights_file=path, cache=tmp_path / "c", device="cpu")
    assert found.matrix.shape == (6, 1024)
    assert not np.allclose(np.linalg.norm(found.matrix, axis=1), 1, atol=0.1)
    assert found.card["weights"] != ""
    with pytest.raises(InputError, match="no weights of mobilenet_v2"):
        extract(crops[:2], f"mobilenet_v2={path}", cache=tmp_path / "c")
    with pytest.raises(InputError, match="takes no weights file"):
        extract(crops[:2], "colour", weights_file=path, cache=tmp_path / "c")


@pytest.mark.slow
def test_names_come_from_the_one_registry_and_offline_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.error import URLError

    import torchvision.models

    assert {
        "default", "reference", "colour", "shape", "autoencoder", "resnet50", "mobilenet_v2", "mobilenet_v3_large",
        "efficientnet_b7", "osnet",
    } <= set(descriptors.names())  # fmt: skip

    def offline(*_: object, **__: object) -> None:
        raise URLError("offline")

    monkeypatch.setattr("packed_scenes.data.connection.reachable", lambda _: True)  # and the fetch fails all the same
    monkeypatch.setattr(torchvision.models, "get_model", offline)
    with pytest.raises(InputError, match=r"mobilenet_v2-\w+\.pth into .*mobilenet_v2=FILE"):
        Embedder.load("mobilenet_v2")


def matrix() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32"])
def test_matrices_are_mapped(tmp_path: Path, dtype: str) -> None:
    X = (matrix() * 9).astype(dtype)
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "plain.npz", features=X, paths=np.array([f"{i}.png" for i in range(50)]), k=np.int64(3))
    np.savez_compressed(tmp_path / "small.npz", X)
    for name in ("x.npy", "plain.npz", "small.npz"):
        found = load_matrix(tmp_path / name)
        assert isinstance(found, np.memmap)
        assert np.array_equal(found, X)
    assert load_table(tmp_path / "plain.npz").paths == [f"{i}.png" for i in range(50)]
    fortran = np.asfortranarray(X)
    np.savez(tmp_path / "f.npz", fortran)
    assert np.array_equal(load_matrix(tmp_path / "f.npz"), X)


@pytest.mark.parametrize("layout", ["list", "fixed", "columns"])
def test_parquet_brings_paths_and_labels(tmp_path: Path, layout: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    X = matrix()
    if layout == "columns":
        vectors = {f"f{i}": X[:, i] for i in range(6)}
    else:
        kind = pa.list_(pa.float32(), 6) if layout == "fixed" else pa.list_(pa.float64())
        vectors = {"embedding": pa.array(X.tolist(), kind)}
    table = pa.table(vectors | {"path": [f"{i}.png" for i in range(50)], "label": [i % 3 for i in range(50)]})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=7)
    found = load_table(tmp_path / "x.parquet")
    assert isinstance(found.matrix, np.memmap)
    np.testing.assert_allclose(found.matrix, X)
    assert found.paths is not None
    assert found.paths[4] == "4.png"
    assert found.labels == [str(i % 3) for i in range(50)]


def test_bad_matrices_say_what_is_wrong(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def saved(name: str, array: np.ndarray) -> Path:
        np.save(tmp_path / name, array)
        return tmp_path / name

    bad = matrix()
    bad[13, 2] = np.nan
    cases = {
        saved("nan.npy", bad): "row 13",
        saved("flat.npy", bad[0]): r"shape \(N, D\), got \(6,\)",
        saved("none.npy", bad[:0]): r"got \(0, 6\)",
        saved("text.npy", np.array([["a"]])): "numbers are needed",
        tmp_path / "absent.npy": "no such file",
    }
    (tmp_path / "x.csv").write_text("1,2")
    cases[tmp_path / "x.csv"] = "Known: .npy"
    for name in ("x.npy", "x.npz", "x.parquet"):
        (tmp_path / name).write_bytes(b"nonsense" * 9)
        cases[tmp_path / name] = "no readable"
    np.savez(tmp_path / "two.npz", a=matrix(), b=matrix())
    cases[tmp_path / "two.npz"] = "one two-dimensional"
    pq.write_table(pa.table({"embedding": [[1.0], [1.0, 2.0, 3.0], [1.0, 2.0]]}), tmp_path / "ragged.parquet")
    cases[tmp_path / "ragged.parquet"] = "different lengths"
    pq.write_table(pa.table({"embedding": [[1.0], None]}), tmp_path / "null.parquet")
    cases[tmp_path / "null.parquet"] = "no vector"
    pq.write_table(pa.table({"path": ["a"]}), tmp_path / "bare.parquet")
    cases[tmp_path / "bare.parquet"] = "neither a list column"
    for path, says in cases.items():
        with pytest.raises(InputError, match=says):
            load_matrix(path)


def test_pickles_open_on_trust_alone(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "boom"),)

    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps(Bomb()))
    rows = {f"{i}.png": row for i, row in enumerate(matrix())}
    (tmp_path / "rows.pkl").write_bytes(pickle.dumps(rows))
    objects = np.empty(50, object)
    objects[:] = list(matrix())
    np.save(tmp_path / "objects.npy", objects, allow_pickle=True)
    for name in ("bomb.pkl", "rows.pkl", "objects.npy"):
        with pytest.raises(InputError, match="--trust"):
            load_matrix(tmp_path / name)
    assert not (tmp_path / "boom").exists()
    found = load_table(tmp_path / "rows.pkl", trust=True)
    assert found.paths == list(rows)
    assert np.array_equal(found.matrix, matrix())
    assert np.array_equal(load_matrix(tmp_path / "objects.npy", trust=True), matrix())

"""Streams: the same scene whoever asks, whenever; wishes that are granted or refused."""

from __future__ import annotations

import pickle
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from packed_scenes.data.coco import read_coco
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import write_image
from packed_scenes.data.scene import Scene
from packed_scenes.data.synth import pool as pool_module
from packed_scenes.data.synth import scenes as scenes_module
from packed_scenes.data.synth.photometry import develop
from packed_scenes.data.synth.pool import STRIDE, Pool, rotate
from packed_scenes.data.synth.samples import SAMPLES
from packed_scenes.data.synth.scenes import SceneStream, generate, stream
from packed_scenes.data.synth.sources import CropFolder, DrawnGoods, MixedGoods
from packed_scenes.data.synth.spec import Layout, SceneSpec

SMALL: dict[str, Any] = {"size": (160, 200), "families": 5, "count": (5, 40)}


def same(one: Scene, other: Scene) -> bool:
    return one.name == other.name and np.array_equal(one.image, other.image) and one.truth == other.truth


@pytest.mark.slow
@pytest.mark.parametrize("layout", list(Layout))
def test_a_scene_depends_on_seed_and_index_alone(layout: Layout) -> None:
    spec = SceneSpec(layout=layout, **SMALL)
    in_order = list(islice(SceneStream(2, spec=spec), 5))
    fresh = SceneStream(2, spec=spec)
    assert same(fresh[4], in_order[4])
    assert same(fresh[1], in_order[1])
    assert same(next(SceneStream(2, spec=spec).scenes(start=3, step=2)), in_order[3])
    assert not np.array_equal(in_order[0].image, in_order[1].image)
    assert not np.array_equal(SceneStream(3, spec=spec)[0].image, in_order[0].image)


def test_workers_share_out_the_stream() -> None:
    whole = list(islice(stream(1, **SMALL), 6))
    parts = [list(islice(stream(1, **SMALL).scenes(start=k, step=2), 3)) for k in (0, 1)]
    assert all(same(parts[i % 2][i // 2], whole[i]) for i in range(6))


def test_a_stream_travels_to_worker_processes() -> None:
    whole = stream(1, **SMALL)
    assert same(pickle.loads(pickle.dumps(stream(1, **SMALL)))[2], whole[2])
    assert same(pickle.loads(pickle.dumps(whole))[3], whole[3])


@pytest.mark.slow
def test_what_is_kept_at_hand_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plenty = list(islice(stream(5, **SMALL), 3))
    monkeypatch.setattr(pool_module, "BUDGET", 200_000)
    tight = stream(5, **SMALL)
    assert all(same(tight[i], plenty[i]) for i in range(3))
    held = tight._pools.goods
    assert held._bytes <= 200_000 or len(held._textures) == 1
    assert held._bytes == sum(t.nbytes for t in held._textures.values())


@pytest.mark.slow
def test_memory_of_a_mixed_stream_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes_module, "SMALL", 100_000)
    many = stream(5, layout="mixed", mixture=(0.2, 0.4, 0.4), **SMALL)
    for scene in islice(many, 12):
        assert scene.truth is not None
    small = [*many._things.values(), many._pools.people, many._pools.signs, many._pools.tags]
    assert all(p._bytes <= p._budget or len(p._textures) == 1 for p in small)
    assert sum(p._budget for p in small) <= 1_200_000
    assert sum(p._bytes > 0 for p in small) > 3


def test_the_package_exports_the_functions() -> None:
    from packed_scenes import data

    assert data.synth.stream is stream
    assert data.synth.generate is generate
    assert set(dir(data.synth)) >= {"stream", "generate", "SceneSpec", "CropFolder", "sample_family"}


def test_generate_is_the_first_scene() -> None:
    assert same(generate(4, layout="scatter", **SMALL), stream(4, layout="scatter", **SMALL)[0])


@pytest.mark.parametrize("size", [(64, 64), (97, 301), (480, 333)])
def test_size_is_respected(size: tuple[int, int]) -> None:
    for layout in ("shelf", "crowd", "scatter"):
        assert generate(0, layout=layout, size=size, families=3, count=(3, 30)).image.shape == (*size, 3)


@pytest.mark.slow
def test_counts_are_about_what_was_asked_for() -> None:
    for number in (20, 80):
        scenes = islice(stream(6, size=(320, 320), families=8, count=(number, number)), 12)
        found = [len(s.truth) for s in scenes if s.truth is not None]
        assert 0.6 * number < np.median(found) < 1.6 * number


@pytest.mark.slow
def test_shelves_have_a_long_tail_of_identities() -> None:
    """Most identities of a shelf come a few times, a few come often, and variants of a family occur together."""
    copies: list[int] = []
    together = 0
    for scene in islice(stream(7, size=(320, 320), families=30, count=(80, 80)), 12):
        assert scene.truth is not None
        assert scene.truth.cluster is not None
        identity, times = np.unique(scene.truth.cluster, return_counts=True)
        copies += times.tolist()
        together += len(identity) - len(np.unique(identity // STRIDE))
    counts = np.array(copies)
    assert np.mean(counts <= 5) > 0.5
    assert np.mean(counts == 1) > 0.08
    assert counts.max() >= 12
    assert together > 12


def test_bare_shelves_hold_nothing_to_find() -> None:
    """Boards, rails, ceilings, floors, signs and people are no products."""
    for scene in islice(stream(8, bare=1.0, surround=1.0, clutter=1.0, **SMALL), 8):
        assert scene.truth is not None
        assert len(scene.truth) == 0
        assert scene.image.std() > 3


def test_layouts_differ_in_identity_numbers() -> None:
    """Goods, people and things never share an identity, so mixed streams can be clustered together."""
    seen = [generate(0, layout=layout, **SMALL).truth for layout in ("shelf", "crowd")]
    ranges = [
        set((t.cluster // STRIDE // pool_module.SALT).tolist()) for t in seen if t is not None and t.cluster is not None
    ]
    assert ranges == [{0}, {1}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"layout": "heap"}, {"size": (10, 640)}, {"size": (640, 9000)}, {"count": (5, 4)}, {"count": (0, 4)},
        {"visible": 1.5},
        {"photometry": -0.1}, {"mixture": (0.0, 0.0, 0.0)}, {"families": 0}, {"variants": 17}, {"colour": 3},
    ],
)  # fmt: skip
def test_wrong_wishes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        stream(0, **wrong)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="seed"):
        stream(-1)
    with pytest.raises(InputError, match="index"):
        stream(0, **SMALL)[-1]


def test_photometry_off_changes_nothing_and_on_keeps_the_form() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (73, 91, 3), dtype=np.uint8)
    assert np.array_equal(develop(picture.copy(), Random(0), strength=0.0, jpeg=0.0), picture)
    for seed in range(30):
        out = develop(picture.copy(), Random(seed), strength=1.0, jpeg=0.5)
        assert out.shape == picture.shape
        assert out.dtype == np.uint8
        assert np.array_equal(out, develop(picture.copy(), Random(seed), strength=1.0, jpeg=0.5))


def test_rotation_keeps_the_pixels() -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (9, 5, 4), dtype=np.uint8)
    assert np.array_equal(rotate(rotate(rgba, 90), -90), rgba)
    solid = np.full((40, 20, 4), 255, np.uint8)
    turned = rotate(solid, 30)
    assert abs(int((turned[..., 3] >= 128).sum()) - 800) < 40


def test_variants_of_a_family_look_different() -> None:
    goods = Pool(DrawnGoods(), 0, variants=4)
    for number in range(6):
        pictures = [goods.texture(i, 96) for i in goods.family(number)]
        assert 1 <= len(pictures) <= 4
        for a in range(len(pictures)):
            for b in range(a):
                assert pictures[a].shape != pictures[b].shape or not np.array_equal(pictures[a], pictures[b])


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("cola", "juice", "tea"):
        for k in range(3):
            write_image(tmp_path / name / f"{k}.png", rng.integers(0, 256, (60, 30, 3), dtype=np.uint8))
    return tmp_path


def test_folders_of_crops_become_goods(crops: Path) -> None:
    scene = generate(0, goods=CropFolder(crops), oblique=0.0, **SMALL)
    assert scene.truth is not None
    assert len(scene.truth) > 3
    mixed = MixedGoods([(0.5, CropFolder(crops)), (0.5, DrawnGoods())])
    assert same(generate(1, goods=mixed, **SMALL), generate(1, goods=mixed, **SMALL))


def test_bad_goods_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        CropFolder(tmp_path / "missing")
    for weights in ((0.0, 0.0), (-1.0, 2.0)):
        with pytest.raises(InputError):
            MixedGoods([(w, DrawnGoods()) for w in weights])


def test_the_samples_are_there_and_labelled() -> None:
    folder = Path(__file__).resolve().parents[3] / "assets" / "samples"
    scenes = {s.name: s for s in read_coco(folder / "annotations.json")}
    assert set(scenes) == set(SAMPLES)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3_000_000
    for name, options in SAMPLES.items():
        assert scenes[name].load().image.shape[:2] == options["size"]
        assert len(scenes[name].truth) > 80
    assert scenes["shelf"].truth.cluster is not None
    assert len(np.unique(scenes["shelf"].truth.cluster)) > 25

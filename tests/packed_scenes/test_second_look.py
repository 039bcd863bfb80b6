from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import Objects, Scene
from packed_scenes.data.images import read_image
from packed_scenes.data.shipped import ASSETS
from packed_scenes.detect.info import DetectionInfo
from packed_scenes.evaluation import with_low_scores
from packed_scenes.observe import Observer
from packed_scenes.second_look import doubtful, rescore_doubtful
from packed_scenes.settings import Settings
from packed_scenes.web.project.adding import observe
from packed_scenes.web.project.folder import ProjectFolder, import_zip
from packed_scenes.web.project.project import Project
from packed_scenes.web.project.sample import READY


def shelf(rng: np.random.Generator, *, goods: int = 12, low: int = 4) -> Objects:
    """Goods of one size, each look twice, and faint boxes of other sizes and looks."""
    look = np.eye(32, dtype=np.float32)
    corner = np.stack([np.arange(goods) * 50.0, np.zeros(goods)], 1)
    size = 40 * np.exp(rng.normal(0, 0.03, (goods, 2)))
    odd = np.stack([np.arange(low) * 200.0, np.full(low, 300.0)], 1)
    odd_size = np.stack([np.full(low, 150.0), 15.0 + np.arange(low)], 1)
    return Objects.from_boxes(
        np.concatenate([np.concatenate([corner, odd]), np.concatenate([corner + size, odd + odd_size])], 1),
        score=np.concatenate([rng.uniform(0.5, 0.95, goods), rng.uniform(0.36, 0.49, low)]).astype(np.float32),
        embedding=np.concatenate([look[np.arange(goods) // 2], look[goods : goods + low]]),
    )


def test_faint_boxes_unlike_the_goods_are_doubted() -> None:
    objects = shelf(np.random.default_rng(0))
    assert doubtful(objects).tolist() == [False] * 12 + [True] * 4
    kept = rescore_doubtful(objects, confidence=0.35)
    assert len(kept) == 12
    assert kept.object_id.tolist() == [str(i) for i in range(12)]
    assert (np.diff(kept.score) <= 0).all()
    assert len(rescore_doubtful(objects, confidence=0.1)) == 16


def test_the_look_or_the_size_of_a_sure_one_is_enough() -> None:
    objects = shelf(np.random.default_rng(1))
    vectors, boxes = objects.embedding.copy(), objects.xyxy.copy()  # type: ignore[union-attr]
    vectors[12] = vectors[0]
    boxes[13, 2:] = boxes[13, :2] + 41
    assert doubtful(objects.replace(embedding=vectors, xyxy=boxes)).tolist() == [False] * 14 + [True] * 2


def test_a_scene_that_repeats_nothing_or_shows_little_doubts_nothing() -> None:
    rng = np.random.default_rng(2)
    diverse = shelf(rng)
    boxes = diverse.xyxy.copy()
    boxes[:, 2:] = boxes[:, :2] + 10 * 1.7 ** np.arange(16)[:, None]
    alone = diverse.replace(embedding=np.eye(16, 32, dtype=np.float32), xyxy=boxes)
    assert not doubtful(alone).any()
    assert not doubtful(shelf(rng, goods=5)).any()
    assert not doubtful(diverse.replace(embedding=None)).any()
    assert len(rescore_doubtful(shelf(rng, goods=0, low=0), confidence=0.3)) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.36, 0.9))
def test_order_blocks_and_confidence_change_nothing_else(seed: int, confidence: float) -> None:
    rng = np.random.default_rng(seed)
    objects = shelf(rng, goods=int(rng.integers(6, 14)), low=int(rng.integers(0, 6)))
    mixed = rng.permutation(len(objects))
    whole = doubtful(objects)
    assert np.array_equal(doubtful(objects.select(mixed)), whole[mixed])
    assert np.array_equal(doubtful(objects, block=5), whole)
    every = rescore_doubtful(objects, confidence=0.35)
    if (objects.score[:6] >= confidence).all():
        some = rescore_doubtful(objects.select(objects.score >= confidence), confidence=confidence)
        assert {*map(tuple, some.xyxy.tolist())} == {*map(tuple, every.xyxy[every.score >= confidence].tolist())}


def test_the_observer_looks_again_unless_told_not_to() -> None:
    objects = shelf(np.random.default_rng(3))
    info = DetectionInfo((9, 9), 1.0, None, 1, None, 0.35, 16, "", "")
    bare = objects.replace(embedding=None)
    for again, count in ((True, 12), (False, 16)):
        observer = Observer(Settings(second_look=again))
        vars(observer)["detector"] = SimpleNamespace(detect_with_info=lambda image: (bare, info), confidence=0.35)
        vars(observer)["embedder"] = SimpleNamespace(
            embed=lambda image, xyxy: objects.embedding if len(xyxy) else np.zeros((0, 32), np.float32), dimension=32
        )
        scene = Scene(np.zeros((400, 900, 3), np.uint8), name="s")
        seen = observer.observe(scene)
        assert len(seen.objects) == count
        assert seen.detection.get("left_out") == (4 if again else None)
        assert len(observer.observe(scene, bare).objects) == 16
        every, told = observe(
            scene.image, observer
        )  # the workbench shows the same, and keeps the rest below its slider
        shown = every.xyxy[every.score >= told["confidence"]]
        assert {*map(tuple, shown.tolist())} == {*map(tuple, seen.objects.xyxy.tolist())}
        assert len(every) == 16


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shelf.jpg", "tray.jpg"])
def test_the_workbench_finds_what_analyze_finds(name: str, tmp_path: Path) -> None:
    observer, image = Observer(Settings()), read_image(ASSETS / "samples" / name)
    seen = observer.observe(Scene(image, name="s")).objects
    every, told = observe(image, observer)
    shown = every.select(every.score >= told["confidence"])
    assert {*map(tuple, shown.xyxy.tolist())} == {*map(tuple, seen.xyxy.tolist())}
    assert np.allclose(np.sort(shown.score), np.sort(seen.score))
    if name == "shelf.jpg":  # so does the sample as it ships
        import_zip(READY, tmp_path / "p")
        project = Project(ProjectFolder(tmp_path / "p"), roots=[], card={})
        shipped = project.document.columns["xyxy"][project.view().rows]
        assert {*map(tuple, shipped.tolist())} == {*map(tuple, seen.xyxy.tolist())}


def test_average_precision_sees_the_lowered_scores() -> None:
    objects = shelf(np.random.default_rng(4))
    found = rescore_doubtful(objects, confidence=0.35)
    every = with_low_scores(objects, found, 0.35)
    assert np.allclose(every.score[:12], objects.score[:12])
    assert np.allclose(every.score[12:], objects.score[12:] / 2)
    assert np.allclose(with_low_scores(objects, objects, 0.35).score, objects.score)

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data import InputError
from data.coco import write_coco
from data.labelled import LabelledScene
from data.objects import Objects
from detect import network
from detect.load import load_network
from detect.training.augment import Augmentation, crop, disturb
from detect.training.clutter import add_clutter
from detect.training.fit import adapt
from detect.training.job import Job
from detect.training.loop import Plan, Trainer, make_batch, prefetch
from detect.training.pool import Example, Mixture, Pool, fill
from tests.detect.fakes import picture


def example(size: int = 30, gap: int = 12) -> Example:
    image, boxes = picture(420, 300, size=size, gap=gap)
    return Example(image, boxes, np.zeros(len(boxes), np.int64))


def squares(count: int = 6) -> Pool:
    pool = Pool()
    for number in range(count):
        image, boxes = picture(200, 160, size=30 + 2 * number, gap=10)
        pool.add(image, boxes)
    return pool


PLAIN = Augmentation(colour=0, clutter=0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([64, 128, 320]))
def test_boxes_follow_the_pixels_through_the_crop(seed: int, size: int) -> None:
    cut = crop(example(), size, np.random.default_rng(seed), PLAIN)
    assert cut.image.shape == (size, size, 3)
    assert (cut.xyxy >= 0).all()
    assert (cut.xyxy <= size).all()
    for x1, y1, x2, y2 in cut.xyxy:
        inner = cut.image[int(np.ceil(y1 + 1)) : int(y2 - 1), int(np.ceil(x1 + 1)) : int(x2 - 1), 0]
        assert inner.size == 0 or inner.mean() > 225  # the square is white; blurred by the resize at its rim


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_clutter_cuts_or_drops_what_it_covers(seed: int) -> None:
    before = crop(example(), 320, np.random.default_rng(seed), PLAIN)
    after = add_clutter(before, np.random.default_rng(seed))
    assert len(after.xyxy) <= len(before.xyxy)
    assert (after.xyxy[:, 2:] > after.xyxy[:, :2]).all()
    assert (after.xyxy[:, :2] >= 0).all()
    assert len(after.class_id) == len(after.xyxy)


def test_disturbing_keeps_the_shape_and_nothing_at_zero() -> None:
    image = example().image
    assert disturb(image, np.random.default_rng(0), 0.0) is image
    for seed in range(20):
        changed = disturb(image, np.random.default_rng(seed), 1.0)
        assert (changed.shape, changed.dtype) == (image.shape, np.uint8)


def test_squeezed_crops_hold_narrower_objects() -> None:
    squeezed = replace(PLAIN, squeeze=(0.5, 0.51))
    cut = crop(example(), 320, np.random.default_rng(3), squeezed)
    inside = cut.xyxy[((cut.xyxy > 1) & (cut.xyxy < 319)).all(1)]
    side = inside[:, 2:] - inside[:, :2]
    assert len(inside)
    assert np.allclose(side[:, 0] / side[:, 1], 0.505, atol=0.01)


def test_dimmed_crops_lose_contrast() -> None:
    image = example().image
    plain, dim = (disturb(image, np.random.default_rng(1), 1e-3, dim=share) for share in (0.0, 1.0))
    assert 0.15 < dim.std() / plain.std() < 0.7


def test_dense_pictures_are_zoomed_in() -> None:
    image, boxes = picture(900, 900, size=8, gap=4)
    cut = crop(
        Example(image, boxes, np.zeros(len(boxes), np.int64)),
        320,
        np.random.default_rng(0),
        Augmentation(max_objects=50),
    )
    assert len(cut.xyxy) < 90


def test_pool_keeps_pictures_through_a_shard(tmp_path: Path) -> None:
    pool = squares(5)
    shards = list(fill(tmp_path, ((pool[i].image, pool[i].xyxy) for i in range(5)), shard=2))
    assert [s.name for s in shards] == ["0000.npz", "0001.npz", "0002.npz"]
    again = Pool()
    for shard in shards:
        again.extend(shard)
    assert len(again) == 5
    for i in range(5):
        assert np.array_equal(again[i].xyxy, pool[i].xyxy)
        assert np.abs(again[i].image.astype(int) - pool[i].image).mean() < 3
    (tmp_path / "bad.npz").write_bytes(b"x")
    with pytest.raises(InputError, match="not a shard"):
        again.extend(tmp_path / "bad.npz")


def test_mixture_passes_over_empty_pools() -> None:
    drawn = Mixture(((0.9, Pool()), (0.1, squares(1)))).draw(np.random.default_rng(0))
    assert len(drawn.xyxy)


def test_batches_depend_on_seed_and_step_alone() -> None:
    pool, plan = squares(), Plan(sizes=(64,), pixels=4 * 64 * 64)
    one, same, other = (make_batch(pool, plan, step) for step in (7, 7, 8))
    assert np.array_equal(one.images, same.images)
    assert np.array_equal(one.cxcywh, same.cxcywh)
    assert not np.array_equal(one.images, other.images)


def test_prefetch_keeps_the_order_and_passes_errors_on() -> None:
    assert list(prefetch(lambda step: step, 3, 9)) == [3, 4, 5, 6, 7, 8]  # type: ignore[arg-type, return-value]

    def fail(step: int) -> object:
        raise InputError("broken")

    with pytest.raises(InputError, match="broken"):
        next(prefetch(fail, 0, 4))  # type: ignore[arg-type]


def test_schedule_warms_up_stays_and_decays() -> None:
    plan = Plan(rate=1.0, warmup=10, steps=100, decay=20)
    rates = [plan.rate_at(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[50] == 1
    assert rates[90] == pytest.approx(0.5)
    assert (np.diff(rates[80:]) < 0).all()


TINY = Plan(sizes=(64,), pixels=4 * 64 * 64, warmup=2, steps=6, decay=2)


def test_a_resumed_training_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    def trainer() -> Trainer:
        torch.manual_seed(0)
        return Trainer(network.build(), TINY)

    whole, first, second = trainer(), trainer(), trainer()
    losses = [row["box"] for row in whole.run(squares())]
    assert len(losses) == 6
    list(first.run(squares(), until=3))
    first.save(tmp_path / "last.ckpt", note="x")
    assert second.resume(tmp_path / "last.ckpt") == {"note": "x"}
    assert [row["step"] for row in second.run(squares())] == [3, 4, 5]
    for a, b in zip(whole.average.state_dict().values(), second.average.state_dict().values(), strict=True):
        assert torch.allclose(a.float(), b.float(), atol=1e-5)
    (tmp_path / "bad.ckpt").write_bytes(b"x")
    with pytest.raises(InputError, match="cannot resume"):
        second.resume(tmp_path / "bad.ckpt")


def test_a_network_with_other_classes_takes_what_fits() -> None:
    one, three = network.build(), network.build(classes=3)
    left = adapt(three, one.state_dict())
    assert 0 < left < 20
    assert torch.equal(one.state_dict()["model.0.conv.weight"], three.state_dict()["model.0.conv.weight"])


def dataset(folder: Path, count: int = 4) -> Path:
    scenes = []
    for number in range(count):
        image, boxes = picture(220, 160, size=34, gap=8 + number)
        file = folder / f"{number}.png"
        cv2.imwrite(str(file), image)
        truth = Objects.from_boxes(boxes, cluster=np.zeros(len(boxes)))
        scenes.append(LabelledScene(file, file.stem, truth, size=(220, 160), categories=("square",)))
    write_coco(folder / "boxes.json", scenes)
    return folder / "boxes.json"


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plan, "__init__", _with(Plan.__init__, sizes=(96,), pixels=2 * 96 * 96))


def _with(init: object, **fixed: object) -> object:
    def wrapped(self: Plan, **options: object) -> None:
        init(self, **{**options, **fixed})  # type: ignore[operator]

    return wrapped


@pytest.mark.usefixtures("small_batches")
def test_fine_tuning_writes_weights_the_toolkit_takes_and_resumes(tmp_path: Path) -> None:
    data, out = dataset(tmp_path), tmp_path / "run"
    job = Job(data=data, out=out, steps=4, every=2)
    assert list(job.prepare()) == [3]
    rows = list(job.run())
    assert [r["step"] for r in rows if "AP" in r] == [1, 3]
    for name in ("detector.pt", "detector.onnx", "detector.json", "last.ckpt", "training.json", "training.png"):
        assert (out / name).stat().st_size > 0
    assert load_network(out / "detector.pt").card.names == ("object",)
    assert load_network(out / "detector.onnx").card.backend == "openvino"
    card = json.loads((out / "detector.json").read_text())
    assert card["recipe"] == "fine-tuned"
    more = Job(data=data, out=out, steps=5, every=5, resume=True)
    list(more.prepare())
    assert [r["step"] for r in more.run() if "AP" not in r] == [4]


@pytest.mark.usefixtures("small_batches")
def test_training_stops_when_nothing_improves(tmp_path: Path) -> None:
    job = Job(data=dataset(tmp_path), out=tmp_path / "run", steps=40, every=1, patience=2, weights="none")
    list(job.prepare())
    assert 0 < sum("AP" in row for row in job.run()) < 12


def test_classes_are_kept_on_request(tmp_path: Path) -> None:
    job = Job(data=dataset(tmp_path), keep_classes=True)
    list(job.prepare())
    assert job._names == ("square",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either labelled data or"),
        ({"data": Path("x.json"), "recipe": "packed"}, "either labelled data or"),
        ({"recipe": "other"}, "unknown recipe"),
        ({"recipe": "packed", "real": Path("/absent")}, "no such folder"),
        ({"data": Path("x.json"), "steps": 0}, "steps must be"),
        ({"data": Path("x.json"), "rate": 3.0}, "rate must"),
        ({"data": Path("x.json"), "resume": True}, "nothing to resume"),
    ],
)
def test_wishes_that_make_no_sense_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Job(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "message"), [("x.csv", "must be a YOLO"), (".", "expected one data.yaml")])
def test_data_that_is_none_is_named(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(Job(data=tmp_path / name).prepare())


def test_recipe_makes_scenes_and_stacks_from_the_seed() -> None:
    from detect.training.recipe import scenes

    made = list(itertools.islice(scenes(3), 3))
    again = list(itertools.islice(scenes(3), 3))
    for (image, boxes), (same, _) in zip(made, again, strict=True):
        assert image.dtype == np.uint8
        assert np.array_equal(image, same)
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes[:, 2:] <= [image.shape[1], image.shape[0]]).all()


def test_recipe_fills_its_pool_once(tmp_path: Path) -> None:
    from detect.training.recipe import Packed, prepare

    *counts, made = prepare(tmp_path, seed=1, count=2, root=None, held_out=1)
    assert counts == [2]
    assert isinstance(made, Packed)
    assert len(made.validation) == 1
    assert len(made.source.draw(np.random.default_rng(0)).image)
    *counts, _ = prepare(tmp_path, seed=1, count=2, root=None, held_out=0)
    assert counts == []


def test_micrographs_hold_out_their_test_part(tmp_path: Path) -> None:
    from detect.training.recipe import micrographs

    (tmp_path / "images").mkdir()
    rows = ["image,split,class,x1n,y1n,x2n,y2n"]
    for number, split in enumerate(["train", "test", "val", ""]):
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), np.zeros((50, 100, 3), np.uint8))
        rows.append(f"{number}.png,{split},cell,0.1,0.2,0.5,0.6")
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    train, test = list(micrographs(tmp_path)), list(micrographs(tmp_path, held_out=True))
    assert (len(train), len(test)) in ((3, 1), (2, 2))
    assert np.allclose(test[0][1], [[10, 10, 50, 30]])
    with pytest.raises(InputError, match=r"no boxes\.csv"):
        next(micrographs(tmp_path / "images"))


def test_cutouts_leave_the_white_ground() -> None:
    from detect.training.recipe import cut_out

    image = np.full((300, 200, 3), 255, np.uint8)
    assert cut_out(image) is None
    image[50:250, 60:140] = (200, 40, 40)
    thing = cut_out(image)
    assert thing is not None
    assert thing.picture.shape == (200, 80, 4)
    assert thing.render(100).shape == (100, 40, 4)


def test_stacks_are_flush_and_boxed_exactly() -> None:
    from detect.training.stacks import wall

    item = np.zeros((100, 60, 4), np.uint8)
    item[...] = (250, 250, 250, 255)
    stacked = 0
    for seed in range(6):
        image, boxes = wall([[item]], np.random.default_rng(seed))
        assert image.shape == (896, 896, 3)
        assert (boxes[:, 2:] - boxes[:, :2]).min() >= 5
        stacked += int((np.abs(boxes[:, None, 1] - boxes[None, :, 3]) < 3).any(0).sum())
    assert stacked > 20


def test_the_command_line_names_bad_data(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "scripts/train_detector.py", str(tmp_path / "none.json")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "none.json" in done.stderr
    assert "Traceback" not in done.stderr

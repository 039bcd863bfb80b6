"""Training a detector: pools, batches, the loop, whole jobs and the command."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from packed_scenes.data import InputError
from packed_scenes.data.coco import write_coco
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.data.objects import Objects
from packed_scenes.data.shipped import ASSETS
from packed_scenes.detect import network
from packed_scenes.detect.detector import Detector
from packed_scenes.detect.load import DEFAULT, load_network
from packed_scenes.detect.networks import Card, TorchNetwork
from packed_scenes.detect.training.brief import MAX_SHIFT, BriefTraining
from packed_scenes.detect.training.fit import Fit, adapt, blended
from packed_scenes.detect.training.job import Job
from packed_scenes.detect.training.loop import Plan, Trainer, make_batch
from packed_scenes.detect.training.pool import Mixture, Pool, fill
from tests.commands import call
from tests.detect.fakes import picture


def squares(count: int = 6) -> Pool:
    pool = Pool()
    for number in range(count):
        image, boxes = picture(200, 160, size=30 + 2 * number, gap=10)
        pool.add(image, boxes)
    return pool


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
    with pytest.raises(InputError, match=r"no readable \.npz file"):
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


def test_schedule_warms_up_stays_and_decays() -> None:
    plan = Plan(lr=1.0, warmup=10, steps=100, decay_steps=20)
    rates = [plan.lr_at(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[50] == 1
    assert rates[90] == pytest.approx(0.5)
    assert (np.diff(rates[80:]) < 0).all()


TINY = Plan(sizes=(64,), pixels=4 * 64 * 64, warmup=2, steps=6, decay_steps=2)


@pytest.mark.slow
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
    for a, b in zip(whole.ema.state_dict().values(), second.ema.state_dict().values(), strict=True):
        assert torch.allclose(a.float(), b.float(), atol=1e-5)
    (tmp_path / "bad.ckpt").write_bytes(b"x")
    with pytest.raises(InputError, match="cannot go on from this checkpoint"):
        second.resume(tmp_path / "bad.ckpt")


def test_averaged_weights_are_a_tenth_of_the_steps_old_on_average() -> None:
    plan, ages = Plan(ema_decay=0.999), [0.0]
    for step in range(900):  # mean age, in steps, of what the average holds
        ages.append((ages[-1] + 1) * plan.ema_decay_at(step))
    assert ages[300] == pytest.approx(300 / 10, rel=0.1)
    assert ages[900] == pytest.approx(900 / 10, rel=0.1)
    assert plan.ema_decay_at(10**6) == 0.999


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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.usefixtures("small_batches")
def test_blended_weights_lie_between_those_before_and_after(tmp_path: Path) -> None:
    ends = []
    for blend in (0.0, 0.25):
        job = Job(data=dataset(tmp_path), out=tmp_path / str(blend), steps=3, every=3, blend=blend)
        list(job.prepare())
        list(job.run())
        ends.append(network.read(tmp_path / str(blend) / "detector.pt")["state"])
    first = network.read(ASSETS / f"{DEFAULT}.pt")["state"]
    for name in ("model.0.conv.weight", "model.0.bn.weight"):
        trained, mixed = (end[name].float() for end in ends)
        expected = torch.lerp(trained, first[name].float(), 0.25)
        assert not torch.equal(trained, first[name].float())
        torch.testing.assert_close(mixed, expected, atol=2e-3, rtol=2e-3)  # files hold half precision


@pytest.mark.slow
def test_a_blend_measures_its_batch_normalisation_anew(tmp_path: Path) -> None:
    trained, first = network.build(), network.build()
    images = [np.random.default_rng(i).integers(0, 255, (2, 64, 64, 3), np.uint8) for i in range(3)]
    mixed = blended(trained, Fit(tmp_path, ("x",), start=first.state_dict(), blend=0.5), images=images)
    inputs = torch.from_numpy(np.stack(images)).permute(0, 1, 4, 2, 3).float() / 255
    with torch.no_grad():
        seen = torch.stack([mixed.get_submodule("model.0.conv")(batch) for batch in inputs])
    norm = mixed.get_submodule("model.0.bn")
    torch.testing.assert_close(norm.running_mean, seen.mean((0, 1, 3, 4)), atol=1e-5, rtol=1e-4)
    assert not mixed.training
    assert norm.momentum == trained.get_submodule("model.0.bn").momentum
    assert blended(trained, Fit(tmp_path, ("x",)), images=images) is trained


@pytest.mark.slow
@pytest.mark.usefixtures("small_batches")
def test_training_stops_when_nothing_improves(tmp_path: Path) -> None:
    job = Job(data=dataset(tmp_path), out=tmp_path / "run", steps=40, every=1, patience=2, start="none")
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
        ({"data": Path("x.json"), "lr": 3.0}, "lr must"),
        ({"data": Path("x.json"), "blend": 1.0}, "blend must"),
        ({"recipe": "packed", "blend": 0.5}, "needs weights to start from"),
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


def test_the_command_line_names_bad_data(tmp_path: Path) -> None:
    done = call("train-detector", tmp_path / "none.json", "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "none.json" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_brief_training_paces_itself_resumes_and_moves_its_scores(tmp_path: Path) -> None:
    start, checkpoint = ASSETS / f"{DEFAULT}.pt", tmp_path / "last.ckpt"
    pool = squares()
    short = BriefTraining(start, steps=1000, seconds=1e-3)
    assert list(short.run(pool)) == [1.0]  # one step is always done
    first = BriefTraining(start, steps=2)
    assert list(first.run(pool)) == [0.5, 1.0]
    first._trainer.save(checkpoint, spent=5.0)
    more = BriefTraining(start, steps=3, seconds=1e6)
    assert list(more.run(pool, checkpoint=checkpoint)) == [1.0]
    assert more.spent > 5
    image, _ = picture(220, 160, size=34, gap=8)
    card = Card(object_px=72.0)
    before = Detector(TorchNetwork(more.network, card, device="cpu"), confidence=0.01).detect(image)
    odds = lambda p: np.log(p / (1 - p))  # noqa: E731
    count = min(len(before), 5)
    for confidence, by in ((0.3, odds(0.5) - odds(0.3)), (0.01, MAX_SHIFT)):  # two photos may say what they like
        more.shift(confidence, 0.5)
        after = Detector(TorchNetwork(more.network, card, device="cpu"), confidence=0.01).detect(image)
        assert np.allclose(odds(after.score[:count]) - odds(before.score[:count]), by, atol=0.05)
        more.shift(0.5, 0.3 if confidence == 0.3 else 0.01)
    with pytest.raises(InputError, match="positive"):
        BriefTraining(start, steps=0)

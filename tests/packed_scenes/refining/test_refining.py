"""Refining a folder of crops: crops and cameras, the check, the review list, and the whole command."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from packed_scenes.cluster import membership_evidence
from packed_scenes.crops import read_crops
from packed_scenes.data import InputError
from packed_scenes.refining import Options, read_review, refine_crops
from packed_scenes.refining.check import hold_out, no_worse
from packed_scenes.refining.review import Links, review_csv

COLOURS = [(220, 40, 40), (40, 200, 60), (50, 70, 230), (230, 210, 40)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four things, each seen by two cameras three times."""
    rng = np.random.default_rng(0)
    root = tmp_path / "crops"
    root.mkdir()
    for thing, colour in enumerate(COLOURS):
        for camera in (1, 2):
            for number in range(3):
                crop = np.full((60, 40, 3), colour[::-1], np.uint8)
                crop[20:40, 5 + 6 * thing : 25 + 2 * thing] = 255 - crop[20:40, 5 + 6 * thing : 25 + 2 * thing]
                noisy = np.clip(crop + rng.normal(0, 6, crop.shape) - 10 * camera, 0, 255).astype(np.uint8)
                cv2.imwrite(str(root / f"t{thing}_n{number}_cam{camera}.png"), noisy)
    return root


def test_crops_cameras_and_lists(folder: Path, tmp_path: Path) -> None:
    crops = read_crops(folder, camera=r"cam(\d)")
    assert len(crops) == 24
    assert crops.camera is not None
    assert np.bincount(crops.camera).tolist() == [12, 12]
    wanted = tmp_path / "list.txt"
    wanted.write_text("t0_n0_cam1.png\nt1_n0_cam1.png\ngone.png\n")
    few = read_crops(folder, listed=wanted)
    assert few.names == ("t0_n0_cam1.png", "t1_n0_cam1.png")
    assert few.errors[0][0] == "gone.png"
    table = tmp_path / "cameras.csv"
    table.write_text("file,camera\n" + "\n".join(f"{name},east" for name in crops.names))
    assert set(read_crops(folder, camera=str(table)).camera.tolist()) == {0}
    for bad in ("kamera(\\d)", "cam\\d", "(", str(tmp_path / "no.csv")):
        with pytest.raises(InputError, match="camera"):
            read_crops(folder, camera=bad)
    with pytest.raises(InputError, match="no such folder"):
        read_crops(folder / "none")


def test_held_crops_are_part_of_what_is_trusted_and_are_judged() -> None:
    rng = np.random.default_rng(0)
    labels = np.concatenate([np.repeat(np.arange(2), 10), 2 + np.repeat(np.arange(10), 2)])
    centre = np.eye(16)[:12]
    X = (centre[labels] + 0.05 * rng.standard_normal((40, 16))).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    trusted = np.ones(40, bool)
    trusted[0] = False
    held = hold_out(X, labels, trusted, ambiguous=0.5, seed=0)
    assert trusted[held.rows].all()
    large = np.bincount(labels[held.rows], minlength=12)
    assert large[:2].tolist() == [1, 2]  # a fifth of nine, and of ten
    assert sorted(large[2:])[-2:] == [2, 2]  # two of ten pairs, whole
    assert large[2:].sum() == 4
    good, bad = held.separation(X), held.separation(rng.permutation(X))
    assert good.mean() > 0.8 > bad.mean()
    assert no_worse(good, good)
    assert no_worse(bad, good)
    assert not no_worse(good, bad)
    assert not no_worse(np.zeros(0), np.zeros(0))


def test_decisions_become_links(tmp_path: Path) -> None:
    names = [f"{i}.png" for i in range(6)]
    X = np.eye(6)[[0, 0, 0, 1, 1, 2]] + 0.01
    labels = np.array([0, 0, 0, 1, 1, -1])
    text = review_csv(names, labels, membership_evidence(X, labels, threshold=0.2))
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["file"] for row in rows} == set(names)
    assert rows[0]["file"] == "5.png"  # the outlier is the most doubtful
    assert all(row["central"] in ("0.png", "1.png", "2.png", "3.png", "4.png", "") for row in rows)
    words = {"1.png": "move", "2.png": "apart", "4.png": "keep", "5.png": "same 3.png", "0.png": "not 3.png"}
    for row in rows:
        row["decision"] = words.get(row["file"], "noise" if row["file"] == "3.png" else "")
    edited = tmp_path / "review.csv"
    with open(edited, "w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    found = read_review(edited, names)
    assert found.decided == 6
    assert ("5.png", "3.png") in found.links.same
    assert ("0.png", "3.png") in found.links.different
    assert found.links.noise == ("3.png",)
    pairs = found.links.rows(names)
    assert {"must_link", "cannot_link"} == set(pairs)
    for word, match in (("perhaps", "unknown decision"), ("same 9.png", "no crop is called")):
        edited.write_text(f"file,central,decision\n1.png,0.png,{word}\n")
        with pytest.raises(InputError, match=match):
            read_review(edited, names)
    with pytest.raises(InputError, match="said to be different"):
        Links(same=(("0.png", "1.png"), ("1.png", "2.png")), different=(("0.png", "2.png"),)).rows(names)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A tiny untrained network as weights file."""
    import torch

    from packed_scenes.embed.networks import LayoutNet
    from packed_scenes.embed.weights import save_weights

    torch.manual_seed(0)
    options = {"width": 32, "height": 48, "channels": [4, 8, 8, 8], "dimension": 16}
    network = LayoutNet(width=32, height=48, channels=(4, 8, 8, 8), dimension=16)
    card = {"architecture": "layout", "fit": "letterbox", "options": options, "calibration": {"threshold": 0.002}}
    save_weights(tmp_path / "start.safetensors", network.state_dict(), card)
    return tmp_path / "start.safetensors"


@pytest.mark.slow
def test_rounds_are_resumed_and_repeat(folder: Path, start: Path, tmp_path: Path, monkeypatch: Any) -> None:
    options = Options(embedder=str(start), rounds=1, steps=3)
    crops = read_crops(folder, camera=r"cam(\d)")
    one = refine_crops(crops, options=options, work=tmp_path / "work")
    assert [r.number for r in one.history] == [0, 1]
    monkeypatch.setattr("packed_scenes.refining.loop.train_round", lambda *a, **k: pytest.fail("trained again"))
    two = refine_crops(crops, options=options, work=tmp_path / "work")
    assert one.history == two.history
    assert (one.vectors == two.vectors).all()
    with pytest.raises(InputError, match="cannot be refined"):
        refine_crops(crops, options=Options(embedder="colour"), work=tmp_path / "work")


@pytest.mark.slow
def test_the_command_writes_its_folder_and_honours_a_review(folder: Path, start: Path, tmp_path: Path) -> None:
    from packed_scenes.cli.refine import app
    from packed_scenes.embed import Embedder

    out = tmp_path / "out"
    (folder / "t9_broken.png").write_bytes(b"no picture")
    arguments = [str(folder), "--embedder", str(start), "--rounds", "1", "--steps", "2", "--out", str(out), "--json"]
    ran = CliRunner().invoke(app, [*arguments, "--truth", r"(t\d)_"])
    assert ran.exit_code == 0, ran.exception
    assert "broken.png" in (out / "errors.csv").read_text()
    (folder / "t9_broken.png").unlink()
    ran = CliRunner().invoke(app, [*arguments, "--truth", r"(t\d)_"])
    assert ran.exit_code == 0, ran.exception
    record = json.loads(ran.stdout.splitlines()[-1])
    assert record["counts"]["crops"] == 24
    assert not (out / "errors.csv").exists()
    assert set(record["scores"]) == {f"{w}, {m}" for w in ("before", "after") for m in ("as labelled", "default")}
    for name in ("labels.csv", "review.csv", "history.csv", "clusters.png", "before.png", "run.json"):
        assert (out / name).stat().st_size > 0
    assert Embedder.load(out / "embedder.safetensors").dimension == 16
    review = out / "review.csv"
    review.write_text("file,central,decision\nt0_n0_cam1.png,,same t1_n0_cam1.png\nt2_n0_cam1.png,,noise\n")
    ran = CliRunner().invoke(app, [*arguments, "--review", str(review)])
    assert ran.exit_code == 0, ran.exception
    labels = {row["file"]: row["cluster"] for row in csv.DictReader((out / "labels.csv").open())}
    assert labels["t0_n0_cam1.png"] == labels["t1_n0_cam1.png"]
    assert labels["t2_n0_cam1.png"] == "-1"


def test_explain_draws_pairs_and_clusters(folder: Path, start: Path, tmp_path: Path) -> None:
    from packed_scenes.cli.explain import app

    out = tmp_path / "why"
    a, b = (str(folder / f"t0_n{i}_cam1.png") for i in (0, 1))
    for embedder in (str(start), "colour"):
        ran = CliRunner().invoke(app, [a, b, "--embedder", embedder, "--out", str(out), "--json"])
        assert ran.exit_code == 0, ran.exception
        assert cv2.imread(str(out / "pairs.png")) is not None
    labels = tmp_path / "labels.csv"
    labels.write_text("file,cluster\n" + "\n".join(f"{p.name},{p.name[1]}" for p in folder.glob("*.png")))
    ran = CliRunner().invoke(
        app, [str(folder), "--labels", str(labels), "--embedder", str(start), "--out", str(out), "--json"]
    )
    assert ran.exit_code == 0, ran.exception
    made = json.loads(ran.stdout.splitlines()[-1])
    assert len(made["shown"]) == 4
    assert cv2.imread(made["clusters"]) is not None
    assert cv2.imread(made["doubts"]) is not None
    for wrong, match in (([a], "pairs"), ([a, b, "--labels", str(labels)], "--labels")):
        ran = CliRunner().invoke(app, [*wrong, "--out", str(out)])
        assert isinstance(ran.exception, InputError)
        assert match in str(ran.exception)


def test_settling_moves_intruders_but_not_against_what_is_known(folder: Path) -> None:
    from packed_scenes.refining.grouping import Grouping

    crops = read_crops(folder, camera=r"cam(\d)")
    true = np.array([int(name[1]) for name in crops.names])
    X = (np.eye(8)[true] + 0.02 * np.random.default_rng(0).standard_normal((24, 8))).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    labels = true.copy()
    labels[0] = 3
    labels, told = Grouping(crops, "default", 0.2, False, {}).correct_labels(X, labels)
    assert labels[0] == labels[1]
    assert told.startswith("1 crops were moved")
    wrong = true.copy()
    wrong[0] = 3
    linked = {"must_link": np.array([[0, 23]]), "cannot_link": np.zeros((0, 2), np.int64)}
    assert Grouping(crops, "default", 0.2, False, linked).correct_labels(X, wrong)[1].startswith("0 crops")
    assert Grouping(crops, "default", 0.2, True, {}).correct_labels(X, wrong)[1].startswith("0 crops were moved")


def test_doubtful_crops_are_asked_about_and_the_answers_are_links() -> None:
    from packed_scenes.cluster import membership_evidence
    from packed_scenes.cluster.counting import StopAsking
    from packed_scenes.counting.answers import Answer, AnswerBook, Undo
    from packed_scenes.refining.asking import answered, ask_doubtful

    angle = np.array([0, 2, 4, 40, 80, 82, 84]) * np.pi / 180  # the fourth crop is between the two
    X = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    labels = np.array([0, 0, 0, 0, 1, 1, 1])
    truth = [0, 0, 0, 1, 1, 1, 1]
    names = [f"{n}.png" for n in range(7)]
    asked: list[tuple[int, int]] = []

    def judge(a: int, b: int) -> Answer:
        asked.append((a, b))
        if len(asked) == 2:
            raise Undo  # the first answer was a slip
        return Answer.SAME if truth[a] == truth[b] else Answer.DIFFERENT

    book = AnswerBook(names)
    ask_doubtful(membership_evidence(X, labels, threshold=0.2), labels, book, judge)
    assert asked[0] == asked[2]
    assert asked[2][0] == asked[3][0] == 3  # the crop in doubt comes first
    links = answered(book)
    assert ("3.png", "5.png") in links.same
    assert all("3.png" in pair for pair in links.different)

    def tired(a: int, b: int) -> Answer:
        raise StopAsking

    ask_doubtful(membership_evidence(X, labels, threshold=0.2), labels, empty := AnswerBook(names), tired)
    assert not len(answered(empty))


def test_the_command_asks_before_it_trains(folder: Path, start: Path, tmp_path: Path) -> None:
    from packed_scenes.cli.refine import app

    out = tmp_path / "out"
    arguments = [str(folder), "--embedder", str(start), "--rounds", "1", "--steps", "2", "--out", str(out), "--json"]
    ran = CliRunner().invoke(app, [*arguments, "--ask", "terminal", "--pairs", "3"], input="y\nn\n?\n")
    assert ran.exit_code == 0, ran.exception
    answers = (out / "answers.csv").read_text().splitlines()
    assert answers[0] == "first,second,answer"
    assert [line.rsplit(",", 1)[1] for line in answers[1:]] == ["same", "different", "unsure"]
    assert json.loads(ran.stdout.splitlines()[-1])["counts"]["decisions"] == 2
    ran = CliRunner().invoke(app, [*arguments, "--ask", "somebody"])
    assert isinstance(ran.exception, InputError)

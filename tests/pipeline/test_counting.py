"""From a folder of crops to a count: answers, truth, dialogues, run folder."""

import csv
import io
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest

from cluster.counting import Enough
from data import InputError
from data.images import write_image
from pipeline.counting import AnswerBook, Options, count_folder, save_count
from pipeline.counting.answers import Answer, Undo, truth_judge
from pipeline.counting.compose import MOST, compose, long_tail
from pipeline.counting.page import PageDialogue
from pipeline.counting.simple import dbscan_from_pairs, elbow, read_similar
from pipeline.counting.terminal import terminal_judge
from pipeline.counting.truth import read_truth

NAMES = [f"{i}.png" for i in range(8)]


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """60 crops of 12 identities, flat colours with noise, in folders by identity; and one that is no picture."""
    root = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(0)
    for who in range(12):
        colour = rng.integers(20, 235, 3)
        for number in range(1 + who % 9):
            picture = np.clip(colour + rng.normal(0, 6, (48, 32, 3)), 0, 255).astype(np.uint8)
            picture[10:20, :] = 255 - colour
            write_image(root / f"id{who:02d}" / f"{number}.png", picture)
    (root / "id00" / "broken.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def _by_truth(book, paths):
    return truth_judge(read_truth("folders", book.names), budget=None, book=book)


def test_answers_are_on_the_disk_at_once_and_found_again(tmp_path):
    file = tmp_path / "answers.csv"
    book = AnswerBook(NAMES, file)
    book.add(3, 1, Answer.SAME)
    assert file.read_text() == "first,second,answer\n1.png,3.png,same\n"
    book.add(3, 4, Answer.DIFFERENT)
    book.add(5, 6, Answer.UNSURE)
    again = AnswerBook(NAMES, file)
    assert again.answers == book.answers == [(1, 3, "same"), (3, 4, "different"), (5, 6, "unsure")]
    again.undo()
    assert len(AnswerBook(NAMES, file)) == 2


def test_what_follows_from_answers_is_not_asked():
    book = AnswerBook(NAMES)
    for a, b, answer in ((0, 1, "same"), (1, 2, "same"), (3, 4, "same"), (2, 3, "different"), (5, 0, "unsure")):
        book.add(a, b, Answer(answer))
    assert book.known(0, 2) is Answer.SAME
    assert book.known(0, 4) is Answer.DIFFERENT
    assert book.known(4, 1) is Answer.DIFFERENT
    assert book.known(0, 5) is Answer.UNSURE
    assert book.known(0, 6) is None
    book.add(6, 4, Answer.SAME)
    assert book.known(0, 6) is Answer.DIFFERENT

    def never(a, b):
        raise AssertionError

    assert book.ask(2, 0, never) == 1
    assert book.ask(0, 5, never) == 0.5
    must, apart = book.links()
    assert must == [(0, 1), (1, 2), (3, 4), (4, 6)]
    assert apart == [(2, 3)]


def test_answers_about_other_folders_are_kept_and_a_damaged_file_is_refused(tmp_path):
    file = tmp_path / "answers.csv"
    file.write_text("first,second,answer\nelse.png,0.png,same\n0.png,1.png,different\n")
    book = AnswerBook(NAMES, file)
    assert len(book) == 1
    book.undo()
    assert "else.png" in file.read_text()
    file.write_text("first,second,answer\n0.png,1.png,maybe\n")
    with pytest.raises(InputError, match="line 2"):
        AnswerBook(NAMES, file)


def test_truth_from_folders_table_and_pattern(tmp_path):
    assert read_truth("folders", ["a/1.png", "b/1.png", "a/2.png"]) == ["a", "b", "a"]
    table = tmp_path / "truth.csv"
    table.write_text("file,identity\n1.png,7\n2.png,8\n")
    assert read_truth(str(table), ["x/1.png", "2.png"]) == ["7", "8"]
    assert read_truth("(.+)_cam", ["car_1_cam2.jpg", "car_2_cam1.jpg"]) == ["car_1", "car_2"]
    for bad in ("folders", "nothing", "(", "(.+)_shop"):
        with pytest.raises(InputError):
            read_truth(bad, ["car_1_cam2.jpg"])
    with pytest.raises(InputError, match=r"3\.png"):
        read_truth(str(table), ["3.png"])


def test_the_count_by_truth_is_right_and_everything_is_written(crops, cache, tmp_path):
    found = count_folder(crops, options=Options(target=0.05), cache=cache, judge=_by_truth)
    assert found.method == "vetted pairs"
    assert found.low <= 12 <= found.high
    assert len(found.paths) == sum(1 + who % 9 for who in range(12))
    assert [Path(file).name for file, _ in found.errors] == ["broken.png"]
    out = save_count(found, tmp_path / "run")
    with open(out / "cluster_labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == found.names
    linked = sorted((out / "clusters").rglob("*.png"))
    assert len(linked) == len(rows)
    for row in rows:
        place = next(p for p in linked if p.name == row["file"].replace("/", "__"))
        assert int(place.parent.name.split("_")[0]) == int(row["cluster"])
        assert place.resolve() == (crops / row["file"]).resolve()
    record = json.loads((out / "run.json").read_text())
    assert record["result"]["count"] == round(found.count)
    assert record["result"]["interval"][0] <= 12 <= record["result"]["interval"][1]
    assert record["seed"] == 0
    assert "broken.png" in (out / "errors.csv").read_text()
    assert cv2.imread(str(out / "curve.png")).shape[1] > 600
    assert cv2.imread(str(out / "clusters.png")) is not None
    with open(out / "curve.csv", newline="") as file:
        counts = [int(row["clusters"]) for row in csv.DictReader(file)]
    assert counts == found.curve.counts.tolist()
    save_count(found, out, folders="copies")
    assert not any(p.is_symlink() for p in (out / "clusters").rglob("*.png"))


def test_without_answers_the_interval_is_wide_and_says_so(crops, cache):
    found = count_folder(crops, cache=cache)
    assert found.method == "calibrated thresholds"
    assert found.pairs == 0
    assert found.low <= found.count <= found.high
    assert any("answer some pairs" in line for line in found.evidence())


def test_the_answers_hold_clusters_together_and_apart(crops, cache):
    book = AnswerBook([])

    def keep(names):
        nonlocal book
        book = AnswerBook(names)
        return book

    found = count_folder(crops, cache=cache, options=Options(target=0), book=keep, judge=_by_truth_of_some(80))
    must, apart = book.links()
    assert must
    assert apart
    assert all(found.labels[a] == found.labels[b] for a, b in must)
    assert all(found.labels[a] != found.labels[b] for a, b in apart)


def _by_truth_of_some(budget):
    return lambda book, paths: truth_judge(read_truth("folders", book.names), budget=budget, book=book)


def test_a_foreign_folder_named_clusters_is_not_emptied(crops, cache, tmp_path):
    found = count_folder(crops, cache=cache)
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="another --out"):
        save_count(found, tmp_path)
    assert (tmp_path / "clusters" / "mine.txt").exists()


def test_an_interrupted_asking_goes_on_and_ends_the_same(crops, cache, tmp_path):
    whole = count_folder(crops, cache=cache, options=Options(target=0.2), judge=_by_truth)
    file = tmp_path / "answers.csv"
    kept = lambda names: AnswerBook(names, file)  # noqa: E731
    part = count_folder(crops, cache=cache, options=Options(target=0.2), book=kept, judge=_by_truth_of_some(15))
    assert part.pairs == 15
    assert part.method == "calibrated thresholds"
    rest = count_folder(crops, cache=cache, options=Options(target=0.2), book=kept, judge=_by_truth)
    assert (rest.count, rest.low, rest.high, rest.pairs) == (whole.count, whole.low, whole.high, whole.pairs)
    np.testing.assert_array_equal(rest.labels, whole.labels)


def test_the_terminal_asks_again_for_what_it_does_not_know_and_undoes(tmp_path):
    picture = tmp_path / "pair.png"
    paths = []
    for name, grey in zip(NAMES[:2], (40, 200), strict=True):
        write_image(tmp_path / name, np.full((30, 20, 3), grey, np.uint8))
        paths.append(tmp_path / name)
    screen = io.StringIO()
    judge = terminal_judge(
        AnswerBook(NAMES), paths, picture=picture, budget=5, source=io.StringIO("what\n\ny\n?\nu\nq\n"), out=screen
    )
    assert judge(0, 1) is Answer.UNSURE if False else judge(0, 1) is Answer.SAME
    assert judge(0, 1) is Answer.UNSURE
    with pytest.raises(Undo):
        judge(0, 1)
    with pytest.raises(Enough):
        judge(0, 1)
    with pytest.raises(Enough):  # the input has ended
        judge(0, 1)
    assert "0.png  |  1.png" in screen.getvalue()
    shown = cv2.imread(str(picture))
    assert {40, 200} <= set(np.unique(shown).tolist())


def _get(address, path, more=""):
    base, key = address.split("/?")
    with urllib.request.urlopen(f"{base}{path}?{key}{more}", timeout=5) as reply:
        return reply.read()


def _post(address, value):
    base, key = address.split("/?")
    request = urllib.request.Request(f"{base}/answer?{key}", json.dumps(value).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_page_gives_crops_takes_one_answer_and_keeps_others_out(tmp_path):
    paths = []
    for name, grey in zip(NAMES[:2], (40, 200), strict=True):
        write_image(tmp_path / name, np.full((30, 20, 3), grey, np.uint8))
        paths.append(tmp_path / name)
    with PageDialogue(AnswerBook(NAMES), paths, budget=3) as page:
        given = []
        asking = threading.Thread(target=lambda: given.append(page.judge(0, 1)))
        asking.start()
        while (state := json.loads(_get(page.address, "/state")))["names"] is None:
            pass
        assert state["names"] == ["0.png", "1.png"]
        assert b"Are these two the same?" in _get(page.address, "/")
        crop = _get(page.address, "/crop", f"&number={state['number']}&side=1")
        assert 200 in cv2.imdecode(np.frombuffer(crop, np.uint8), 1)
        for bad in ({"number": 99, "answer": "same"}, {"number": state["number"], "answer": "maybe"}, {}, []):
            assert _post(page.address, bad) == 409
        for path in ("/state?key=wrong", "/"):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(f"http://127.0.0.1:{page.port}{path}", timeout=5)
        strange = urllib.request.Request(page.address, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(strange, timeout=5)
        assert _post(page.address, {"number": state["number"], "answer": "different"}) == 200
        asking.join(5)
        assert given == [Answer.DIFFERENT]
        assert _post(page.address, {"number": state["number"], "answer": "same"}) == 409
        page.finish("about 12")
        assert json.loads(_get(page.address, "/state"))["status"] == "about 12"


def test_the_elbow_finds_separated_groups():
    rng = np.random.default_rng(0)
    X = (10 * rng.standard_normal((12, 8))[rng.integers(0, 12, 400)] + 0.1 * rng.standard_normal((400, 8))).astype("f4")
    assert 8 <= elbow(X)["count"] <= 24


def test_dbscan_takes_eps_from_similar_pairs(tmp_path):
    rng = np.random.default_rng(1)
    true = np.repeat(np.arange(5), [6, 6, 6, 1, 1])
    X = rng.standard_normal((5, 16))[true] + 0.05 * rng.standard_normal((20, 16))
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    names = [f"{i}.png" for i in range(20)]
    file = tmp_path / "pairs.csv"
    file.write_text("first,second\n0.png,1.png\n6.png,8.png\n12.png,15.png\n2.png,4.png\nelse.png,1.png\n")
    pairs = read_similar(file, names)
    assert len(pairs) == 4
    found = dbscan_from_pairs(X, pairs)
    assert (found["clusters"], found["noise"], found["count"]) == (3, 2, 5)
    file.write_text("first,second\nelse.png,1.png\n")
    with pytest.raises(InputError, match="no pair"):
        read_similar(file, names)


def test_long_tail_adds_up_and_keeps_its_limits():
    sizes = long_tail(25_000, 1_300, np.random.default_rng(0))
    assert sizes.sum() == 25_000
    assert (sizes.min(), sizes.max()) == (1, MOST) or sizes.max() <= MOST
    assert np.median(sizes) < sizes.mean() / 2
    for bad in ((5, 9), (5000, 10)):
        with pytest.raises(InputError):
            long_tail(*bad, np.random.default_rng(0))


def test_a_composed_set_is_repeatable_complete_and_goes_on(tmp_path):
    for _ in compose(tmp_path / "a", crops=30, identities=8, seed=3):
        pass
    for done in compose(tmp_path / "b", crops=30, identities=8, seed=3):
        if done > 10:
            break
    for _ in compose(tmp_path / "b", crops=30, identities=8, seed=3):
        pass
    truth = (tmp_path / "a" / "truth.csv").read_text()
    assert truth == (tmp_path / "b" / "truth.csv").read_text()
    names = [line.split(",")[0] for line in truth.splitlines()[1:]]
    assert len(names) == 30
    assert len({line.split(",")[1] for line in truth.splitlines()[1:]}) == 8
    for name in names:
        assert (tmp_path / "a/crops" / name).read_bytes() == (tmp_path / "b/crops" / name).read_bytes()

"""Answers about pairs and where they come from: the book, known identities, the terminal, the page."""

import io
import json
import threading
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest

from packed_scenes.cluster.counting import StopAsking
from packed_scenes.counting import AnswerBook
from packed_scenes.counting.answers import Answer, Undo
from packed_scenes.counting.terminal import terminal_judge
from packed_scenes.crops.values import read_values
from packed_scenes.data import InputError
from packed_scenes.data.images import write_image
from packed_scenes.web.server.dialogue import PageDialogue

NAMES = [f"{i}.png" for i in range(8)]


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
    assert read_values("folders", ["a/1.png", "b/1.png", "a/2.png"]) == ["a", "b", "a"]
    table = tmp_path / "truth.csv"
    table.write_text("file,identity\n1.png,7\n2.png,8\n")
    assert read_values(str(table), ["x/1.png", "2.png"]) == ["7", "8"]
    for pattern in ("name:(.+)_cam", "(.+)_cam"):
        assert read_values(pattern, ["car_1_cam2.jpg", "car_2_cam1.jpg"]) == ["car_1", "car_2"]
    assert read_values(r"name:cam(\d)", ["cam1/a.jpg", "cam2/b.jpg"], what="camera") == ["1", "2"]
    assert read_values("name:(.+)_cam", ["car_1_cam2.jpg", "van.jpg"], some=True) == ["car_1", ""]
    for bad in ("folders", "nothing", "(", "(.+)_shop"):
        with pytest.raises(InputError):
            read_values(bad, ["car_1_cam2.jpg"])
    with pytest.raises(InputError, match=r"3\.png"):
        read_values(str(table), ["3.png"])


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
    with pytest.raises(StopAsking):
        judge(0, 1)
    with pytest.raises(StopAsking):  # the input has ended
        judge(0, 1)
    assert "0.png  |  1.png" in screen.getvalue()
    shown = cv2.imread(str(picture))
    assert {40, 200} <= set(np.unique(shown).tolist())


def _ask(page, path, value=None, **headers):
    """Status and body of a request with the key's cookie, as the page sends it."""
    base, token = page.address.split("/?token=")
    sent = {"Cookie": f"packed_scenes_{page.port}={token}", "X-Packed-Scenes": "1", **headers}
    body = None if value is None else json.dumps(value).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(base + path, body, sent), timeout=30) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_page_gives_crops_takes_one_answer_and_keeps_others_out(tmp_path):
    paths = []
    for name, grey in zip(NAMES[:2], (40, 200), strict=True):
        write_image(tmp_path / name, np.full((30, 20, 3), grey, np.uint8))
        paths.append(tmp_path / name)
    with PageDialogue(AnswerBook(NAMES), paths, budget=3) as page:
        given = []
        asking = threading.Thread(target=lambda: given.append(page.judge(0, 1)))
        asking.start()
        while (state := json.loads(_ask(page, "/api/question")[1]))["names"] is None:
            pass
        assert state["names"] == ["0.png", "1.png"]
        assert b"count.js" in _ask(page, "/")[1]
        crop = _ask(page, f"/api/question/{state['number']}/1.jpg")[1]
        assert 195 < cv2.imdecode(np.frombuffer(crop, np.uint8), 1)[210, 210, 0] < 205
        for bad in ({"number": 99, "answer": "same"}, {"number": state["number"], "answer": "maybe"}, {}):
            assert _ask(page, "/api/answer", bad)[0] == 409
        assert _ask(page, "/api/question", Cookie="")[0] == 403
        assert _ask(page, "/api/question", Host="evil.example")[0] == 421
        good = {"number": state["number"], "answer": "different"}
        assert _ask(page, "/api/answer", good, Origin="http://evil.example")[0] == 403
        assert _ask(page, "/api/answer", good)[0] == 200
        asking.join(5)
        assert given == [Answer.DIFFERENT]
        assert _ask(page, "/api/answer", good)[0] == 409
        page.finish("about 12")
        assert json.loads(_ask(page, "/api/question")[1])["status"] == "about 12"


def test_a_page_that_is_open_hears_of_the_end_before_the_server_goes(tmp_path):
    page = PageDialogue(AnswerBook(NAMES), [])
    page.__enter__()
    assert not json.loads(_ask(page, "/api/question")[1])["done"]
    page.finish("about 12")
    leaving = threading.Thread(target=page.__exit__, args=(None, None, None))
    leaving.start()
    leaving.join(0.4)
    assert json.loads(_ask(page, "/api/question")[1])["done"]
    leaving.join(5)
    assert not leaving.is_alive()

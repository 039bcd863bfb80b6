"""The workbench's server without a browser: what it answers, what it refuses, and who sees what."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

pytest.importorskip("httpx", reason="starlette's test client needs it")
from starlette.testclient import TestClient

from packed_scenes.data import InputError
from packed_scenes.observe import Observer
from packed_scenes.settings import Settings
from packed_scenes.web.project import decisions
from packed_scenes.web.project.folder import ProjectFolder
from packed_scenes.web.project.runs import to_analysis
from packed_scenes.web.server.app import PAGE, make_app, names_of, serve
from packed_scenes.web.server.models import Networks
from packed_scenes.web.server.workplace import IDLE_SECONDS, Workplace
from tests.packed_scenes.conftest import paint
from tests.packed_scenes.workbench import FIRST, SECOND, painted, png, stub_models

TOKEN, PORT = "key-of-this-test", 8000
OWN = {"x-packed-scenes": "1"}


def visitor(app, *, token=TOKEN):
    client = TestClient(app, base_url=f"http://127.0.0.1:{PORT}", headers=OWN)
    if token:
        client.get("/", params={"token": token})
    return client


@pytest.fixture
def place(tmp_path):
    made = Workplace(tmp_path / "projects", observer=stub_models(), photos=[tmp_path / "photos"],
                     catalogue=tmp_path / "catalogue", max_upload=500_000)  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def app(place):
    return make_app(place, port=PORT, token=TOKEN)


@pytest.fixture
def client(app):
    return visitor(app)


def done(client, key):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        state = client.get(f"/api/p/{quote(key)}/state").json()
        if state["job"] is None or state["job"]["finished"]:
            return state
        time.sleep(0.05)
    raise AssertionError("the job does not end")


def loaded(client, *photos):
    key = client.post("/api/new", json={"name": "Work"}).json()["key"]
    for n, rows in enumerate(photos):
        assert client.put(f"/api/p/{key}/upload", params={"name": f"photo{n}.png"}, content=png(paint(rows))).is_success
    assert client.post(f"/api/p/{key}/analyse").is_success
    return key, done(client, key)


def edit(client, key, **told):
    return client.post(f"/api/p/{key}/edit", json=told)


def test_photos_become_a_project_that_is_edited_undone_and_listed(client):
    key, state = loaded(client, FIRST, SECOND)
    assert (len(state["photos"]), state["objects"]) == (2, 16)
    red = state["groups"][0]["c"]
    said = edit(client, key, op="rename", c=red, name="<b>Red</b>").json()
    assert said["changed"]
    assert "<b>Red</b>" in said["said"]
    assert edit(client, key, op="undo").json()["said"].startswith("Undone: Group")
    assert edit(client, key, op="redo").json()["said"].startswith("Done again: Group")
    assert edit(client, key, op="redo").json()["said"] == "Nothing to redo"
    scene = client.get(f"/api/p/{key}/scene/0").json()
    assert len(scene["objects"]) == 11
    for path in ("photo/0.jpg", "thumb/1.jpg", f"crop/{scene['objects'][0][0]}.jpg"):
        assert client.get(f"/api/p/{key}/{path}").headers["content-type"] == "image/jpeg"
    assert [p["key"] for p in client.get("/api/home").json()["recent"]] == [key]
    since = client.get(f"/api/p/{key}/state").json()["tag"]
    assert client.get(f"/api/p/{key}/state", params={"since": since}).json() == {"tag": since}


def test_what_another_distance_would_change_is_what_it_changes(client):
    key, state = loaded(client, FIRST, SECOND)

    def groups_of_rows():
        return {o[0]: o[5] for n in (0, 1) for o in client.get(f"/api/p/{key}/scene/{n}").json()["objects"]}

    before = groups_of_rows()
    told = [client.get(f"/api/p/{key}/threshold", params={"value": 0.8, "photo": n}).json() for n in (0, 1)]
    assert client.get(f"/api/p/{key}/state").json()["version"] == state["version"]  # nothing has changed by asking
    edit(client, key, op="threshold", value=0.8)
    after, groups = groups_of_rows(), client.get(f"/api/p/{key}/state").json()["groups"]
    changed = {row for row in before if before[row] != after[row]}
    assert changed
    assert {*told[0]["rows"], *told[1]["rows"]} == changed
    assert told[0]["changed"] == told[1]["changed"] == len(changed)
    assert (told[0]["groups"], told[0]["were"]) == (len(groups), len(state["groups"]))
    for wrong in ({"value": 0.8}, {"value": "x", "photo": 0}, {"value": "nan", "photo": 0}, {"value": 3, "photo": 0}):
        assert client.get(f"/api/p/{key}/threshold", params=wrong).status_code == 400


def test_what_cannot_be_read_is_listed_and_work_goes_on(client):
    key = client.post("/api/new", json={"name": "Mixed"}).json()["key"]
    client.put(f"/api/p/{key}/upload", params={"name": "../../evil.jpg"}, content=b"no picture")
    client.put(f"/api/p/{key}/upload", params={"name": "good.png"}, content=png(paint(FIRST)))
    client.post(f"/api/p/{key}/analyse")
    state = done(client, key)
    assert [name for name, _ in state["left_out"]] == ["../../evil.jpg"]
    assert [p["name"] for p in state["photos"]] == ["good"]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"op": "nope"},
        {"op": "rename", "c": 0},
        {"op": "rename", "c": "0", "name": "x"},
        {"op": "merge", "groups": [0]},
        {"op": "merge", "groups": "all"},
        {"op": "move", "rows": [10**15], "to": None},
        {"op": "move", "rows": [0], "to": 1.5},
        {"op": "box", "row": 0, "box": [1, 2, 3]},
        {"op": "box", "row": 0, "box": [1e400, 0, 1, 1]},
        {"op": "add", "photo": 0, "boxes": {}},
        {"op": "add", "photo": 99, "boxes": [[0, 0, 9, 9]]},
        {"op": "pairs", "rows": [0, 1], "answer": "maybe"},
        {"op": "confidence", "value": "high"},
        {"op": "threshold", "value": -1},
        {"op": "reach", "value": None},
        {"op": "delete", "rows": []},
        {"op": "never", "rows": [True]},
        {"op": "remove_photo", "photo": 7},
    ],
)
def test_senseless_edits_are_one_sentence_and_change_nothing(client, told):
    key, state = loaded(client, FIRST)
    answer = client.post(f"/api/p/{key}/edit", content=json.dumps(told).encode())
    assert answer.status_code == 400
    assert answer.json()["error"].endswith((".", "!", "?"))
    assert client.get(f"/api/p/{key}/state").json()["version"] == state["version"]


def test_without_the_key_from_another_name_or_page_nothing_is_answered(app, client):
    key, _ = loaded(client, FIRST)
    stranger = visitor(app, token=None)
    assert stranger.get("/api/home").status_code == 403
    assert stranger.get("/", params={"token": "guess"}).status_code == 403
    assert client.get("/api/home", headers={"host": "evil.example:8000"}).status_code == 421
    for headers in ({"x-packed-scenes": ""}, {"origin": "http://evil.example"}, {"origin": "null"},
                    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):  # fmt: skip
        assert client.post(f"/api/p/{key}/edit", json={"op": "undo"}, headers=headers).status_code == 403
        assert client.delete(f"/api/p/{key}", headers=headers).status_code == 403
    assert client.get("/api/home").is_success


def test_every_answer_carries_the_policy_and_the_page_has_no_inline_script(client):
    for path in ("/", "/page/main.js", "/api/home", "/nowhere", "/page/../../edits.py"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    page = (PAGE / "index.html").read_text()
    assert "<script>" not in page
    assert " on" not in page.replace(" content", "").split("<body>")[1]
    scripts = "".join(path.read_text() for path in PAGE.glob("*.js"))
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://"):
        assert word not in scripts, word


@pytest.mark.parametrize(
    "path", ["/etc", "/etc/passwd", "..", "", "\0", "{photos}/../secret", "{photos}/link", "relative"]
)
def test_no_path_of_the_page_is_opened_outside_the_folders_named(client, tmp_path, path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.png").write_bytes(png(paint(FIRST)))
    (tmp_path / "photos" / "link").symlink_to(tmp_path / "secret")
    key = client.post("/api/new", json={"name": "x"}).json()["key"]
    folder = path.replace("{photos}", str(tmp_path / "photos"))
    answer = client.post(f"/api/p/{key}/analyse", json={"folder": folder})
    assert answer.status_code == 400
    assert not client.get(f"/api/p/{key}/state").json()["photos"]


def test_a_folder_by_path_is_taken_by_reference(place, client, tmp_path):
    (tmp_path / "photos" / "aisle").mkdir(parents=True)
    for n, rows in enumerate((FIRST, SECOND)):
        (tmp_path / "photos" / "aisle" / f"{n}.png").write_bytes(png(paint(rows)))
    (tmp_path / "photos" / "aisle" / "bad.png").write_bytes(b"broken")
    (tmp_path / "secret.png").write_bytes(png(paint((*FIRST, *SECOND))))
    with zipfile.ZipFile(tmp_path / "secret.zip", "w") as archive:
        archive.write(tmp_path / "secret.png", "in.png")
    for name, target in (("out.png", "secret.png"), ("zip.png", "secret.zip"), ("out.mp4", "secret.png")):
        (tmp_path / "photos" / "aisle" / name).symlink_to(tmp_path / target)
    key = client.post("/api/new", json={"name": "aisle"}).json()["key"]
    client.post(f"/api/p/{key}/analyse", json={"folder": str(tmp_path / "photos" / "aisle")})
    state = done(client, key)
    assert len(state["photos"]) == 2
    assert [name for name, _ in state["left_out"]] == ["bad.png", "out.png", "zip.png", "out.mp4"]
    assert all("leads outside the folders" in why for _, why in state["left_out"][1:])
    place._opened.pop(key).project.folder.close()
    again = client.get(f"/api/p/{key}/state").json()
    assert again["left_out"] == state["left_out"]  # remembered with the project
    assert not (tmp_path / "projects" / key / "photos").exists()


def test_a_video_among_the_photos_of_a_folder_gives_frames(client, tmp_path):
    import cv2

    folder = tmp_path / "photos" / "filmed"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(png(paint(FIRST)))
    film = cv2.VideoWriter(str(folder / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 5, (120, 90))
    for n in range(6):
        film.write(cv2.cvtColor(paint([[n % 4, 1, 2, 3], [None] * 4, [0, 0, n % 3, 1]]), cv2.COLOR_RGB2BGR))
    film.release()
    (folder / "broken.mp4").write_bytes(b"no film")
    key = client.post("/api/new", json={"name": "filmed"}).json()["key"]
    assert client.post(f"/api/p/{key}/analyse", json={"folder": str(folder), "every": 2}).is_success
    state = done(client, key)
    assert state["job"]["error"] == ""
    names = [photo["name"] for photo in state["photos"]]
    assert names[0] == "a"
    assert len([name for name in names if name.startswith("film ")]) == 3
    assert [name for name, _ in state["left_out"]] == ["broken.mp4"]
    assert not (tmp_path / "projects" / key / "frames").exists()
    assert client.get(f"/api/p/{key}/photo/{state['photos'][-1]['n']}.jpg").is_success


def test_visits_do_not_see_each_other(app, client):
    key, _ = loaded(client, FIRST)
    other = visitor(app)
    assert other.get("/api/home").json()["recent"] == []
    for path in ("state", "scene/0", "photo/0.jpg", "export.zip", "download/objects.csv", "names"):
        assert other.get(f"/api/p/{key}/{path}").status_code == 400
    assert other.post(f"/api/p/{key}/edit", json={"op": "undo"}).status_code == 400
    assert other.delete(f"/api/p/{key}").status_code == 400
    assert client.get(f"/api/p/{key}/state").is_success


@pytest.mark.slow
def test_fifty_visits_at_once_have_their_own_and_stay_small(app):
    from concurrent.futures import ThreadPoolExecutor

    import psutil

    def visit(number):
        mine = visitor(app)
        key, state = loaded(mine, FIRST if number % 2 else SECOND)
        edit(mine, key, op="rename", c=state["groups"][0]["c"], name=f"of visit {number}")
        return mine, key, number

    memory = psutil.Process().memory_info
    visit(0)
    before = memory().rss
    with ThreadPoolExecutor(50) as pool:
        visits = list(pool.map(visit, range(1, 51)))
    each = (memory().rss - before) / 50
    assert each < 8e6, f"{each / 1e6:.1f} MB a visit"
    assert len({key for _, key, _ in visits}) == 50
    for mine, key, number in visits:
        assert [p["key"] for p in mine.get("/api/home").json()["recent"]] == [key]
        groups = mine.get(f"/api/p/{key}/state").json()["groups"]
        assert {group["name"] for group in groups if "visit" in group["name"]} == {f"of visit {number}"}


def test_uploads_that_wait_are_gone_after_a_crash(place, client, tmp_path):
    key = client.post("/api/new", json={"name": "x"}).json()["key"]
    client.put(f"/api/p/{key}/upload", params={"name": "a.png"}, content=png(paint(FIRST)))
    waiting = tmp_path / "projects" / key / "incoming"
    assert len(list(waiting.iterdir())) == 1
    gone = [tmp_path / "projects" / key / ".aside-x", tmp_path / "projects" / ".deleting-y"]  # cut off: export, removal
    for folder in gone:
        (folder / "in").mkdir(parents=True)
    place._opened[key].project.folder.close()  # what the system does when the process dies
    Workplace(tmp_path / "projects", observer=stub_models()).close()
    assert not waiting.exists()
    assert not any(folder.exists() for folder in gone)


def test_a_name_that_goes_with_a_merge_is_said_and_comes_back(client):
    key, state = loaded(client, FIRST)
    one, two = (group["c"] for group in state["groups"][:2])
    edit(client, key, op="rename", c=one, name="Red")
    edit(client, key, op="rename", c=two, name="Green")
    said = edit(client, key, op="merge", groups=[one, two]).json()["said"]
    assert said == "2 groups merged (the name Green goes)"
    assert client.get(f"/api/p/{key}/state").json()["undo"] == said
    edit(client, key, op="undo")
    assert {"Red", "Green"} <= {group["name"] for group in client.get(f"/api/p/{key}/state").json()["groups"]}


def test_photos_marked_as_right_stay_so(client):
    key, _ = loaded(client, FIRST, SECOND)
    assert edit(client, key, op="corrected", photos=[0, 1], yes=True).json()["said"] == "2 photos marked as right"
    edit(client, key, op="corrected", photos=[1], yes=False)
    assert [p["corrected"] for p in client.get(f"/api/p/{key}/state").json()["photos"]] == [True, False]
    assert edit(client, key, op="corrected", photos=[7], yes=True).status_code == 400


def test_uploads_that_were_never_analysed_go_when_the_visit_is_over(place, client, tmp_path):
    key = client.post("/api/new", json={"name": "x"}).json()["key"]
    client.put(f"/api/p/{key}/upload", params={"name": "a.png"}, content=png(paint(FIRST)))
    place.close_idle()
    waiting = tmp_path / "projects" / key / "incoming"
    assert len(list(waiting.iterdir())) == 1  # the page is still there
    place._opened[key].used -= IDLE_SECONDS + 1
    place.close_idle()
    assert not waiting.exists()
    assert client.get(f"/api/p/{key}/state").json()["incoming"] == []


def test_uploads_go_when_they_are_analysed_and_when_the_app_ends(place, client, tmp_path):
    key, _ = loaded(client, FIRST)
    waiting = tmp_path / "projects" / key / "incoming"
    assert not waiting.is_dir() or not list(waiting.iterdir())
    client.put(f"/api/p/{key}/upload", params={"name": "b.png"}, content=png(paint(SECOND)))
    assert list(waiting.iterdir())
    place.close()
    assert not waiting.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_it_listens_on_this_machine_only_unless_told_and_then_says_so(place, monkeypatch, capsys, host):
    listening = []
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: listening.append(sockets[0].getsockname()[0]))
    serve(place, port=0, **({} if host == "127.0.0.1" else {"host": host}))
    said = capsys.readouterr().out
    assert listening == [host]
    assert ("reachable from other machines, without encryption" in said) == (host == "0.0.0.0")
    assert "?token=" in said
    assert "http://0.0.0.0" not in said


def test_a_server_for_all_addresses_is_called_by_the_name_of_the_machine(place):
    app = make_app(place, port=PORT, token=TOKEN, host="0.0.0.0")
    name = names_of("0.0.0.0")[0]
    for host, status in ((name, 200), ("127.0.0.1", 200), ("evil.example", 421), ("0.0.0.0", 421)):
        client = TestClient(app, base_url=f"http://{host}:{PORT}", headers=OWN)
        assert client.get("/", params={"token": TOKEN}).status_code == status, host


def test_what_cannot_be_taught_is_said(client):
    key, _ = loaded(client, FIRST, SECOND)
    for told, part in (
        ({"what": "train"}, "detector or the embedder"),
        ({"what": "fly", "kind": "embedder"}, "Train, keep, discard or renew"),
        ({"what": "keep", "kind": "embedder"}, "no trained network"),
        ({"what": "fly", "kind": "detector"}, "look again"),
        ({"what": "keep", "kind": "detector"}, "no trained detector"),
        ({"what": "resume", "kind": "detector"}, "no training to go on with"),
        ({"what": "train", "kind": "embedder", "photos": [0, 1], "minutes": 1}, "at least 3 photos"),
        ({"what": "train", "kind": "detector", "photos": [0, 1], "minutes": 1}, "3 corrected photos"),
    ):
        answer = client.post(f"/api/p/{key}/teach", json=told)
        assert answer.status_code == 400, told
        assert part.lower() in answer.json()["error"].lower()
    assert client.post(f"/api/p/{key}/teach", json={"what": "discard", "kind": "embedder"}).is_success
    unused = {
        "in_use": {"detector": False, "embedder": False},
        "interrupted": False,
        "uncorrected": 2,
        "changed": False,
        "refused": "",
    }
    assert client.get(f"/api/p/{key}/state").json()["teach"] == unused
    assert client.get(f"/api/p/{key}/compared").json() == []


def test_uploads_are_bounded(client):
    key = client.post("/api/new", json={"name": "x"}).json()["key"]
    for content, name in ((b"x" * 500_001, "large.png"), (b"", "empty.png"), (b"x", "n" * 401)):
        assert client.put(f"/api/p/{key}/upload", params={"name": name}, content=content).status_code == 400
    assert client.post(f"/api/p/{key}/analyse").status_code == 400
    assert client.post(f"/api/p/{key}/edit", content=b"[" * 5_000_000).status_code in (400, 413)


def test_save_as_export_import_and_delete(client, tmp_path):
    key, state = loaded(client, FIRST)
    edit(client, key, op="rename", c=state["groups"][0]["c"], name="Red")
    copy = client.post(f"/api/p/{key}/copy", json={"name": "Copy"}).json()["key"]
    edit(client, copy, op="undo")
    assert client.get(f"/api/p/{key}/state").json()["groups"][0]["name"] == "Red"
    zipped = client.get(f"/api/p/{key}/export.zip").content
    back = client.put("/api/import", params={"name": "../back.zip"}, content=zipped).json()["key"]
    assert client.get(f"/api/p/{quote(back)}/state").json()["groups"][0]["name"] == "Red"
    assert client.get(f"/api/p/{quote(back)}/photo/0.jpg").is_success
    assert client.put("/api/import", params={"name": "x.zip"}, content=png(paint(FIRST))).status_code == 400
    assert client.delete(f"/api/p/{copy}").is_success
    assert client.get(f"/api/p/{copy}/state").status_code == 400
    assert not (tmp_path / "projects" / copy).exists()
    assert not [p for p in (tmp_path / "projects").rglob(".*") if p.name != ".receiving"]


def test_names_come_from_the_catalogue_and_are_only_offered(client):
    key, state = loaded(client, FIRST)
    red = state["groups"][0]["c"]
    edit(client, key, op="rename", c=red, name="Red soap")
    assert "objects added" in client.post(f"/api/p/{key}/catalogue").json()["said"]
    assert client.get("/api/catalogue").json()["identities"][0]["crop"] is not None
    fresh, state = loaded(client, SECOND)
    told = client.get(f"/api/p/{quote(fresh)}/names").json()
    assert "Red soap" in told["names"]
    offer = next(o for o in told["offers"] if o["name"] == "Red soap")
    assert offer["distance"] < 0.1
    assert all(g["name"].startswith("Group") for g in state["groups"])


def test_everything_can_be_taken_away(client):
    key, _ = loaded(client, FIRST)
    for kind in ("objects.csv", "objects.json", "overlay.png", "groups.png", "report.html", "plan.csv", "run.zip"):
        assert len(client.get(f"/api/p/{key}/download/{kind}").content) > 60, kind
    plan = client.get(f"/api/p/{key}/download/plan.csv").text
    assert client.post(f"/api/p/{key}/plan", json={"photo": 0, "text": plan}).json()["agreement"] == 1
    assert client.get(f"/api/p/{key}/report/0").json()["facings"] == 11
    assert client.post(f"/api/p/{key}/search", json={"photo": 0, "box": [5, 5, 25, 25]}).json()["hits"]


@pytest.mark.slow
def test_exports_for_other_tools_open_in_their_libraries(client, tmp_path):
    key, state = loaded(client, FIRST)
    edit(client, key, op="rename", c=state["groups"][0]["c"], name="Rote Seife")
    for form in ("coco", "yolo", "voc", "cvat", "label-studio"):
        answer = client.get(f"/api/p/{key}/download/export-{form}.zip")
        assert answer.is_success, (form, answer.text)
        (tmp_path / f"{form}.zip").write_bytes(answer.content)
        shutil.unpack_archive(tmp_path / f"{form}.zip", tmp_path / form)
    (name,) = {p.stem for p in (tmp_path / "yolo" / "yolo" / "images").iterdir()}
    assert name == state["photos"][0]["name"]
    for text in (
        "coco/coco.json",
        "cvat/cvat.xml",
        "label-studio/label-studio.json",
        f"voc/voc/Annotations/{name}.xml",
    ):
        assert "Rote Seife" in (tmp_path / text).read_text(encoding="utf-8"), text
    assert client.get(f"/api/p/{key}/download/export-xls.zip").status_code == 400
    for form, library in (("supervision", "supervision"), ("fiftyone", "fiftyone")):
        answer = client.get(f"/api/p/{key}/download/export-{form}.zip")
        assert answer.is_success or f"needs {library}" in answer.text or library in answer.json()["error"]
    coco = pytest.importorskip("pycocotools.coco")
    sv = pytest.importorskip("supervision")
    assert len(coco.COCO(str(tmp_path / "coco" / "coco.json")).anns) == 11
    yolo = tmp_path / "yolo" / "yolo"
    (one,) = sv.DetectionDataset.from_yolo(yolo / "images", yolo / "labels", yolo / "data.yaml").annotations.values()
    assert len(one) == 11
    voc = tmp_path / "voc" / "voc"
    assert len(sv.DetectionDataset.from_pascal_voc(voc / "JPEGImages", voc / "Annotations")) == 1


def test_the_sample_opens_from_what_ships_where_it_fits(place, client, monkeypatch):
    monkeypatch.setattr("packed_scenes.web.server.home.sample_fits", lambda _: True)
    key = client.post("/api/new", json={"sample": "shelf"}).json()["key"]
    state = client.get(f"/api/p/{quote(key)}/state").json()
    assert state["objects"] > 50
    assert state["job"] is None
    assert state["undo"] is None
    assert client.get(f"/api/p/{quote(key)}/photo/0.jpg").is_success


def test_a_project_named_at_the_start_is_open_to_all_and_a_run_folder_becomes_one(place, app, tmp_path):
    project = painted(tmp_path / "mine", FIRST)
    decisions.rename(project, project.grouping.clusters[0], "Red")
    project.folder.close()
    key = place.name(tmp_path / "mine")
    assert visitor(app).get(f"/api/p/{key}/state").json()["objects"] == 11
    run = tmp_path / "run"
    with __import__("zipfile").ZipFile(
        __import__("io").BytesIO(visitor(app).get(f"/api/p/{key}/download/run.zip").content)
    ) as z:
        z.extractall(run)
    key = place.name(run)
    state = visitor(app).get(f"/api/p/{key}/state").json()
    assert state["objects"] == 11
    assert sum(group["name"] == "Red" for group in state["groups"]) == 1


@pytest.mark.slow
def test_the_command_prints_a_local_address_with_a_key_and_refuses_two_at_once(tmp_path):
    root = Path(__file__).resolve().parents[2]
    command = [
        sys.executable,
        str(root / "scripts" / "app.py"),
        str(tmp_path / "work"),
        "--port",
        "0",
        "--projects",
        str(tmp_path / "p"),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    ) as process:
        line = process.stdout.readline()
        try:
            assert line.startswith("open http://127.0.0.1:")
            assert "?token=" in line
            with pytest.raises(Exception, match="another process"):
                ProjectFolder(tmp_path / "work")
        finally:
            process.terminate()
    shutil.rmtree(tmp_path / "work")


def test_networks_of_a_project_are_those_it_was_analysed_with_and_no_others(tmp_path):
    shared = Observer(Settings())
    networks = Networks(shared)
    assert networks.of({"settings": Settings(threshold=0.2, reach=1.0).to_json()}, named=False) is shared
    other = networks.of({"settings": Settings(embedder="person").to_json()}, named=False)
    assert other.settings.embedder == "person"
    assert networks.of({"settings": Settings(embedder="person").to_json()}, named=False) is other
    taught = {"settings": Settings(weights="teach/used/detector.onnx").to_json()}
    assert networks.of(taught, named=False) is shared
    for settings in (Settings(embedder="/etc/passwd"), Settings(weights="/etc/passwd", trust=True)):
        with pytest.raises(InputError, match="Start the app with"):
            networks.of({"settings": settings.to_json()}, named=False)
        assert not networks.of({"settings": settings.to_json()}, named=True).settings.trust
    with pytest.raises(InputError, match="cannot be used"):
        networks.of({"settings": {"classes": 3, "embedder": []}}, named=False)
    missing, why = networks.try_of({"settings": Settings(embedder=str(tmp_path / "x.onnx")).to_json()}, named=True)
    assert missing is None
    assert "x.onnx" in why


def test_a_project_whose_network_cannot_be_had_is_still_sorted(place, client, tmp_path):
    project = painted(tmp_path / "projects" / "far", FIRST)
    project.folder.save_about(settings=Settings(embedder="/somewhere/net.onnx").to_json())
    project.folder.close()
    state = client.get("/api/p/far/state").json()
    assert "--embedder /somewhere/net.onnx" in state["teach"]["refused"]
    edit(client, "far", op="rename", c=state["groups"][0]["c"], name="Red")
    answer = client.post("/api/p/far/edit", json={"op": "add", "photo": 0, "boxes": [[5, 5, 30, 30]]})
    assert answer.status_code == 400
    assert "Start the app with" in answer.json()["error"]


def test_objects_of_another_version_of_the_network_are_described_anew_first(place, client, tmp_path):
    project = painted(tmp_path / "projects" / "old", FIRST)
    project.folder.save_about(weights={"embedder": "f" * 64, "detector": "d" * 64})
    project.folder.close()
    assert client.get("/api/p/old/state").json()["teach"]["changed"]
    add = {"op": "add", "photo": 0, "boxes": [[5, 5, 30, 30]]}
    assert "another version" in client.post("/api/p/old/edit", json=add).json()["error"]
    assert client.post("/api/p/old/teach", json={"what": "renew", "kind": "embedder"}).is_success
    place.open("old", visit=None).job.wait(60)
    state = client.get("/api/p/old/state").json()
    assert not state["teach"]["changed"]
    assert state["job"]["error"] == ""
    assert state["undo"] is None
    assert client.post("/api/p/old/edit", json=add).is_success


def test_a_run_folder_opened_twice_goes_on_in_the_same_project(place, app, tmp_path):
    project = painted(tmp_path / "mine", FIRST)
    to_analysis(project).save(tmp_path / "run")
    project.folder.close()
    key = place.name(tmp_path / "run")
    red = visitor(app).get(f"/api/p/{key}/state").json()["groups"][0]["c"]
    edit(visitor(app), key, op="rename", c=red, name="Red")
    place.close()
    again = Workplace(place.root, observer=stub_models())
    assert again.name(tmp_path / "run") == key
    assert again.open(key, visit=None).project.grouping.names == {red: "Red"}
    record = tmp_path / "run" / "run.json"
    record.write_text(record.read_text() + "\n")  # analysed anew
    assert again.name(tmp_path / "run") != key
    again.close()

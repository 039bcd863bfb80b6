"""The app is killed while edits are sent: what was answered is there when the project is opened again."""

import multiprocessing
import random
import signal
import socket
import time

import pytest

pytest.importorskip("httpx", reason="the test's own client")
import httpx
import uvicorn

from packed_scenes.web.server.app import make_app
from packed_scenes.web.server.workplace import Workplace
from tests.packed_scenes.conftest import paint
from tests.packed_scenes.workbench import FIRST, SECOND, painted, png, reopened, stub_models

TOKEN = "t0ken"


def serve(root, named, listening, port):
    """The app with stub models, in a process of its own."""
    place = Workplace(root, observer=stub_models())
    place.name(named)
    app = make_app(place, port=port, token=TOKEN)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listening])


class Killed:
    """An app on a project that can be killed."""

    def __init__(self, context, root, named):
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        port = listening.getsockname()[1]
        self.process = context.Process(target=serve, args=(root, named, listening, port), daemon=True)
        self.process.start()
        listening.close()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"x-packed-scenes": "1"}, timeout=120)
        self.client.get("/", params={"token": TOKEN})

    def edit(self, **told):
        answer = self.client.post("/api/p/work/edit", json=told)
        assert answer.is_success, answer.text
        return answer.json()

    def kill(self):
        self.process.kill()
        self.process.join(60)
        assert self.process.exitcode == -signal.SIGKILL
        self.client.close()


@pytest.fixture(scope="module")
def context():
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.cli.test_app_kills"])
    return made


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
@pytest.mark.timeout(900)
def test_twenty_kills_lose_no_edit_that_was_answered(context, tmp_path):
    project = painted(tmp_path / "work", FIRST, SECOND)
    groups = project.grouping.clusters
    boxes = project.visible().sum()
    project.folder.close()
    rng = random.Random(5)
    names = {}
    for round_ in range(20):
        app = Killed(context, tmp_path / "projects", tmp_path / "work")
        for count in range(rng.randint(1, 4)):  # one after the other: what was answered is known
            group, name = rng.choice(groups), f"name {round_} {count}"
            app.edit(op="rename", c=group, name=name)
            names[group] = name
        late = {**names, groups[0]: f"late {round_}"}
        request = app.client.build_request("POST", "/api/p/work/edit", json={
            "op": "rename", "c": groups[0], "name": f"late {round_}",
        })  # fmt: skip
        with socket.create_connection((request.url.host, request.url.port)) as raw:  # sent, and not waited for
            head = (
                f"POST {request.url.path} HTTP/1.1\r\nhost: {request.url.netloc.decode()}\r\n"
                + "".join(f"{k}: {v}\r\n" for k, v in request.headers.items() if k.lower() != "host")
                + "cookie: "
                + "; ".join(f"{k}={v}" for k, v in app.client.cookies.items())
                + "\r\n\r\n"
            )
            raw.sendall(head.encode() + request.content)
            time.sleep(rng.uniform(0, 0.01))
            app.kill()
        project = reopened(project)
        found = dict(project.grouping.names)
        project.folder.close()
        assert found in (names, late), f"round {round_}"
        assert project.visible().sum() == boxes
        names = found
    print(f"20 kills, {project.version} changes in the log")
    assert project.version >= 20


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_uploads_of_a_killed_app_are_gone_at_the_next_start(context, tmp_path):
    painted(tmp_path / "work", FIRST).folder.close()
    for where in ("work", "projects/other"):
        app = Killed(context, tmp_path / "projects", tmp_path / "work")
        key = "work" if where == "work" else app.client.post("/api/new", json={"name": "other"}).json()["key"]
        answer = app.client.put(f"/api/p/{key}/upload", params={"name": "a.png"}, content=png(paint(SECOND)))
        assert answer.is_success
        app.kill()
        assert len(list((tmp_path / where / "incoming").iterdir())) == 1
        app = Killed(context, tmp_path / "projects", tmp_path / "work")
        assert not (tmp_path / where / "incoming").exists()
        app.kill()


@pytest.mark.slow
@pytest.mark.parametrize("where", ["/api/p/work/upload?name=a.png", "/api/import?name=a.zip"])
def test_of_an_upload_that_is_cut_off_nothing_stays(context, tmp_path, capfd, where):
    painted(tmp_path / "work", FIRST).folder.close()
    app = Killed(context, tmp_path / "projects", tmp_path / "work")
    folder = tmp_path / ("work/incoming" if "upload" in where else "projects/.receiving")
    request = app.client.build_request("PUT", where)
    lines = [f"{name}: {value}" for name, value in request.headers.items() if name != "content-length"]
    head = "\r\n".join([f"PUT {where} HTTP/1.1", *lines, "content-length: 100000"])
    with socket.create_connection((request.url.host, request.url.port)) as raw:
        raw.sendall(f"{head}\r\n\r\n".encode() + bytes(10_000))
        wait_until(lambda: folder.is_dir() and len(list(folder.iterdir())) == 1)
    wait_until(lambda: not list(folder.iterdir()))
    assert app.client.get("/api/p/work/state").json()["incoming"] == []
    app.kill()
    assert "Traceback" not in capfd.readouterr().err


def wait_until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)

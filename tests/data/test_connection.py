"""What would be fetched is asked for within seconds, by the way that a fetch would take."""

import socket
import time

import pytest

from packed_scenes.data import InputError, connection
from packed_scenes.data.connection import reachable, require_weights


@pytest.fixture
def listening(monkeypatch):
    monkeypatch.setattr(connection, "getproxies", dict)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_listens_is_reached(listening):
    assert reachable(f"http://127.0.0.1:{listening}/a")


def test_a_name_that_nobody_answers_for_costs_only_the_time_given(monkeypatch):
    monkeypatch.setattr(connection, "getproxies", dict)

    def hang(*_, **__):
        time.sleep(5)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", hang)
    start = time.monotonic()
    assert not reachable("https://example.org", seconds=0.1)
    assert time.monotonic() - start < 4


def test_the_proxy_is_asked_where_there_is_one(listening, monkeypatch):
    monkeypatch.setattr(connection, "getproxies", lambda: {"https": f"http://127.0.0.1:{listening}"})
    monkeypatch.setattr(connection, "proxy_bypass", lambda host: host == "here.invalid")
    assert reachable("https://nowhere.invalid")
    assert not reachable("https://here.invalid", seconds=1)


def test_weights_are_here_or_can_be_fetched_or_the_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "downloads", lambda: tmp_path)
    monkeypatch.setattr(connection, "reachable", lambda _: False)
    with pytest.raises(InputError, match=r"the weights of resnet18 are not in .*, and a.org cannot be reached"):
        require_weights("resnet18", "a.org", remedy="Connect.")
    (tmp_path / "resnet18-f37072fd.pth").touch()
    require_weights("resnet18", "a.org", remedy="Connect.")
    with pytest.raises(InputError):
        require_weights("/etc/passwd", "a.org", remedy="Connect.")
    monkeypatch.setattr(connection, "reachable", lambda _: True)
    require_weights("resnet50", "a.org", remedy="Connect.")


def test_the_folder_of_downloads_is_torchs_own(monkeypatch, tmp_path):
    torch = pytest.importorskip("torch")
    import sys

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    mine = torch.hub.get_dir()
    monkeypatch.delitem(sys.modules, "torch")
    assert str(connection.downloads().parent) == mine

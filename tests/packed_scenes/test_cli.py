"""What every command line shares: progress and problems on standard error, nothing on standard output."""

import io
import os
import signal
import time

import numpy as np
import pytest

from packed_scenes.cli.commands import application
from packed_scenes.cli.console import Bar, clear_errors, echo, print_json, print_problems, run
from packed_scenes.cli.console import application as application_of_one
from packed_scenes.data import write_image
from packed_scenes.data.files import atomic_write
from tests.commands import call


def test_a_bar_that_never_moves_leaves_no_line(capsys):
    with Bar("work"):
        pass
    assert capsys.readouterr() == ("", "")


def test_every_label_has_a_bar_of_its_own(capsys):
    with Bar() as bar:
        for name in ("one", "two"):
            for done in (1, 2):
                bar.at(done, 2, f"loss {done}", label=name)
    out, told = capsys.readouterr()
    assert out == ""
    assert [line.split("  ")[0].split(" ━")[0] for line in told.splitlines() if line] == ["one loss 2", "two loss 2"]


def test_a_quiet_bar_says_nothing(capsys):
    with Bar("work", quiet=True) as bar:
        bar.at(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_passing_bar_may_be_told_again_that_all_is_done(capsys):
    with Bar("work", passing=True) as bar:
        bar.at(2, 2)
        bar.at(2, 2)
    assert "work" not in capsys.readouterr().out


def test_a_file_is_named_once(capsys):
    print_problems(["it is dark"], [("a.png", "is empty"), ("b.png", "b.png: is empty")])
    assert capsys.readouterr() == ("", "warning: it is dark\nleft out: a.png: is empty\nleft out: b.png: is empty\n")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("analyze a.jpg --image-size 3", "error: --image-size must be at least 32 px, got 3"),
        ("analyze a.jpg --max-objects 0", "error: --max-objects must be at least 1, got 0"),
        ("analyze a.jpg --reach 99", "error: --reach is a fraction of the object size between 0 and 20, got 99.0"),
        ("analyze a.jpg --device tpu", "error: --device must be auto, cpu or cuda, got 'tpu'"),
        ("analyze a.jpg --watch --every-seconds 0 --out r", "error: --every-seconds must be more than 0, got 0.0"),
        ("catalogue list image_size", "error: image_size: no catalogue here"),  # a folder, not a parameter
    ],
)
def test_an_error_names_the_option_and_not_the_parameter(command, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name, *arguments = command.split()
    with pytest.raises(SystemExit) as end:
        run(application(name), arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["analyze", "--\x1b[31mx\u202e"], r"error: No such option: --\x1b[31mx\u202e. packed-scenes analyze"),
        (["count"], "error: Missing argument 'folder'. packed-scenes count --help"),
        (
            ["analyze", "--seed", "a\x07"],
            r"error: Invalid value for '--seed': 'a\x07' is not a valid int. packed",
        ),
        (
            ["catalogue", "lst", "x"],
            "error: No such command 'lst'. Did you mean 'list'. packed-scenes",
        ),
        (["count", "l" * 300], f"error: {'l' * 300}"),
    ],
)
def test_bad_usage_is_one_line(arguments, line, tmp_path):
    found = call(*arguments, cwd=tmp_path)
    assert found.returncode == 2
    assert found.stderr.startswith(line)
    assert found.stderr.count("\n") == 1
    assert found.stderr[:-1].isprintable()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(36, "File name too long", "a\x1bb"),
            r"error: a\x1bb: File name too long. Check the path",
        ),
        (OSError(28, "No space left on device"), "error: No space left on device. Check"),
        (MemoryError(), "error: there is not enough memory. Take"),
    ],
)
def test_what_the_machine_refuses_is_one_line(error, line, capsys):
    with pytest.raises(SystemExit, match="2"), clear_errors():
        raise error
    told = capsys.readouterr().err
    assert told.startswith(line)
    assert told.count("\n") == 1


def test_a_fault_of_the_program_keeps_its_traceback():
    with pytest.raises(OSError, match="Bad file descriptor"), clear_errors():
        raise OSError(9, "Bad file descriptor")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["synthesize", "o", "--goods", "file"], "error: file: is no folder"),
        (["train-decision", "new.npz", "--real", "file"], "error: file: no such folder"),
        (["study", "crops", "--mask", "deeplab=file", "--out", "o"], "error: file: not readable as plain tensors"),
    ],
)
def test_a_wrong_file_is_named_at_once(arguments, line, tmp_path):
    pytest.importorskip("torchvision")
    (tmp_path / "file").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "crops").mkdir()
    write_image(tmp_path / "crops" / "a.png", np.zeros((20, 20, 3), np.uint8))
    found = call(*arguments, cwd=tmp_path)
    assert found.returncode == 2
    assert found.stderr.startswith(line)
    assert found.stderr.count("\n") == 1


def test_a_pipe_for_true_labels_does_not_hang(tmp_path):
    np.save(tmp_path / "m.npy", np.eye(5, 4, dtype=np.float32))
    os.mkfifo(tmp_path / "t.npy")
    found = call("study", "m.npy", "--truth", "t.npy", "--out", "o", cwd=tmp_path)
    assert found.returncode == 2
    assert found.stderr.startswith("error: t.npy: is a pipe or a device")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_one_line_and_nothing_half_done(number, code, tmp_path, capsys):
    app = application_of_one()

    @app.command()
    def work() -> None:
        with atomic_write(tmp_path / "a.txt"):
            os.kill(os.getpid(), number)
            time.sleep(60)

    with pytest.raises(SystemExit) as end:
        run(app, [])
    assert end.value.code == code
    assert capsys.readouterr().err.startswith("interrupted: what was finished is kept")
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_the_terminal_cannot_show_is_escaped_and_ends_nothing(monkeypatch):
    app = application_of_one()

    @app.command()
    def main(json: bool = False):
        print_json({"name": "caf\xe9"}) if json else echo("a \xb7 b")

    for given, shown in (([], b"a \\xb7 b"), (["--json"], b'{"name": "caf\\u00e9"}')):
        out = io.BytesIO()
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii", write_through=True))
        with pytest.raises(SystemExit, match="0"):
            run(app, given)
        assert out.getvalue().strip() == shown


def test_a_name_that_a_library_cannot_take_is_one_line(capsys):
    with pytest.raises(SystemExit, match="2"), clear_errors():
        "caf\udce9".encode()
    assert capsys.readouterr().err == "error: a name has characters that this locale lacks. Set LC_ALL=C.UTF-8.\n"

"""What every command line shares: progress and problems on standard error, nothing on standard output."""

import pytest

from packed_scenes.cli.commands import application
from packed_scenes.cli.console import Bar, print_problems, run


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

"""What every command line shares: progress and problems on standard error, nothing on standard output."""

from packed_scenes.cli.console import Bar, print_problems


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

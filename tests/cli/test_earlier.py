import pytest

from packed_scenes.cli import main
from packed_scenes.cli.earlier import today


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (
            ["study", "crops", "--sort", "copy", "--out", "copy"],
            ["study", "crops", "--folders", "copies", "--out", "copy"],
        ),
        (["study", "--sort=no"], ["study", "--folders=none"]),
        (["describe", "--names", "--json"], ["embedders", "--json"]),
    ],
)
def test_earlier_names_go_on_working(before: list[str], now: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert today(before) == now
    assert "now" in capsys.readouterr().err


@pytest.mark.parametrize("given", [[], ["study", "sort", "copy"], ["count", "--rate"], ["analyze", "--sort=copy"]])
def test_other_arguments_stay(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert today(given) == given
    assert not capsys.readouterr().err


def test_the_program_takes_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["describe", "--names"])
    assert not end.value.code
    assert "person" in capsys.readouterr().out

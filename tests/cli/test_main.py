"""``packed-scenes`` itself: the overview, the version, a mistyped command, completion, and what it loads."""

import os
import subprocess
import sys

import pytest

from packed_scenes.cli.main import COMMANDS, GROUPS, main, overview


def packed_scenes(*arguments, **env):
    command = [sys.executable, "-m", "packed_scenes", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | env)


def test_alone_it_shows_every_command_in_groups():
    done = packed_scenes()
    assert done.returncode == 0
    assert done.stdout.strip() == overview()
    for title, commands in GROUPS.items():
        assert f"{title}:" in done.stdout
        assert all(f"  {name} " in done.stdout for name in commands)


def test_version():
    assert packed_scenes("--version").stdout[0].isdigit()


def test_a_mistyped_command_is_one_line_with_the_nearest():
    done = packed_scenes("analize", "x.jpg")
    assert done.returncode == 2
    assert done.stderr == "error: there is no command 'analize'. Did you mean analyze?\n"


def test_every_command_of_the_overview_is_there(capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert not end.value.code
        assert f"packed-scenes {name}" in capsys.readouterr().out


def test_completion_of_commands_and_options():
    ask = {"_PACKED_SCENES_COMPLETE": "complete_bash", "COMP_CWORD": "1", "COMP_WORDS": "packed-scenes an"}
    assert packed_scenes(**ask).stdout.split() == ["analyze"]
    ask |= {"COMP_CWORD": "2", "COMP_WORDS": "packed-scenes analyze --conf"}
    assert packed_scenes(**ask).stdout.split() == ["--confidence"]


def test_the_overview_loads_no_library():
    code = (
        "import sys; from packed_scenes.cli import main; main([])\n"
        "assert not {'typer', 'numpy', 'rich', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

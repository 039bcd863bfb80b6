"""Options known by an earlier name in people's scripts go on working, and one line says the name of today."""

from __future__ import annotations

import sys

# (command, option) -> its name now, and what became of its values
RENAMED = {
    ("study", "--sort"): ("--folders", {"no": "none", "link": "links", "copy": "copies"}),
}


def today(arguments: list[str]) -> list[str]:
    """The arguments of the program with the names of today."""
    if not arguments:
        return arguments
    command, given = arguments[0], arguments[1:]
    if command == "describe" and "--names" in given:
        _say("describe --names", "embedders")
        return ["embedders", *(["--json"] if "--json" in given else [])]
    result, values = [command], dict[str, str]()
    for argument in given:
        name, equals, value = argument.partition("=")
        if (command, name) in RENAMED:
            now, values = RENAMED[command, name]
            _say(name, now)
            result.append(f"{now}={values.get(value, value)}" if equals else now)
            values = {} if equals else values
        else:
            result.append(values.get(argument, argument))
            values = {}
    return result


def _say(before: str, now: str) -> None:
    print(f"note: {before} is called {now} now", file=sys.stderr)

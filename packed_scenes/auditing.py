"""Known weaknesses of the installed packages, by pip-audit."""

from __future__ import annotations

import importlib.util
import json as jsons
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

from packed_scenes.data.errors import InputError

FOUND = 1  # pip-audit's exit code when it knows of a weakness


def audit(*, service: str = "pypi", ignore: Sequence[str] = (), json: bool = False, say: Callable[[str], None]) -> int:
    """Run pip-audit over the packages of this Python; a table or pip-audit's JSON goes to standard output.

    Args:
        service: ``"pypi"`` or ``"osv"``.
        ignore: ids of advisories to pass over.
        json: JSON instead of a table.
        say: gets the remarks: how many packages were looked up, which could not be.

    Returns:
        0 if nothing is known, 1 if something is.

    Raises:
        InputError: if pip-audit is not installed, or could not reach the advisories, or they know no package.
    """
    if service not in ("pypi", "osv"):
        raise InputError(f"service must be pypi or osv, got {service!r}")
    if importlib.util.find_spec("pip_audit") is None:
        raise InputError(
            "pip-audit is not installed",
            remedy="uv run --with pip-audit scripts/audit_dependencies.py, or uv sync --extra audit",
        )
    command = [sys.executable, "-m", "pip_audit", "--skip-editable", "--progress-spinner", "off", "--format", "json"]
    # Named one by one: of an environment on top of another, as `uv run --with` makes it, pip-audit sees nothing.
    command += [word for place in _places() for word in ("--path", place)]
    command += ["--vulnerability-service", service]
    command += [word for name in ignore for word in ("--ignore-vuln", name)]
    done = subprocess.run(command, capture_output=True, text=True)
    # It exits with 1 for its own failures, too; then there is no result on standard output.
    if done.returncode not in (0, FOUND) or not done.stdout.strip():
        lines = done.stderr.strip().splitlines()
        raise InputError(
            f"the advisories could not be asked ({lines[-1] if lines else 'no answer'})",
            remedy="It needs the network; try again, or another --service.",
        )
    packages: list[dict[str, Any]] = jsons.loads(done.stdout)["dependencies"]
    missed = [p for p in packages if "skip_reason" in p and "editable" not in p["skip_reason"]]
    asked = [p for p in packages if "skip_reason" not in p]
    if not asked:  # pip-audit finds no weakness then, and says so
        why = missed[0]["skip_reason"] if missed else "none is installed"
        raise InputError(
            f"none of {len(missed)} packages was looked up ({why})",
            remedy="A mirror of the index may have no advisories; try where the index itself is in reach, "
            "or another --service.",
        )
    if json:
        print(done.stdout.rstrip())
    else:
        for package in asked:
            for known in package["vulns"]:
                fixed = ", ".join(known["fix_versions"]) or "no fix"
                print(f"{package['name']} {package['version']}  {known['id']}  {fixed}")
    say(f"{len(asked)} packages looked up, {sum(bool(p['vulns']) for p in asked)} with a known weakness")
    if missed:
        say(f"{len(missed)} could not be looked up: {', '.join(p['name'] for p in missed)}")
    return done.returncode


def _places() -> list[str]:
    """The folders in which packages are installed, in the order of the path."""
    return list(dict.fromkeys(str(found.locate_file("")) for found in metadata.distributions()))

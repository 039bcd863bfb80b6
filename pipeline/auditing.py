"""Known weaknesses of the installed packages, by pip-audit."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Sequence

from data.errors import InputError

FOUND = 1  # pip-audit's exit code when it knows of a weakness


def audit(*, service: str = "pypi", ignore: Sequence[str] = (), json: bool = False, say: Callable[[str], None]) -> int:
    """Run pip-audit over the packages of this Python; its table or JSON goes to standard output.

    Args:
        service: ``"pypi"`` or ``"osv"``.
        ignore: ids of advisories to pass over.
        json: JSON instead of a table.
        say: gets pip-audit's own remarks.

    Returns:
        0 if nothing is known, 1 if something is.

    Raises:
        InputError: if pip-audit is not installed, or could not reach the advisories.
    """
    if service not in ("pypi", "osv"):
        raise InputError(f"service must be pypi or osv, got {service!r}")
    if importlib.util.find_spec("pip_audit") is None:
        raise InputError(
            "pip-audit is not installed",
            remedy="uv run --with pip-audit scripts/audit_dependencies.py, or uv sync --extra audit",
        )
    command = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off"]
    command += ["--vulnerability-service", service, "--format", "json" if json else "columns"]
    command += [word for name in ignore for word in ("--ignore-vuln", name)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.stdout.strip():
        print(done.stdout.rstrip())
    lines = done.stderr.strip().splitlines()
    # It exits with 1 for its own failures, too; then there is no result on standard output.
    if done.returncode not in (0, FOUND) or (done.returncode == FOUND and not done.stdout.strip()):
        raise InputError(
            f"the advisories could not be asked ({lines[-1] if lines else 'no answer'})",
            remedy="It needs the network; try again, or --service osv.",
        )
    for line in lines:
        say(line)
    return done.returncode

"""Names for what a package can make; a module is imported only when its name is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from packed_scenes.data.errors import InputError


class Registry:
    """A table from names to objects of a package's modules.

    Args:
        what: what is named, for messages: ``"embedder"``.
        package: the package that the modules belong to.
        table: name -> ``"module:object"``, the module relative to the package.
    """

    def __init__(self, what: str, package: str, table: Mapping[str, str]) -> None:
        self._what, self._package, self._table = what, package, dict(table)

    def names(self) -> list[str]:
        """Every name, in the order of the table."""
        return list(self._table)

    def check(self, name: str, *, remedy: str = "") -> None:
        """Raise ``InputError``, with the known names, unless the name is known.

        Args:
            name: to be checked.
            remedy: what else could be given, for the message.
        """
        if name not in self._table:
            known = f"Known: {', '.join(self._table)}"
            raise InputError(f"unknown {self._what} {name!r}", remedy=f"{known}{remedy and f'; {remedy}'}.")

    def get(self, name: str) -> Any:
        """Import and return the object of a name.

        Raises:
            InputError: if the name is unknown.
        """
        self.check(name)
        module, attribute = self._table[name].split(":")
        return getattr(import_module(f"{self._package}.{module}"), attribute)

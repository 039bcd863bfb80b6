"""Lazy exports for package ``__init__`` files, so that importing a package loads none of its heavy libraries."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def attach(package: str, exports: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Make the module hooks of PEP 562 for a package.

    Args:
        package: the package's ``__name__``.
        exports: public name -> submodule that defines it (relative, such as ``"objects"``).

    Returns:
        ``__getattr__``, ``__dir__`` and ``__all__`` for the package to assign.

    Example:
        ``__getattr__, __dir__, __all__ = attach(__name__, {"Objects": "objects"})``
    """
    names = sorted(exports)

    def getattr_(name: str) -> Any:
        if name not in exports:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{exports[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def dir_() -> list[str]:
        return names

    return getattr_, dir_, names

"""No import circles: neither at the top of modules nor inside functions; only annotations may look back."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from packed_scenes.data.extras import EXTRAS

PACKAGE = Path(__file__).resolve().parents[1] / "packed_scenes"


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name; the rooms are reached through their links."""
    found = {}
    for path in (p for folder in (PACKAGE, *PACKAGE.iterdir()) if folder.is_dir() for p in folder.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[str]:
    """Names that the code imports, those of ``if TYPE_CHECKING:`` left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one module."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = sorted(graph)
    number = {name: i for i, name in enumerate(names)}
    edges = [(number[a], number[b]) for a, targets in graph.items() for b in targets]
    rows, columns = np.array(edges).T
    matrix = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(names), len(names)))
    count, label = connected_components(matrix, directed=True, connection="strong")
    groups = [[names[i] for i in np.flatnonzero(label == one)] for one in range(count)]
    return [group for group in groups if len(group) > 1]


def test_a_circle_is_found():
    code = "if TYPE_CHECKING:\n    import a\ndef f():\n    from x import b\nimport c"
    assert list(imports(ast.parse(code))) == ["x.b", "c"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_there_are_no_import_circles():
    known = modules()
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        wanted = imports(parsed(path))
        targets = (one if one in known else one.rpartition(".")[0] for one in wanted)
        graph[name] = {target for target in targets if target in known and target != name}
    assert len(graph) > 200
    assert circles(graph) == []


def third_party(tree: ast.AST) -> set[str]:
    """Top-level names of the libraries that the code imports, without Python's own and without annotations' imports."""
    names = {name.partition(".")[0] for name in imports(tree)}
    return names - set(sys.stdlib_module_names) - {"packed_scenes"}


def test_every_library_is_of_the_core_or_of_an_extra_that_a_message_can_name():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {
        "cv2": "opencv-python", "PIL": "pillow", "sklearn": "scikit-learn", "faiss": "faiss-cpu", "yaml": "pyyaml",
        "skimage": "scikit-image", "umap": "umap-learn", "pytorch_grad_cam": "grad-cam", "pi_heif": "pi-heif",
    }  # fmt: skip

    def libraries(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[>=<]", one)[0] for one in requirements}

    core, extras = libraries(project["dependencies"]), project["optional-dependencies"]
    for library, extra in EXTRAS.items():
        assert named.get(library, library) in libraries(extras[extra]), library
    used = {name for path in modules().values() for name in third_party(parsed(path))}
    stray = {name for name in used if named.get(name, name) not in core and name not in EXTRAS}
    assert stray <= {"click", "IPython"}  # typer brings one, a notebook the other


def test_tests_reach_for_no_private_name():
    tests = Path(__file__).parent
    private = re.compile(r"from packed_scenes[\w.]* import [^\n]*\b_[a-z]|setattr\(\s*\"packed_scenes[\w.]*\._[a-z]")
    found = {str(p.relative_to(tests)) for p in tests.rglob("*.py") if private.search(p.read_text(encoding="utf-8"))}
    assert found == set()

"""What is studied: crops with their descriptors, or descriptor matrices that someone already has, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.crops.values import FOLDERS, PREFIX, read_values
from packed_scenes.data.checks import text_array
from packed_scenes.data.damage import one_line_of
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import check_file, sha256_file
from packed_scenes.data.folders import list_images
from packed_scenes.data.naming import match_names
from packed_scenes.data.tables import read_table
from packed_scenes.data.text import read_text

SAME_ROWS = "Matrices and crops must have the same rows."
MATRICES = frozenset({".npy", ".npz", ".parquet", ".pkl", ".pickle"})
TRUTH_COLUMNS = ("label", "class", "identity", "category", "cluster", "type", "truth")
PATH_COLUMNS = ("path", "file", "filename", "image")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Descriptor:
    """One descriptor of the N rows.

    Attributes:
        name: for people; unique in a study.
        file: .npy with the (N, D) matrix, which processes map.
        content: SHA-256 of what it was made from: part of every model's key.
        columns: D.
        card: how it was made, for the report.
        errors: .npy with the (N,) reconstruction errors of an autoencoder, or None.
    """

    name: str
    file: Path
    content: str
    columns: int
    card: dict[str, Any]
    errors: Path | None = None


@dataclass(frozen=True)
class Collection:
    """Rows and what is known about them.

    Attributes:
        rows: N.
        descriptors: one or more.
        paths: (N,) crop files, or None where only matrices were given.
        truth: (N,) int64 names of the true groups, -1 = unknown; None without truth.
        truth_names: what the numbers mean.
        failed: (file, reason) of crops that could not be read.
    """

    rows: int
    descriptors: tuple[Descriptor, ...]
    paths: tuple[Path, ...] | None = None
    truth: npt.NDArray[np.int64] | None = None
    truth_names: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


def gather(
    inputs: Sequence[str | Path],
    *,
    cache: str | Path,
    descriptors: Sequence[str] = ("default",),
    truth: str | None = None,
    mask: str | None = None,
    trust: bool = False,
    device: str = "auto",
    seed: int = 0,
    progress: Callable[[str], Progress | None] | None = None,
) -> Collection:
    """Collect what is to be studied.

    Args:
        inputs: folders of crops and crop files; or one table (.csv) with a column of paths; or matrices (.npy, .npz,
            .parquet) of the same rows.
        cache: folder where descriptors are kept.
        descriptors: names for crops (``packed_scenes.embed.descriptors.names()``), or matrix files of the same crops in
            their order.
        truth: ``folders`` (the folder a crop lies in), ``name:PATTERN`` (a regular expression with one group, searched
            in the file's name), or a file: .csv (columns path and label, or label alone in order), .npy, .txt (a line
            per row).
        mask: hides the background of crops first: threshold, grabcut, deeplab.
        trust: open pickles.
        device: auto, cpu or cuda.
        seed: of what is trained (an autoencoder).
        progress: called with a descriptor's name, returns a function of (done, all).

    Raises:
        InputError: for a missing or empty input, unequal numbers of rows, or truth that does not fit.
    """
    given = [Path(item) for item in inputs]
    if not given:
        raise InputError("nothing to study", remedy="Give a folder of crops, a table of paths, or matrices.")
    table = [path for path in given if path.suffix.lower() == ".csv"]
    matrices = [path for path in given if path.suffix.lower() in MATRICES]
    if matrices and len(matrices) < len(given):
        raise InputError(
            "matrices are mixed with crops", file=matrices[0], remedy="Name them with --descriptors beside the crops."
        )
    if table and len(given) > 1:
        raise InputError("a table must be the only input", file=table[0], remedy="Leave the others out.")
    if matrices:
        found = _of_matrices(matrices, Path(cache), trust)
    else:
        files, labels = _of_table(table[0]) if table else (list_images(given), None)
        found = _of_crops(files, labels, descriptors, Path(cache), mask, trust, device, seed, progress)
    return found if truth is None else with_truth(found, truth, given)


def _of_matrices(files: Sequence[Path], cache: Path, trust: bool) -> Collection:
    from packed_scenes.embed.descriptors import load_table

    made: list[Descriptor] = []
    paths: list[str] | None = None
    labels: list[str] | None = None
    rows = 0
    for file in files:
        table = load_table(file, trust=trust)
        if made and len(table.matrix) != rows:
            raise InputError(f"has {len(table.matrix)} rows, {files[0]} has {rows}", file=file, remedy=SAME_ROWS)
        rows, paths, labels = len(table.matrix), paths or table.paths, labels or table.labels
        made.append(_mapped(file, table.matrix, cache, _unique(file.stem, made)))
    crops = tuple(map(Path, paths)) if paths and all(Path(p).is_file() for p in paths) else None
    return _labelled(Collection(rows, tuple(made), crops), labels)


def _mapped(file: Path, matrix: npt.NDArray[Any], cache: Path, name: str) -> Descriptor:
    """A matrix as a .npy that processes can map: the file itself, or a copy where it is packed."""
    content = sha256_file(file)
    if file.suffix.lower() != ".npy" or matrix.dtype.kind == "O":
        from packed_scenes.data.files import atomic_write

        copy = cache / f"matrix-{content[:20]}.npy"
        if not copy.is_file():
            with atomic_write(copy) as temporary:
                out = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=matrix.shape)
                for low in range(0, len(matrix), 65536):
                    out[low : low + 65536] = matrix[low : low + 65536]
                out.flush()
        file = copy
    return Descriptor(name, file.absolute(), content, matrix.shape[1], {"name": name, "given": True})


def _of_table(file: Path) -> tuple[list[Path], list[str] | None]:
    frame = _read_csv(file)
    column = next((c for c in PATH_COLUMNS if c in frame), None)
    if column is None:
        raise InputError(
            f"has no column of paths, only {', '.join(frame)}", file=file, remedy=f"Name it {PATH_COLUMNS[0]}."
        )
    paths = [p if p.is_absolute() else file.parent / p for p in map(Path, frame[column])]
    missing = next((p for p in paths if not p.is_file()), None)
    if missing is not None:
        raise InputError(f"names {missing}, which is no file", file=file, remedy="Correct this line.")
    label = next((c for c in TRUTH_COLUMNS if c in frame), None)
    return paths, None if label is None else frame[label]


def _of_crops(
    files: list[Path],
    labels: list[str] | None,
    descriptors: Sequence[str],
    cache: Path,
    mask: str | None,
    trust: bool,
    device: str,
    seed: int,
    progress: Callable[[str], Progress | None] | None,
) -> Collection:
    from packed_scenes.embed.descriptors import extract, load_table

    made: list[Descriptor] = []
    failed: dict[Path, str] = {}
    kept = files
    # Given matrices come last: they must have the rows that are left when unreadable crops are out.
    for name in sorted(descriptors, key=lambda d: Path(d).suffix.lower() in MATRICES):
        if Path(name).suffix.lower() in MATRICES:
            table = load_table(name, trust=trust)
            if len(table.matrix) != len(kept):
                raise InputError(
                    f"has {len(table.matrix)} rows for {len(kept)} readable crops", file=name, remedy=SAME_ROWS
                )
            made.append(_mapped(Path(name), table.matrix, cache, _unique(Path(name).stem, made)))
            continue
        bar = progress(name) if progress else None
        found = extract(kept, name, cache=cache, device=device, mask=mask, seed=seed, progress=bar)
        if found.failed and made:
            raise InputError(
                f"became unreadable during the study: {found.failed[0][1]}",
                file=found.failed[0][0],
                remedy="Start it again.",
            )
        failed.update(found.failed)
        kept = found.paths
        made.append(
            Descriptor(
                _unique(str(found.card["name"]), made), found.file.absolute(), sha256_file(found.file),
                found.matrix.shape[1], found.card, found.errors_file and found.errors_file.absolute(),
            )
        )  # fmt: skip
    gone = set(failed)
    if labels is not None:
        labels = [label for path, label in zip(files, labels, strict=True) if path not in gone]
    reasons = tuple((str(path), reason) for path, reason in failed.items())
    return _labelled(Collection(len(kept), tuple(made), tuple(kept), failed=reasons), labels)


def with_truth(found: Collection, truth: str, given: Sequence[Path]) -> Collection:
    """Return the collection with the true identities that ``--truth`` names."""
    if truth in FOLDERS or truth.startswith(PREFIX):
        if found.paths is None:
            raise InputError(f"--truth {truth} needs crops, and matrices were given", remedy="Give a file of labels.")
        return _labelled(found, read_values(truth, [_name(path, given) for path in found.paths], some=True))
    file = Path(truth)
    if file.suffix.lower() == ".npy":
        check_file(file, what="truth")
        with one_line_of(file, "cannot be read", remedy="Write it again."):
            array = np.load(file, allow_pickle=False)
        return _labelled(found, [str(v) for v in array.ravel()], file)
    if file.suffix.lower() == ".csv":
        return _labelled(found, _labels_of_csv(file, found), file)
    lines = read_text(file, what="truth", any_encoding=True).splitlines()
    while len(lines) > found.rows and not lines[-1].strip():
        lines.pop()
    return _labelled(found, [line.strip() for line in lines], file)


def _labels_of_csv(file: Path, found: Collection) -> list[str]:
    frame = _read_csv(file)
    label = next((c for c in TRUTH_COLUMNS if c in frame), None)
    if label is None:
        raise InputError(f"has no column {TRUTH_COLUMNS[0]}, only {', '.join(frame)}", file=file, remedy="Name it so.")
    column = next((c for c in PATH_COLUMNS if c in frame), None)
    if column is None or found.paths is None:
        return frame[label]
    known = dict(zip(frame[column], frame[label], strict=True))
    if len(known) != len(set(zip(frame[column], frame[label], strict=True))):
        raise InputError("gives one crop two labels", file=file, remedy="Remove one of the lines.")
    entries = [str(p if Path(p).is_absolute() or not (file.parent / p).is_file() else (file.parent / p).absolute())
               for p in known]  # fmt: skip
    texts = list(known.values())
    matched = match_names([str(path.absolute()) for path in found.paths], entries)
    labels = [texts[matched.entry[row]] if row in matched.entry else "" for row in range(len(found.paths))]
    if not any(labels):
        raise InputError("names none of the crops", file=file, remedy="Paths are taken from the file's own folder.")
    return labels


def _name(path: Path, given: Sequence[Path]) -> str:
    """The path below the input that a crop lies in; a crop directly in it keeps the input's own name in front."""
    for root in given:
        if root.is_dir() and path.is_relative_to(root):
            inner = path.relative_to(root)
            return inner.as_posix() if len(inner.parts) > 1 else f"{root.name}/{inner}"
    return f"{path.parent.name}/{path.name}"


def _labelled(found: Collection, labels: Sequence[str] | None, file: Path | None = None) -> Collection:
    if labels is None:
        return found
    if len(labels) != found.rows:
        raise InputError(f"{len(labels)} true labels for {found.rows} rows", file=file, remedy="One label per row.")
    names, numbers = np.unique(text_array(labels, file=file), return_inverse=True)
    if len(names) < 2:
        raise InputError("all true labels are the same", file=file, remedy="Leave --truth out.")
    known = np.flatnonzero(names != "")
    place = np.full(len(names), -1, np.int64)
    place[known] = np.arange(len(known))
    return replace(found, truth=place[numbers], truth_names=tuple(names[known].tolist()))


def _read_csv(file: Path) -> dict[str, list[str]]:
    table = read_table(file)
    rows = [cells for _, cells in table.records()]
    if not table.header or not rows:
        raise InputError("holds no rows under a header", file=file, remedy="Write it again.")
    return {name: [row[name] for row in rows] for name in table.header if name}


def _unique(name: str, made: Sequence[Descriptor]) -> str:
    taken = {one.name for one in made}
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in taken)

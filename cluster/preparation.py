"""What is done to a descriptor matrix before it is clustered: a declared chain such as ``pca60+minmax``.

Each step is fitted in one pass over the rows that the steps before it give, in chunks, and exactly: means and
covariances are merged chunk by chunk (Chan, Golub, LeVeque 1979), extremes are extremes. The result is what
scikit-learn's classes give on the whole matrix in memory (tested), without ever holding it.

Memory: a chunk of ``CHUNK_BYTES`` in a few copies, and for PCA one D x D float64 covariance (42 MB at D = 2,304; more
than 8,192 columns are refused). Passes over the matrix: one per fitted step and one to write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.arrays import unit_rows
from packed_scenes.data.files import atomic_write

CHUNK_BYTES = 1 << 25  # of float64 rows; larger chunks are no faster, smaller ones waste the matrix product
MAX_COLUMNS = 8192
GRAMMAR = "pcaNN (per cent of the variance), pcaNNd (dimensions), minmax, standard, unit, none, joined by +"

Rows = npt.NDArray[Any]
Chunks = Callable[[], Iterator[npt.NDArray[np.float64]]]


class Step:
    """One step: ``fit`` reads chunks of float64 rows, ``rows`` in all; ``apply`` maps rows."""

    name: str

    def fit(self, chunks: Chunks, rows: int) -> None:
        """Learn from one pass; steps that learn nothing don't read."""

    def apply(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(n, D) float64 -> (n, d) float64."""
        raise NotImplementedError

    def summary(self) -> dict[str, Any]:
        """What was learned, as JSON values for a report."""
        return {}


class Unit(Step):
    """Rows to length 1; a zero row stays zero."""

    name = "unit"

    def apply(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """See :class:`Step`."""
        return unit_rows(rows, min_norm=np.finfo(np.float64).tiny)


class MinMax(Step):
    """Columns to 0…1 over the fitted rows; constant columns become 0."""

    name = "minmax"

    def fit(self, chunks: Chunks, rows: int) -> None:
        """See :class:`Step`."""
        extremes = [(chunk.min(0), chunk.max(0)) for chunk in chunks()]
        self.low: npt.NDArray[np.float64] = np.min([low for low, _ in extremes], 0)
        span = np.max([high for _, high in extremes], 0) - self.low
        self.span: npt.NDArray[np.float64] = np.where(span > 10 * np.finfo(np.float64).eps, span, 1)

    def apply(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """See :class:`Step`."""
        return (rows - self.low) / self.span


class Standard(Step):
    """Columns to mean 0 and variance 1 (of N, not N - 1); constant columns become 0."""

    name = "standard"

    def fit(self, chunks: Chunks, rows: int) -> None:
        """See :class:`Step`."""
        count, mean, squares = 0, np.zeros(1), np.zeros(1)
        for chunk in chunks():
            n, own = len(chunk), chunk.mean(0)
            delta = own - mean
            squares = squares + ((chunk - own) ** 2).sum(0) + delta**2 * (count * n / (count + n))
            mean = mean + delta * (n / (count + n))
            count += n
        deviation = np.sqrt(squares / count)
        tiny = 10 * np.finfo(np.float64).eps * np.maximum(np.abs(mean), 1)
        self.mean, self.deviation = mean, np.where(deviation > tiny, deviation, 1)

    def apply(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """See :class:`Step`."""
        return (rows - self.mean) / self.deviation


class PCA(Step):
    """Principal components, exact, of the merged covariance; signs as scikit-learn chooses them.

    Args:
        share: keep the fewest components that explain more than this share of the variance, 0…1.
        dimensions: or keep so many (fewer where the matrix has not so many columns or rows).

    Attributes after ``fit``:
        mean: (D,).
        components: (d, D) orthonormal rows.
        explained: (d,) shares of the variance.
    """

    def __init__(self, *, share: float | None = None, dimensions: int | None = None) -> None:
        self.share, self.dimensions = share, dimensions
        self.name = f"pca{dimensions}d" if share is None else f"pca{share * 100:g}"

    def fit(self, chunks: Chunks, rows: int) -> None:
        """See :class:`Step`."""
        count, mean, scatter = 0, np.zeros(1), np.zeros((1, 1))
        for chunk in chunks():
            if chunk.shape[1] > MAX_COLUMNS:
                raise InputError(
                    f"PCA of {chunk.shape[1]} columns needs more than {MAX_COLUMNS**2 * 8 / 2**30:.1f} GiB",
                    remedy="Choose a descriptor with fewer columns.",
                )
            n, own = len(chunk), chunk.mean(0)
            centred, delta = chunk - own, own - mean
            if n == rows and n < chunk.shape[1]:  # few rows: the covariance would be larger than they are
                _, singular, vectors = np.linalg.svd(centred, full_matrices=False)
                self._keep(own, singular**2, vectors, n)
                return
            scatter = scatter + centred.T @ centred + np.outer(delta, delta) * (count * n / (count + n))
            mean = mean + delta * (n / (count + n))
            count += n
        values, vectors = np.linalg.eigh(scatter)
        self._keep(mean, np.maximum(values[::-1], 0), vectors[:, ::-1].T, count)

    def _keep(
        self,
        mean: npt.NDArray[np.float64],
        values: npt.NDArray[np.float64],
        vectors: npt.NDArray[np.float64],
        count: int,
    ) -> None:
        total = values.sum()
        shares = values / total if total > 0 else np.zeros_like(values)
        most = max(1, min(len(values), count - 1))
        if total <= 0:
            kept = 1  # all rows are equal: nothing to explain
        elif self.share is None:
            kept = min(self.dimensions or 1, most)
        else:
            # as scikit-learn counts: the first component at which the sum exceeds the share
            kept = min(int(np.searchsorted(np.cumsum(shares), self.share, side="right")) + 1, most)
        strongest = np.abs(vectors[:kept]).argmax(1)
        signs = np.sign(vectors[np.arange(kept), strongest])
        self.mean, self.components, self.explained = mean, vectors[:kept] * signs[:, None], shares[:kept]

    def apply(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """See :class:`Step`."""
        projected: npt.NDArray[np.float64] = (rows - self.mean) @ self.components.T
        return projected

    def summary(self) -> dict[str, Any]:
        """See :class:`Step`."""
        return {"dimensions": len(self.components), "explained": round(float(self.explained.sum()), 4)}


class Preparation:
    """A chain of steps, fitted on a matrix that may be larger than memory.

    Args:
        steps: in order; none = the matrix as it is.

    Attributes:
        name: the chain as :meth:`parse` reads it.
        steps: as given, fitted after ``fit``.
    """

    def __init__(self, steps: Sequence[Step] = ()) -> None:
        self.steps = list(steps)
        self.name = "+".join(step.name for step in self.steps) or "none"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a declared chain: ``pca60+minmax``, ``unit+pca32d``, ``standard``, ``none``.

        ``pca60`` (or ``pca60%``, or ``pca`` alone) keeps the fewest components that explain more than 60 % of the
        variance, ``pca32d`` keeps 32 components.

        Raises:
            InputError: for a step that does not exist, with the grammar.
        """
        steps: list[Step] = []
        plain: dict[str, Callable[[], Step]] = {"minmax": MinMax, "standard": Standard, "unit": Unit}
        for word in text.lower().replace(" ", "").split("+"):
            match = re.fullmatch(r"pca(?:(\d+(?:\.\d+)?)%?|(\d+)d)?", word)
            if match and match[2]:
                steps.append(PCA(dimensions=int(match[2])))
            elif match:
                steps.append(PCA(share=float(match[1] or 60) / 100))
            elif word in plain:
                steps.append(plain[word]())
            elif word not in ("none", "raw"):
                raise InputError(f"unknown preparation {word!r} in {text!r}", remedy=f"Known: {GRAMMAR}.")
        for step in steps:
            if isinstance(step, PCA) and (step.dimensions == 0 if step.share is None else not 0 < step.share <= 1):
                raise InputError(
                    f"{step.name} keeps nothing or more than all", remedy="Say 1 to 100 per cent, or 1d up."
                )
        return cls(steps)

    def fit(self, X: Rows) -> Self:
        """Fit every step.

        Args:
            X: (N, D) float or integer matrix, in memory or mapped.

        Raises:
            InputError: if X is no (N, D) matrix, empty, or has a NaN or infinite value (its row is named).
        """
        check(X)
        for number, step in enumerate(self.steps):
            step.fit(lambda before=self.steps[:number]: _chunks(X, before), len(X))  # type: ignore[misc]
        return self

    def transform(self, X: Rows, *, out: str | Path | None = None) -> npt.NDArray[np.float32]:
        """Apply the fitted steps.

        Args:
            X: (N, D) matrix with the fitted number of columns.
            out: ``.npy`` file for the result, written whole or not at all; None = in memory.

        Returns:
            (N, d) float32: a read-only memory map of ``out``, or an array.
        """
        check(X)
        first = self._apply(np.asarray(X[:1], np.float64))
        if out is None:
            result = np.empty((len(X), first.shape[1]), np.float32)
            self._write(X, result)
            return result
        with atomic_write(out) as temporary:
            mapped = np.lib.format.open_memmap(temporary, "w+", np.float32, (len(X), first.shape[1]))
            self._write(X, mapped)
            mapped.flush()
            del mapped
        return np.load(out, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]

    def fit_transform(self, X: Rows, *, out: str | Path | None = None) -> npt.NDArray[np.float32]:
        """:meth:`fit`, then :meth:`transform` of the same matrix."""
        return self.fit(X).transform(X, out=out)

    def summary(self) -> list[dict[str, Any]]:
        """What each fitted step did, as JSON values: its name; of PCA the dimensions and the share explained."""
        return [{"step": step.name} | step.summary() for step in self.steps]

    def _apply(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        for step in self.steps:
            rows = step.apply(rows)
        return rows

    def _write(self, X: Rows, result: npt.NDArray[np.float32]) -> None:
        start = 0
        for chunk in _chunks(X, self.steps):
            result[start : start + len(chunk)] = chunk
            start += len(chunk)


def check(X: Rows) -> None:
    """Raise InputError unless X is a non-empty (N, D) matrix of numbers; values are checked chunk by chunk later."""
    if not isinstance(X, np.ndarray) or X.ndim != 2 or 0 in X.shape or X.dtype.kind not in "fiu":
        found = f"{X.dtype} {X.shape}" if isinstance(X, np.ndarray) else type(X).__name__
        raise InputError(f"a matrix must hold numbers and have shape (N, D), got {found}")


def _chunks(X: Rows, steps: Sequence[Step]) -> Iterator[npt.NDArray[np.float64]]:
    """Rows of X in float64 chunks, through the steps."""
    step = max(1, CHUNK_BYTES // (X.shape[1] * 8))
    for start in range(0, len(X), step):
        rows = np.asarray(X[start : start + step], np.float64)
        if not np.isfinite(rows).all():
            bad = start + int(np.flatnonzero(~np.isfinite(rows).all(1))[0])
            raise InputError(f"row {bad} of the matrix has a NaN or infinite value", remedy="Leave such rows out.")
        for one in steps:
            rows = one.apply(rows)
        yield rows

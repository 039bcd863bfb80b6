"""Linear discriminant analysis of more vectors than fit in memory: scatter is summed part by part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.data.files import atomic_write

Matrix = npt.NDArray[np.float64]


@dataclass
class Scatter:
    """What the analysis needs of the vectors seen so far; memory is D x D and K x D float64.

    Attributes:
        within: (D, D) sum over vectors of the outer product of their difference from their class's mean.
        means: (K, D) class means.
        count: number of vectors.
    """

    within: Matrix
    means: Matrix
    count: int = 0

    @classmethod
    def empty(cls, width: int) -> Scatter:
        """Nothing seen yet, of vectors with ``width`` components."""
        return cls(np.zeros((width, width)), np.zeros((0, width)))

    def add(self, vectors: npt.NDArray[np.float32], label: npt.NDArray[np.int64]) -> None:
        """Add (N, D) vectors of whole classes: a class is never split between two calls."""
        label = np.unique(label, return_inverse=True)[1]
        means = np.zeros((int(label.max()) + 1, vectors.shape[1]))
        np.add.at(means, label, vectors)
        means /= np.bincount(label)[:, None]
        apart = vectors - means[label]
        self.within += apart.T @ apart
        self.means = np.concatenate([self.means, means])
        self.count += len(vectors)

    def projection(self, dimension: int, *, ridge: float = 1.0, floor: float = 0.0) -> tuple[Matrix, Matrix]:
        """The linear map under which classes lie apart: ``x @ weight.T + bias``.

        Each direction counts as much as classes differ in it: by sqrt(e / (1 + e)), where e is the ratio of the
        variance between classes to that within them; with a floor by sqrt((e + floor) / (1 + e)), so that what only
        classes not seen here differ in is kept.

        Args:
            dimension: rows of the map, at most D; directions beyond K - 1 tell nothing and are 0 (without a floor).
            ridge: share of the mean variance within classes that is added in every direction, so that those seen in few
                vectors are not trusted.
            floor: at least 0; 0 leaves only what these classes differ in.

        Returns:
            ``weight`` (dimension, D) and ``bias`` (dimension,).
        """
        from scipy.linalg import eigh

        within = self.within / max(1, self.count - len(self.means))
        within += ridge * np.trace(within) / len(within) * np.eye(len(within))
        ratio, direction = eigh(np.cov(self.means.T), within)
        ratio, direction = ratio[::-1][:dimension], direction[:, ::-1][:, :dimension]
        ratio = np.where(np.arange(len(ratio)) < len(self.means) - 1, np.maximum(ratio, 0), 0)
        direction *= np.where(direction.sum(0) < 0, -1.0, 1.0)  # eigenvectors have no sign of their own
        weight = (direction * np.sqrt((ratio + floor) / (1 + ratio))).T
        return weight, -weight @ self.means.mean(0)

    def save(self, path: Path) -> None:
        """Write whole or not at all."""
        with atomic_write(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, within=self.within, means=self.means, count=self.count)

    @classmethod
    def load(cls, path: Path) -> Scatter:
        """Read what :meth:`save` wrote."""
        with np.load(path) as stored:
            return cls(stored["within"], stored["means"], int(stored["count"]))

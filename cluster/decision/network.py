"""The judge: a small network over the lists of one set, run by numpy.

Every pair, every object and the whole set get a state; each object gathers the states of its pairs, the set those of
its objects, and both are passed back to the pairs. Then, ``ROUNDS`` times, each pair reads the present answers: how
many mates both objects have, and how many are common, which is where answers that contradict each other (a like b, b
like c, a unlike c) are resolved. Everything is symmetric in the two objects of a pair and invariant to the
order of the rows. Widths and depths stand in the weights; trained by ``train-decision``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from packed_scenes.cluster.decision.features import Features
from packed_scenes.cluster.decision.lists import Floats, Ints, common
from packed_scenes.data import InputError

WEIGHTS = Path(__file__).resolve().parent.parent.parent / "assets" / "decision.safetensors"
BOUND = 8.0  # standardised figures are clipped here
ROWS = 512  # objects whose pairs are judged at a time: what fits into the cache

Weights = Mapping[str, Floats]


def logits(found: Features, weights: Weights) -> Floats:
    """Return the (N, k) float32 log-odds that the pairs of the lists are of one identity.

    Memory: the states of all pairs, 160 bytes each; the rest block by block, which is also faster.
    """
    index, layer = found.lists.index, _Layers(weights)
    objects, whole = (
        _standard(value, name, weights) for name, value in (("object", found.object), ("whole", found.whole))
    )
    message = layer("whole.2", _relu(layer("whole.1", whole))) @ weights["pair.whole"].T
    about = layer("object.2", _relu(layer("object.1", objects)))
    blocks = [slice(low, low + ROWS) for low in range(0, len(index), ROWS)]
    states, gathered = [], np.empty((len(index), len(weights["gather.bias"])), np.float32)
    for rows in blocks:
        state = layer("pair.1", _standard(found.pairs(rows), "pair", weights))
        state += _both(about, weights["pair.object"], index, rows)
        state += message
        _relu(state)
        state += _relu(layer("pair.2", state))
        gathered[rows] = _relu(layer("gather", np.concatenate([state.max(axis=1), state.mean(axis=1)], axis=1)))
        states.append(state)
    message = gathered.mean(axis=0) @ weights["again.whole"].T
    answer = np.empty(index.shape, np.float32)
    for rows, state in zip(blocks, states, strict=True):
        added = layer("again.1", state)
        added += _both(gathered, weights["again.object"], index, rows)
        added += message
        state += _relu(added)
        state += _relu(layer("again.2", state))
        answer[rows] = layer("answer", state)[..., 0]
    for number in range(rounds(weights)):
        name, heard = f"round{number}", agreement(answer, index)
        for rows, state in zip(blocks, states, strict=True):
            state += _relu(layer(f"{name}.1", heard(rows)) + layer(f"{name}.2", state))
            answer[rows] += layer(f"{name}.answer", state)[..., 0]
    return answer


def agreement(answer: Floats, index: Ints) -> Callable[[slice], Floats]:
    """What the answers so far, taken together, say about each pair: gives (n, k, 6) for some rows, as long as their
    answers are not changed.
    """
    chance = np.clip(answer, -30, 30)
    chance = np.asarray(1 / (1 + np.exp(-chance)), np.float32)
    size = 1 + chance.sum(axis=1)
    shared = common(index, chance)

    def heard(rows: slice) -> Floats:
        own, other, both = size[rows][:, None], size[index[rows]], shared[rows]
        low, high = np.minimum(own, other), np.maximum(own, other)
        union = low + high - both + np.float32(0.5)
        figures = (0.2 * answer[rows], both / union, both / low, both / high, np.log(low), np.log(high))
        return np.stack(figures, axis=-1, dtype=np.float32)

    return heard


def rounds(weights: Weights) -> int:
    """How often the pairs hear of the present answers."""
    return sum(name.startswith("round") and name.endswith(".answer.weight") for name in weights)


@cache
def load(path: Path = WEIGHTS) -> Weights:
    """Read weights, once.

    Raises:
        InputError: if the file is missing or no safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return {name: np.asarray(value, np.float32) for name, value in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"no weights of the decision: {error}", file=path, remedy="Install the package again."
        ) from error


class _Layers:
    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def __call__(self, name: str, value: Floats) -> Floats:
        return np.asarray(value @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"], np.float32)


def _standard(value: Floats, name: str, weights: Weights) -> Floats:
    return np.asarray(np.clip((value - weights[f"mean.{name}"]) / weights[f"scale.{name}"], -BOUND, BOUND))


def _both(about: Floats, weight: Floats, index: Ints, rows: slice) -> Floats:
    """What two objects' states add to their pair: a linear map of their sum and of their product."""
    width = about.shape[1]
    own, others = about[rows][:, None], about[index[rows]]
    out = others @ weight[:, :width].T
    out += own @ weight[:, :width].T
    out += (own * others) @ weight[:, width:].T
    return np.asarray(out, np.float32)


def _relu(value: Floats) -> Floats:
    return np.maximum(value, 0, out=value)

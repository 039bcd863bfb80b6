"""The judge's network pair by pair, in loops, against the blocks of arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from packed_scenes.cluster.decision import network
from packed_scenes.cluster.decision.features import Features
from packed_scenes.cluster.decision.lists import Lists
from packed_scenes.cluster.decision.network import BOUND, load, logits
from packed_scenes.data import InputError

FIGURES = {"pair": 5, "object": 3, "whole": 2}
WIDTH = {"pair": 4, "object": 3, "again": 6}


def weights_for(rng: np.random.Generator, rounds: int) -> dict[str, np.ndarray]:
    pair, state, message = WIDTH.values()
    shapes: dict[str, tuple[int, int]] = {
        "pair.1": (pair, FIGURES["pair"]), "pair.2": (pair, pair), "object.1": (state, FIGURES["object"]),
        "object.2": (state, state), "whole.1": (state, FIGURES["whole"]), "whole.2": (state, state),
        "gather": (message, 2 * pair), "again.1": (pair, pair), "again.2": (pair, pair), "answer": (1, pair),
    }  # fmt: skip
    for number in range(rounds):
        shapes |= {
            f"round{number}.1": (pair, 6), f"round{number}.2": (pair, pair), f"round{number}.answer": (1, pair),
        }  # fmt: skip
    found: dict[str, np.ndarray] = {}
    for name, shape in shapes.items():
        found[f"{name}.weight"], found[f"{name}.bias"] = rng.standard_normal(shape), rng.standard_normal(shape[0])
    found["pair.whole"], found["again.whole"] = rng.standard_normal((pair, state)), rng.standard_normal((pair, message))
    found["pair.object"] = rng.standard_normal((pair, 2 * state))
    found["again.object"] = rng.standard_normal((pair, 2 * message))
    for name, width in FIGURES.items():
        found[f"mean.{name}"], found[f"scale.{name}"] = rng.standard_normal(width), rng.random(width) / 3 + 0.05
    return {name: (0.6 * value).astype(np.float32) for name, value in found.items()}


def naive(found: Features, weights: dict[str, np.ndarray], rounds: int) -> np.ndarray:
    def layer(name: str, value: np.ndarray) -> np.ndarray:
        return weights[f"{name}.weight"] @ value + weights[f"{name}.bias"]

    def standard(name: str, value: np.ndarray) -> np.ndarray:
        return np.clip((value - weights[f"mean.{name}"]) / weights[f"scale.{name}"], -BOUND, BOUND)

    def both(name: str, one: np.ndarray, two: np.ndarray) -> np.ndarray:
        return weights[name] @ np.concatenate([one + two, one * two])

    def relu(value: np.ndarray) -> np.ndarray:
        return np.maximum(value, 0)

    index = found.lists.index.tolist()
    pairs = [(i, k, j) for i, listed in enumerate(index) for k, j in enumerate(listed)]
    message = weights["pair.whole"] @ layer("whole.2", relu(layer("whole.1", standard("whole", found.whole))))
    about = [layer("object.2", relu(layer("object.1", standard("object", value)))) for value in found.object]
    state, answer = {}, {}
    for i, k, j in pairs:
        first = relu(
            layer("pair.1", standard("pair", found.pair[i, k])) + both("pair.object", about[i], about[j]) + message
        )
        state[i, k] = first + relu(layer("pair.2", first))
    gathered = []
    for i, listed in enumerate(index):
        own = np.array([state[i, k] for k in range(len(listed))])
        gathered.append(relu(layer("gather", np.concatenate([own.max(axis=0), own.mean(axis=0)]))))
    message = weights["again.whole"] @ np.mean(gathered, axis=0)
    for i, k, j in pairs:
        heard = layer("again.1", state[i, k]) + both("again.object", gathered[i], gathered[j]) + message
        state[i, k] = state[i, k] + relu(heard)
        state[i, k] = state[i, k] + relu(layer("again.2", state[i, k]))
        answer[i, k] = layer("answer", state[i, k])[0]
    for number in range(rounds):
        chance = np.eye(len(index))
        for i, k, j in pairs:
            chance[i, j] = 1 / (1 + np.exp(-np.clip(answer[i, k], -30, 30)))
        mates, before = chance.sum(axis=1), dict(answer)
        for i, k, j in pairs:
            low, high = sorted((mates[i], mates[j]))
            common = chance[i] @ chance[j]
            union = low + high - common + 0.5
            value = [0.2 * before[i, k], common / union, common / low, common / high, np.log(low), np.log(high)]
            heard = relu(layer(f"round{number}.1", np.array(value)) + layer(f"round{number}.2", state[i, k]))
            state[i, k] = state[i, k] + heard
            answer[i, k] = before[i, k] + layer(f"round{number}.answer", state[i, k])[0]
    return np.array([[answer[i, k] for k in range(len(listed))] for i, listed in enumerate(index)])


@pytest.mark.parametrize("rounds", [0, 1, 2])
@pytest.mark.parametrize("block", [3, 512])
def test_the_network_in_loops(rounds: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "ROWS", block)
    rng = np.random.default_rng(rounds)
    rows, k = 7, 3
    index = np.array([rng.permutation([j for j in range(rows) if j != i])[:k] for i in range(rows)])
    pairs = rng.standard_normal((rows, k, FIGURES["pair"])).astype(np.float32)
    found = Features(
        Lists(index, rng.random((rows, k), np.float32)),
        lambda rows: pairs[rows],
        rng.standard_normal((rows, FIGURES["object"])).astype(np.float32),
        rng.standard_normal(FIGURES["whole"]).astype(np.float32),
    )
    weights = weights_for(rng, rounds)
    np.testing.assert_allclose(logits(found, weights), naive(found, weights, rounds), rtol=2e-3, atol=2e-3)


def test_weights_that_are_missing_or_no_safetensors_are_named(tmp_path: Path) -> None:
    (tmp_path / "torn").write_bytes(b"\x08" * 20)
    for name in ("missing", "torn"):
        with pytest.raises(InputError, match="no weights of the decision"):
            load(tmp_path / name)

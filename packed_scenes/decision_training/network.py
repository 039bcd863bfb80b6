"""The network that judges pairs, in torch, and sets as batches for it.

:mod:`packed_scenes.cluster.decision.network` runs the same weights with NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from packed_scenes.cluster.decision.features import describe
from packed_scenes.cluster.decision.lists import LENGTH
from packed_scenes.decision_training.bank import Floats
from packed_scenes.decision_training.simulate import Example

INPUTS = ("pair", "object", "whole")


@dataclass(frozen=True)
class Batch:
    """Several sets one after another: M objects in all, lists filled up to ``LENGTH``."""

    pair: Tensor  # (M, LENGTH, P)
    object: Tensor  # (M, O)
    whole: Tensor  # (sets, S)
    index: Tensor  # (M, LENGTH) rows of the batch
    there: Tensor  # (M, LENGTH) bool: the pair is in the set
    of: Tensor  # (M,) number of the set
    bounds: tuple[int, ...]  # where the sets begin, and M
    same: Tensor  # (M, LENGTH) 1 for pairs of one identity


def collate(examples: Sequence[Example]) -> Batch:
    """Describe sets and put them together."""
    parts: dict[str, list[npt.NDArray[np.generic]]] = {
        name: [] for name in ("pair", "object", "whole", "index", "there", "of", "same")
    }
    bounds = [0]
    for number, example in enumerate(examples):
        found = describe(example.X, xyxy=example.xyxy, scene=example.scene, unit=example.unit, tree=example.tree)
        index, (count, k) = found.lists.index, found.lists.index.shape
        fill = ((0, 0), (0, LENGTH - k))
        same = example.identity[index] == example.identity[:, None]
        parts["pair"].append(np.pad(found.pair, (*fill, (0, 0))))
        parts["object"].append(found.object)
        parts["whole"].append(found.whole[None])
        parts["index"].append(np.pad(index, fill) + bounds[-1])
        parts["there"].append(np.pad(np.ones((count, k), bool), fill))
        parts["of"].append(np.full(count, number))
        parts["same"].append(np.pad(same, fill).astype(np.float32))
        bounds.append(bounds[-1] + count)
    whole = {name: torch.from_numpy(np.concatenate(part)) for name, part in parts.items()}
    return Batch(bounds=tuple(bounds), **whole)


class Network(nn.Module):
    """The twin of :func:`packed_scenes.cluster.decision.network.logits`, with gradients."""

    def __init__(
        self, statistics: dict[str, tuple[Floats, Floats]], *, width: int = 40, narrow: int = 32, rounds: int = 2
    ) -> None:
        super().__init__()
        pair, objects, whole = (len(statistics[name][0]) for name in INPUTS)
        shapes = {
            "whole.1": (whole, narrow), "whole.2": (narrow, narrow), "object.1": (objects, narrow),
            "object.2": (narrow, narrow), "pair.1": (pair, width), "pair.2": (width, width),
            "gather": (2 * width, narrow), "again.1": (width, width), "again.2": (width, width), "answer": (width, 1),
        }  # fmt: skip
        self.rounds = rounds
        for number in range(rounds):
            shapes |= {
                f"round{number}.1": (6, width),
                f"round{number}.2": (width, width),
                f"round{number}.answer": (width, 1),
            }
        self.layers = nn.ModuleDict({_key(name): nn.Linear(*shape) for name, shape in shapes.items()})
        maps = {"pair.object": 2 * narrow, "pair.whole": narrow, "again.object": 2 * narrow, "again.whole": narrow}
        self.maps = nn.ParameterDict(
            {_key(name): nn.Parameter(torch.randn(width, inputs) / inputs**0.5) for name, inputs in maps.items()}
        )
        for name, (mean, scale) in statistics.items():
            self.register_buffer(f"mean_{name}", torch.from_numpy(mean))
            self.register_buffer(f"scale_{name}", torch.from_numpy(scale))

    def forward(self, batch: Batch) -> list[Tensor]:
        """(M, LENGTH) log-odds of the first answer and after each round."""
        pair, objects, whole = (
            ((getattr(batch, n) - self.get_buffer(f"mean_{n}")) / self.get_buffer(f"scale_{n}")).clamp(-8, 8)
            for n in INPUTS
        )
        there, sets = batch.there.unsqueeze(-1), len(batch.bounds) - 1
        told = self._layer("whole.2", self._layer("whole.1", whole).relu())
        about = self._layer("object.2", self._layer("object.1", objects).relu())
        state = self._layer("pair.1", pair) + self._both("pair.object", about, batch.index)
        state = (state + (told @ self.maps[_key("pair.whole")].T)[batch.of].unsqueeze(1)).relu()
        state = state + self._layer("pair.2", state).relu()
        held = state * there  # states are not negative, so that what is not there does not count in the maximum
        means = held.sum(1) / there.sum(1)
        gathered = self._layer("gather", torch.cat([held.amax(1), means], -1)).relu()
        total = torch.zeros(sets, gathered.shape[1]).index_add(0, batch.of, gathered)
        set_mean = total / torch.bincount(batch.of, minlength=sets).unsqueeze(1)
        added = self._layer("again.1", state) + self._both("again.object", gathered, batch.index)
        state = state + (added + (set_mean @ self.maps[_key("again.whole")].T)[batch.of].unsqueeze(1)).relu()
        state = state + self._layer("again.2", state).relu()
        answer = self._layer("answer", state)[..., 0]
        answers = [answer]
        for number in range(self.rounds):
            name = f"round{number}"
            state = (
                state + (self._layer(f"{name}.1", _agreement(answer, batch)) + self._layer(f"{name}.2", state)).relu()
            )
            answer = answer + self._layer(f"{name}.answer", state)[..., 0]
            answers.append(answer)
        return answers

    def weights(self) -> dict[str, Floats]:
        """The weights by the names that the judge at run time reads."""
        found: dict[str, Tensor] = {}
        for key, layer in self.layers.items():
            for part, value in layer.named_parameters():
                found[f"{_name(key)}.{part}"] = value
        found |= {_name(key): value for key, value in self.maps.items()}
        found |= {name.replace("_", ".", 1): value for name, value in self.named_buffers()}
        return {name: value.detach().numpy().astype(np.float32).copy() for name, value in found.items()}

    def take(self, weights: Mapping[str, Floats]) -> None:
        """Start from weights; what their inputs lacked starts at 0."""
        own = {
            f"layers.{_key(n.rsplit('.', 1)[0])}.{n.rsplit('.', 1)[1]}": n
            for n in weights
            if n.endswith(("weight", "bias"))
        }
        own |= {f"maps.{_key(n)}": n for n in weights if f"{n}.weight" not in weights and _key(n) in self.maps}
        own |= {n.replace(".", "_", 1): n for n in weights if n.startswith(("mean.", "scale."))}
        with torch.no_grad():
            for name, value in self.state_dict().items():
                given = torch.from_numpy(weights[own[name]])
                if given.shape == value.shape:
                    value.copy_(given)
                elif name.endswith("weight"):
                    value.zero_()
                    value[:, : given.shape[1]] = given
                else:
                    value[: len(given)] = given

    def _layer(self, name: str, value: Tensor) -> Tensor:
        out: Tensor = self.layers[_key(name)](value)
        return out

    def _both(self, name: str, about: Tensor, index: Tensor) -> Tensor:
        weight, width = self.maps[_key(name)], about.shape[1]
        linear = about @ weight[:, :width].T
        both: Tensor = linear.unsqueeze(1) + linear[index] + (about.unsqueeze(1) * about[index]) @ weight[:, width:].T
        return both


def _agreement(answer: Tensor, batch: Batch) -> Tensor:
    chance = answer.sigmoid() * batch.there
    size = 1 + chance.sum(1)
    parts = []
    for low, high in zip(batch.bounds[:-1], batch.bounds[1:], strict=True):
        own = (batch.index[low:high] - low).clamp(0, high - low - 1)
        dense = torch.zeros(high - low, high - low).scatter_add(1, own, chance[low:high]) + torch.eye(high - low)
        parts.append((dense @ dense.T).gather(1, own))
    shared = torch.cat(parts)
    one, two = size.unsqueeze(1), size[batch.index]
    less, more = torch.minimum(one, two), torch.maximum(one, two)
    figures = (
        0.2 * answer,
        shared / (less + more - shared + 0.5),
        shared / less,
        shared / more,
        less.log(),
        more.log(),
    )
    return torch.stack(figures, -1)


def statistics_of(batch: Batch) -> dict[str, tuple[Floats, Floats]]:
    """Mean and scale of every figure over the pairs, objects and sets of a batch."""
    values = {"pair": batch.pair[batch.there], "object": batch.object, "whole": batch.whole}
    return {name: (v.mean(0).numpy(), v.std(0).numpy() + np.float32(1e-2)) for name, v in values.items()}


def _key(name: str) -> str:
    return name.replace(".", "_")


def _name(key: str) -> str:
    return key.replace("_", ".")

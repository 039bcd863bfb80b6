from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from packed_scenes.cluster import make
from packed_scenes.data import InputError
from tests.cluster.synthetic import scene_vectors


@pytest.mark.slow
@pytest.mark.parametrize("name", ["infomap", "leiden"])
def test_clear_groups_are_found_and_repeat(name: str) -> None:
    pytest.importorskip("igraph")
    X, y = scene_vectors(200, dim=64, noise=0.25)
    model = make(name, threshold=0.3)
    labels = model.fit_predict(X)
    assert adjusted_rand_score(y, labels) > 0.95
    assert (make(name, threshold=0.3).fit_predict(X) == labels).all()
    assert make(name, threshold=0.3).fit_predict(np.eye(5)).tolist() == [0, 1, 2, 3, 4]
    assert make(name).fit_predict(np.eye(1)).tolist() == [0]


@pytest.mark.slow
def test_cpm_and_unknown_objective() -> None:
    pytest.importorskip("igraph")
    X, y = scene_vectors(100, dim=64, noise=0.25)
    found = make("leiden", threshold=0.3, objective="CPM", resolution=0.5).fit_predict(X)
    assert adjusted_rand_score(y, found) > 0.9
    with pytest.raises(InputError, match="objective 'cut'"):
        make("leiden", objective="cut").fit(X)


def test_absent_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "igraph":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"packed-scenes\[graph\]"):
        make("infomap").fit(np.eye(4))

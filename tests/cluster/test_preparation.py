from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler

from packed_scenes.cluster import preparation
from packed_scenes.cluster.preparation import Preparation
from packed_scenes.data import InputError

STEPS = {"pca60": lambda: PCA(0.6, svd_solver="full"), "pca5d": lambda: PCA(5, svd_solver="full"),
         "minmax": MinMaxScaler, "standard": StandardScaler, "unit": Normalizer}  # fmt: skip


def matrix(rows: int = 300, columns: int = 20, *, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(columns, columns)) * np.linspace(3, 0.1, columns)[:, None]
    return (rng.normal(size=(rows, columns)) @ mix + rng.normal(size=columns) * 5).astype(np.float32)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "CHUNK_BYTES", 37 * 20 * 8)  # 37 rows of 20 columns


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    "chain", ["pca60", "pca5d", "minmax", "standard", "unit", "pca60+minmax", "standard+pca60", "unit+pca5d+standard"]
)
def test_chunks_give_what_scikit_learn_gives_on_the_whole(chain: str, tmp_path: Path) -> None:
    X = matrix()
    wanted = make_pipeline(*(STEPS[word]() for word in chain.split("+"))).fit(X.astype(np.float64))
    prepared = Preparation.parse(chain)
    found = prepared.fit_transform(X, out=tmp_path / "x.npy")
    assert found.dtype == np.float32
    assert isinstance(found, np.memmap)
    np.testing.assert_allclose(found, wanted.transform(X.astype(np.float64)), atol=2e-4)
    other = matrix(seed=1)
    np.testing.assert_allclose(prepared.transform(other), wanted.transform(other.astype(np.float64)), atol=2e-4)
    assert [row["step"] for row in prepared.summary()] == chain.split("+")


@given(rows=st.integers(2, 60), columns=st.integers(1, 30), share=st.integers(1, 99))
@settings(deadline=None, max_examples=40)
def test_explained_variance_keeps_as_many_components_as_scikit_learn(rows: int, columns: int, share: int) -> None:
    X = matrix(rows, columns, seed=rows * 31 + columns).astype(np.float64)
    prepared = Preparation.parse(f"pca{share}").fit(X)
    reference = PCA(share / 100, svd_solver="full").fit(X)
    told = prepared.summary()[0]
    assert told["dimensions"] == reference.n_components_
    assert told["explained"] == pytest.approx(reference.explained_variance_ratio_.sum(), abs=1e-3)
    np.testing.assert_allclose(
        np.abs(prepared.transform(X)), np.abs(reference.transform(X)), atol=1e-3 * np.abs(X).max() + 1e-4
    )


def test_few_rows_and_the_covariance_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    X = matrix(12, 20)
    whole = Preparation.parse("pca90").fit_transform(X)
    monkeypatch.setattr(preparation, "CHUNK_BYTES", 5 * 20 * 8)
    np.testing.assert_allclose(Preparation.parse("pca90").fit_transform(X), whole, atol=1e-3)


def test_a_large_offset_costs_no_precision() -> None:
    X = matrix(500, 6).astype(np.float64)
    shifted = Preparation.parse("standard").fit_transform(X + 1e7)
    np.testing.assert_allclose(shifted, Preparation.parse("standard").fit_transform(X), atol=1e-5)


def test_constant_columns_and_zero_rows_stay_finite() -> None:
    X = np.zeros((9, 4), np.float32)
    X[:, 1] = np.arange(9)
    for chain in ("minmax", "standard", "unit", "pca60+minmax"):
        assert np.isfinite(Preparation.parse(chain).fit_transform(X)).all()
    assert not Preparation.parse("standard").fit_transform(X)[:, 0].any()
    assert Preparation.parse("pca50").fit_transform(np.ones((5, 3), np.float32)).shape == (5, 1)


def test_none_is_the_matrix_itself() -> None:
    X = matrix(7, 3)
    np.testing.assert_array_equal(Preparation.parse("none").fit_transform(X), X)
    assert Preparation.parse("raw").name == "none"


@pytest.mark.parametrize(
    ("text", "name"),
    [("pca", "pca60"), ("PCA60% + MinMax", "pca60+minmax"), ("pca99.5", "pca99.5"), ("unit+pca32d", "unit+pca32d")],
)
def test_declared_chains_are_read(text: str, name: str) -> None:
    assert Preparation.parse(text).name == name


@pytest.mark.parametrize("text", ["pca0d", "pca0", "pca120", "pcaq", "minmax++unit", "whiten"])
def test_unknown_chains_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"Known: pcaNN|per cent"):
        Preparation.parse(text)


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (np.zeros((0, 3)), "shape"),
        (np.zeros(5), "shape"),
        (np.array([["a"]]), "numbers"),
        ([[1.0]], "list"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), "row 1"),
        (np.array([[np.inf, 2.0]]), "row 0"),
    ],
)
def test_bad_matrices_are_refused(X: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Preparation.parse("minmax").fit(X)  # type: ignore[arg-type]


def test_a_matrix_with_too_many_columns_is_refused_before_it_costs_memory() -> None:
    with pytest.raises(InputError, match="columns"):
        Preparation.parse("pca60").fit(np.zeros((3, 9000), np.float32))

import pytest

from packed_scenes.catalogue import Catalogue
from tests.packed_scenes.catalogue.made import EMBEDDING, entry


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """Only a power cut could tell the difference; a killed process cannot."""
    monkeypatch.setattr("packed_scenes.catalogue.store.SYNCHRONOUS", "OFF")


@pytest.fixture
def catalogue(tmp_path):
    return Catalogue.create(tmp_path / "catalogue")


@pytest.fixture
def filled(catalogue):
    """Three scenes: a week apart, product 0 leaves, product 3 comes."""
    for name, products, day in (("a", [0, 0, 1], "01"), ("b", [0, 1, 2], "08"), ("c", [1, 2, 3, 3], "15")):
        catalogue.add([entry(name, products, taken=f"2026-01-{day}T10:00:00", picture=True)], embedding=EMBEDDING)
    return catalogue

"""The training of the decision: its bank, its network beside the one that decides, a training that was interrupted."""

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from packed_scenes.cli.train_decision import app
from packed_scenes.data import InputError
from packed_scenes.decision_training.bank import Bank
from packed_scenes.decision_training.gaussian import simulate

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """Two levels of one pool of 240 vectors."""
    path = tmp_path_factory.mktemp("bank") / "bank.npz"
    vectors, identity = simulate(240, dim=16, seed=0, sigma=0.4)
    pool = {"embedder": np.stack([vectors, vectors]), "identity": identity, "family": np.full(240, -1)}
    np.savez(path, **{f"packed/{name}": value for name, value in pool.items()})
    return path


def test_identities_are_divided_between_training_and_the_rest(bank):
    sides = [Bank.load(bank, held_out=out).pools["packed"] for out in (False, True)]
    assert sum(len(side.identity) for side in sides) == 240
    assert not set(sides[0].rows) & set(sides[1].rows)


@pytest.mark.parametrize("content", [b"", b"no bank", b"PK\x03\x04 cut off"])
def test_no_bank_is_one_clear_line(tmp_path, content):
    (tmp_path / "bank.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"no readable \.npz file"):
        Bank.load(tmp_path / "bank.npz")


def test_the_network_of_the_training_answers_as_the_one_that_decides():
    from packed_scenes.cluster.decision.features import describe
    from packed_scenes.cluster.decision.network import load, logits
    from packed_scenes.decision_training.network import Network, collate, statistics_of
    from packed_scenes.decision_training.simulate import Example

    X, identity = simulate(30, dim=16, seed=1, sigma=0.4)
    batch = collate([Example(X, identity)])
    network = Network(statistics_of(batch))
    network.take(load())
    with torch.no_grad():
        answer = network(batch)[-1].numpy()
    expected = logits(describe(X), load())
    assert np.allclose(answer[:, : expected.shape[1]], expected, atol=1e-3)


def test_crops_without_families_are_no_bank(tmp_path):
    np.savez(tmp_path / "bank.npz", **{"packed/identity": np.arange(4), "packed/embedder": np.ones((2, 4, 3))})
    with pytest.raises(InputError, match="family"):
        Bank.load(tmp_path / "bank.npz")


@pytest.mark.slow
def test_an_interrupted_training_ends_as_one_that_was_not(bank, tmp_path, monkeypatch):
    from packed_scenes.decision_training import limits, training

    monkeypatch.setattr(training, "SAVE", 1)
    monkeypatch.setattr(limits, "SETS", 40)

    def run(name, *more):
        arguments = [str(bank), "--out", str(tmp_path / "new" / name), "--steps", "3", "--json", *more]
        return CliRunner().invoke(app, arguments)

    assert run("whole.safetensors").exit_code == 0
    recipe, checkpoint = training.Recipe(steps=3), tmp_path / "new" / "parts.ckpt"

    def stop(step, *_):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(Bank.load(bank), recipe, checkpoint, report=stop)
    assert checkpoint.is_file()
    assert run("parts.safetensors").exit_code == 0
    whole, parts = (load_file(tmp_path / "new" / f"{name}.safetensors") for name in ("whole", "parts"))
    assert all(np.array_equal(value, parts[name]) for name, value in whole.items())

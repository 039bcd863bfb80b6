"""The person network: torch and OpenVINO agree, batches repeat, training resumes, weights have a card."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from packed_scenes.data import InputError
from packed_scenes.embed import Embedder
from packed_scenes.embed.person_batches import PeopleBatches, RealPeople
from packed_scenes.embed.person_holdout import hold_out, scenes_of
from packed_scenes.embed.person_network import PersonNet, load_imagenet
from packed_scenes.embed.person_sources import read_backgrounds, read_people
from packed_scenes.embed.person_training import PersonRecipe, make_person, solve_head, train_person
from packed_scenes.embed.weights import save_weights

TINY = PersonRecipe(steps=2, people=2, views=2, real_people=1, save_every=1, solved_people=0)


def crops(people: int = 3) -> tuple[tuple[np.ndarray, ...], ...]:
    rng = np.random.default_rng(0)
    return tuple(tuple(rng.integers(0, 255, (60, 25, 3), np.uint8) for _ in range(3)) for _ in range(people))


def test_openvino_gives_what_torch_gives(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = PersonNet(width=32, height=128, dimension=16).eval()
    card = {
        "architecture": "person", "fit": "stretch",
        "options": {"width": 32, "height": 128, "stripes": 8, "dimension": 16},
    }  # fmt: skip
    save_weights(tmp_path / "p.safetensors", network.state_dict(), card, half=False)
    embedder = Embedder.from_file(tmp_path / "p.safetensors", device="cpu")
    pictures = [picture for own in crops() for picture in own]
    found = embedder.embed_crops(pictures)
    canvases = np.stack([cv2.resize(p, (32, 128), interpolation=cv2.INTER_LINEAR) for p in pictures])
    with torch.inference_mode():
        wanted = network(torch.from_numpy(canvases).permute(0, 3, 1, 2).float()).numpy()
    assert found.shape == (9, 16)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_imagenet_weights_are_folded_as_torchvision_runs_them(tmp_path: Path) -> None:
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(1)
    theirs = models.mobilenet_v2(weights=None).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
    torch.save(theirs.state_dict(), tmp_path / "m.pth")
    ours = PersonNet()
    load_imagenet(ours, tmp_path / "m.pth")
    x = torch.randn(2, 3, 128, 64)
    with torch.inference_mode():
        a, b = x, x
        for number in range(14):  # the next block keeps its resolution here
            a = theirs.features[number](a)
            b = ours.blocks[number](b) if number else torch.nn.functional.relu6(ours.blocks[0](b))
    torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)
    torch.save({"features.0.0.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="mobilenet_v2"):
        load_imagenet(ours, tmp_path / "other.pth")


def test_a_batch_is_a_function_of_its_step() -> None:
    real = RealPeople(crops=crops())
    batches = PeopleBatches(width=32, height=64, people=2, views=2, real=real, real_people=2, seed=3)
    (pixels, label), (again, _), (other, _) = batches.batch(5), batches.batch(5), batches.batch(6)
    assert np.array_equal(pixels, again)
    assert not np.array_equal(pixels, other)
    assert label.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert pixels.shape == (8, 64, 32, 3)


def test_people_kept_out_are_not_trained_on() -> None:
    real = RealPeople(crops=crops(9))
    train, held = hold_out(real)
    assert [len(train.crops), len(held.crops)] == [6, 3]
    assert not {id(own) for own in train.crops} & {id(own) for own in held.crops}
    scenes = scenes_of(PersonNet(dimension=8).eval(), RealPeople(crops=crops(5)), count=2, views=3)
    assert all(vectors.shape == (len(label), 8) for vectors, label in scenes)
    assert all(set(label.tolist()) == set(range(5)) for _, label in scenes)


def test_the_solved_layer_goes_on_where_it_was_and_repeats(tmp_path: Path) -> None:
    recipe = PersonRecipe(solved_people=3, solved_views=2)
    heads = []
    for cache_file in ("a.npz", "b.npz", "a.npz"):
        torch.manual_seed(0)
        network = PersonNet(width=32, height=128, dimension=8)
        rows: list[dict[str, float]] = []
        solve_head(network, recipe=recipe, cache_file=tmp_path / cache_file, report=rows.append)
        heads.append(network.head.weight.detach().numpy())
    assert rows == []  # all people of a.npz were there
    np.testing.assert_array_equal(heads[0], heads[1])
    np.testing.assert_array_equal(heads[0], heads[2])
    assert np.abs(heads[0][:2]).max() > 0
    assert np.all(heads[0][2:] == 0)  # three people part along two directions


@pytest.mark.slow
def test_training_leaves_the_trunk_alone_and_resumes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = PersonNet(width=32, height=128, dimension=8)
    before = [p.clone() for p in network.blocks[3].parameters()]
    head = network.head.weight.clone()
    train_person(network, recipe=TINY, checkpoint=tmp_path / "c.pt", workers=0)
    assert all(torch.equal(a, b) for a, b in zip(before, network.blocks[3].parameters(), strict=True))
    assert not torch.equal(head, network.head.weight)
    longer = PersonRecipe(**{**TINY.__dict__, "steps": 3})
    rows: list[dict[str, float]] = []
    train_person(
        PersonNet(width=32, height=128, dimension=8), recipe=longer, checkpoint=tmp_path / "c.pt", workers=0,
        check=lambda _network, step: {"at": step}, report=rows.append,
    )  # fmt: skip
    assert [row["step"] for row in rows] == [3]  # one step, not three


@pytest.mark.slow
def test_weights_come_with_a_card_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from packed_scenes.embed import person_training

    monkeypatch.setattr(person_training, "check_network", lambda _held: None)  # seconds of drawing
    out = tmp_path / "person.safetensors"
    card = make_person(
        work=tmp_path / "work",
        out=out,
        recipe=TINY,
        start=None,
        real=RealPeople(crops=crops(20)),
        data={"drawn": "yes"},
    )
    assert 0 < card["calibration"]["threshold"] < 1
    assert Embedder.from_file(out).embed_crops(list(crops()[0])).shape == (3, 192)
    with pytest.raises(InputError, match="person network"):
        make_person(
            work=tmp_path / "w2", out=out, recipe=TINY, start=Path(__file__).parents[2] / "assets/embedder.safetensors",
            real=RealPeople(), data={},
        )  # fmt: skip


def test_people_are_read_from_a_table_or_from_class_folders(tmp_path: Path) -> None:
    (tmp_path / "crops").mkdir()
    for name in "abc":
        cv2.imwrite(str(tmp_path / "crops" / f"{name}.png"), np.full((300, 90, 3), 90, np.uint8))
    table = "file,person,max_iou_other\na.png,1,0\nb.png,2,.1\nc.png,2,.9\n"
    (tmp_path / "crops.csv").write_text(table)
    found = read_people(tmp_path)
    assert [len(own) for own in found] == [1, 1]  # c shows two people
    assert found[0][0].shape == (200, 60, 3)
    with pytest.raises(InputError, match="at least 2"):
        read_people(tmp_path, dropped=["1"])
    for name in ("x", "y"):
        (tmp_path / "folders" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "folders" / name / "p.png"), np.zeros((50, 20, 3), np.uint8))
    assert len(read_people(tmp_path / "folders")) == 2
    assert read_backgrounds(tmp_path / "folders")[0].shape == (256, 256, 3)
    with pytest.raises(InputError, match="no pictures"):
        read_backgrounds(tmp_path / "nothing")

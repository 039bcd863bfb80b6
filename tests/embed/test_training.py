import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from packed_scenes.data import InputError
from packed_scenes.data.synth.goods.crops import recolour
from packed_scenes.embed.augment import Augmentation, augment
from packed_scenes.embed.batches import Batches, Source, draw_views
from packed_scenes.embed.default_training import make_scenes
from packed_scenes.embed.folders import read_folder, split
from packed_scenes.embed.goods_store import render_shard
from packed_scenes.embed.losses import ProxySoftmax
from packed_scenes.embed.metric_training import Recipe, place_proxies, train
from packed_scenes.embed.networks import LayoutNet
from packed_scenes.embed.presets import train_preset
from packed_scenes.embed.sources import PACKED_DROPPED, PACKED_REPAIRS, PACKED_SAME, read_repairs, relabel, repaired
from packed_scenes.embed.store import HEIGHT, WIDTH, CropStore, StoreWriter
from packed_scenes.embed.training_loop import lr_share


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CropStore:
    return CropStore.open(render_shard(tmp_path_factory.mktemp("goods"), seed=0, families=4, variants=3, views=2))


def sources(store: CropStore) -> list[Source]:
    flat = Source([store], identities=2, views=2, virtual=2, offset=12, classes=24)
    return [Source([store], identities=6, views=2, group=3, classes=12), flat]


def net() -> LayoutNet:
    torch.manual_seed(0)
    return LayoutNet(width=32, height=48, channels=(4, 6, 8, 8), dimension=16)


def test_store_returns_what_was_put_in(tmp_path: Path) -> None:
    crop = np.random.default_rng(0).integers(0, 256, (HEIGHT, 60, 3), dtype=np.uint8)
    writer = StoreWriter(tmp_path / "s")
    writer.add(crop, label=4, family=2)
    with pytest.raises(InputError, match="no finished"):
        CropStore.open(tmp_path / "s")
    writer.close()
    store = CropStore.open(tmp_path / "s")
    assert (len(store), store.size[0].tolist(), store.label[0], store.family[0]) == (1, [60, HEIGHT], 4, 2)
    assert np.array_equal(store.pixels[0, :, :60, :3], crop)
    assert not store.pixels[0, :, 60:, 3].any()


def test_shards_are_reproducible_and_labelled_by_family(store: CropStore, tmp_path: Path) -> None:
    again = CropStore.open(render_shard(tmp_path, seed=0, families=4, variants=3, views=2))
    assert np.array_equal(again.pixels, store.pixels)
    assert len(store) == 24
    assert len(np.unique(store.label)) == 12
    assert all(len(np.unique(store.family[store.label == v])) == 1 for v in np.unique(store.label))


def test_augmentation_switched_off_is_the_letterboxed_crop() -> None:
    off = Augmentation(**dict.fromkeys(Augmentation.__dataclass_fields__, 0.0))  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    canvas = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    canvas[:144, :96] = (200, 30, 60, 255)
    view = augment(canvas, (96, 144), canvas, (96, 144), width=96, height=144, rng=rng, how=off)
    assert view.shape == (144, 96, 3)
    assert (
        np.abs(view[8:-8, 8:-8].astype(int) - (200, 30, 60)).mean() < 45
    )  # gloss and haze off; blur and light stay mild


def test_virtual_identities_are_fixed_and_change_every_crop(store: CropStore) -> None:
    source = sources(store)[1]
    for label in range(6):
        assert source.change(0, label, 0) is None
        change = source.change(0, label, 1)
        assert change is not None
        assert change == sources(store)[1].change(0, label, 1)
        assert change != source.change(0, label + 1, 1)
        for row in np.flatnonzero(store.label == label):
            width, height = store.size[row]
            crop = np.ascontiguousarray(store.pixels[row, :height, :width, :3])
            assert recolour(crop, change).shape == crop.shape
            assert (recolour(crop, change) != crop).any()


def test_sources_join_and_the_augmentation_turns_mild_at_their_steps(store: CropStore) -> None:
    early, late = sources(store)
    late.start = 3
    off = Augmentation(**dict.fromkeys(Augmentation.__dataclass_fields__, 0.0))  # type: ignore[arg-type]
    batches = Batches([early, late], width=32, height=48, seed=1, start=0, later=(2, off))
    plain = Batches([early, late], width=32, height=48, seed=1, start=0)
    assert len(batches.batch(2)[1]) == 12
    assert len(batches.batch(3)[1]) > 12
    assert np.array_equal(batches.batch(1)[0], plain.batch(1)[0])
    assert not np.array_equal(batches.batch(2)[0], plain.batch(2)[0])
    early.start = 9
    with pytest.raises(ValueError, match="no source takes part in step 2"):
        batches.batch(2)


def test_a_trained_network_starts_with_its_own_proxies(store: CropStore) -> None:
    network, parts = net(), sources(store)
    loss = ProxySoftmax(36, network.dimension)
    place_proxies(loss, network.eval(), parts)
    assert len(parts[1].samples()) == 24
    assert sorted(proxy for part in parts for *_, proxy in part.samples()) == list(range(36))
    assert torch.allclose(loss.proxies.norm(dim=1), torch.ones(36), atol=1e-4)
    _, row, _, proxy = parts[0].samples()[0]
    off = Augmentation(**dict.fromkeys(Augmentation.__dataclass_fields__, 0.0))  # type: ignore[arg-type]
    view = draw_views([(store, row, None, proxy)], 32, 48, np.random.default_rng(0), off)
    with torch.inference_mode():
        near = network(torch.from_numpy(view).permute(0, 3, 1, 2).float()) @ loss.proxies.T
    assert float(near[0, proxy]) > float(near.mean())


def test_batches_depend_on_seed_and_step_alone(store: CropStore) -> None:
    first = Batches(sources(store), width=32, height=48, seed=1, start=0)
    later = iter(Batches(sources(store), width=32, height=48, seed=1, start=2))
    pixels, label = first.batch(2)
    resumed = next(later)
    assert np.array_equal(pixels, resumed[0])
    assert np.array_equal(label, resumed[1])
    assert pixels.shape[1:] == (48, 32, 3)
    assert label.max() < 36
    families = label[:12].reshape(2, 3, 2)
    assert (families[..., 0] == families[..., 1]).all()  # two views of each
    assert all(len(np.unique(f[:, 0])) == 3 for f in families)  # of three variants
    assert not np.array_equal(pixels, first.batch(3)[0])


@pytest.mark.slow
def test_an_interrupted_training_resumes_where_it_was(store: CropStore, tmp_path: Path) -> None:
    recipe = Recipe(steps=6, warmup=2, save_every=3, check_every=3)
    whole = train(net(), sources(store), recipe=recipe, checkpoint=tmp_path / "whole.pt", workers=0)

    class StopError(Exception):
        pass

    def stop(network: object, step: int) -> dict[str, float]:
        if step == 6:
            raise StopError
        return {"held": 0.0}

    rows: list[dict[str, float]] = []
    with pytest.raises(StopError):
        train(
            net(),
            sources(store),
            recipe=recipe,
            checkpoint=tmp_path / "p.pt",
            check=stop,
            report=rows.append,
            workers=0,
        )
    assert rows[0]["held"] == 0.0
    assert torch.load(tmp_path / "p.pt", weights_only=True)["step"] == 3
    parts = train(net(), sources(store), recipe=recipe, checkpoint=tmp_path / "p.pt", workers=0)
    pixels = torch.rand(2, 3, 48, 32) * 255
    with torch.inference_mode():
        assert torch.allclose(whole(pixels), parts(pixels), atol=1e-3)


def test_schedule_warms_up_and_ends_near_zero() -> None:
    values = [lr_share(step, steps=100, warmup=10) for step in range(101)]
    assert values[0] == pytest.approx(0.1)
    assert max(values) <= 1
    assert values[100] == pytest.approx(0.01)
    assert all(np.diff(values[10:]) <= 0)


def test_simulated_scenes_have_variants_of_families(store: CropStore) -> None:
    scenes = make_scenes(store, width=32, height=48, count=3, families=2)
    for pictures, labels in scenes:
        assert len(pictures) == len(labels) >= 4
        assert len(np.unique(labels // 3)) == 2  # labels of a family are consecutive
    assert np.array_equal(scenes[0][0], make_scenes(store, width=32, height=48, count=3, families=2)[0][0])


def colour_folder(root: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, colour in {"a": (220, 30, 30), "b": (30, 200, 30), "c": (40, 40, 220)}.items():
        (root / name).mkdir(parents=True)
        for i in range(12):
            picture = np.clip(rng.normal(colour, 25, (40, 30, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(root / name / f"{i}.png"), picture)
    return root


def test_folders_are_read_split_and_relabelled(tmp_path: Path) -> None:
    folder = read_folder(colour_folder(tmp_path / "crops"))
    assert (folder.classes, len(folder)) == (("a", "b", "c"), 36)
    train_rows, held = split(folder.label, share=0.25)
    assert sorted([*train_rows, *held]) == list(range(36))
    assert len(held) == 9
    joined = relabel(folder, same={"a": "c"}, dropped=("b",))
    assert (joined.classes, len(joined)) == (("c",), 24)
    with pytest.raises(InputError, match="no such folder"):
        read_folder(tmp_path / "nowhere")
    (tmp_path / "empty" / "x").mkdir(parents=True)
    with pytest.raises(InputError, match="at least 2"):
        read_folder(tmp_path / "empty")


def test_labels_are_repaired_by_a_list(tmp_path: Path) -> None:
    folder = read_folder(colour_folder(tmp_path / "crops"))
    (tmp_path / "r.json").write_text('{"same": {"a": "c"}, "dropped": ["b"]}')
    clean = repaired(folder, tmp_path / "r.json")
    assert (clean.classes, len(clean)) == (("c",), 24)
    (tmp_path / "other.json").write_text('{"same": {"a": "z"}, "dropped": []}')
    with pytest.raises(InputError, match="no class 'z'"):
        repaired(folder, tmp_path / "other.json")
    for text in ("[]", "{", '{"same": 3, "dropped": []}'):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(InputError, match="no list of repairs"):
            read_repairs(tmp_path / "bad.json")
    assert read_repairs(PACKED_REPAIRS) == (PACKED_SAME, PACKED_DROPPED)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["reference", "baseline"])
def test_presets_learn_and_leave_everything_behind(tmp_path: Path, preset: str) -> None:
    from packed_scenes.embed import Embedder

    folder = read_folder(colour_folder(tmp_path / "crops"))
    out = tmp_path / preset
    metrics = train_preset(folder, preset, out=out, epochs=3 if preset == "baseline" else 12)
    assert metrics["val_accuracy"] >= 0.8
    names = {"embedder.safetensors", "embedder.json", "history.csv", "metrics.json", "loss.png", "accuracy.png"}
    assert names | {"confusion.png", "map.png", "features.png"} <= {p.name for p in out.iterdir()}
    card = json.loads((out / "embedder.json").read_text())
    assert card["recipe"]["seed"] == 0
    assert card["metrics"] == metrics
    embedder = Embedder.load(out / "embedder.safetensors", device="cpu")
    vectors = embedder.embed_crops([folder.read(i) for i in (0, 1, 12, 13)])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_alexnet_without_its_weights_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.error import URLError

    import torchvision.models

    def offline(**_: object) -> None:
        raise URLError("offline")

    monkeypatch.setattr("packed_scenes.data.connection.reachable", lambda _: True)
    monkeypatch.setattr(torchvision.models, "alexnet", offline)
    with pytest.raises(InputError, match="could not be fetched"):
        train_preset(read_folder(colour_folder(tmp_path / "crops")), "alexnet-last2", out=tmp_path / "out")

from pathlib import Path

import cv2
import numpy as np
import pytest

from packed_scenes.data import InputError
from packed_scenes.embed import Embedder
from packed_scenes.embed.audit import Kind, audit_vectors
from packed_scenes.embed.audit_report import apply_audit, audit_folder, write_report
from packed_scenes.embed.copies import find_copies
from packed_scenes.embed.folders import read_folder
from tests.real import SHARED, needs


def clusters(sizes: list[int], *, spread: float = 0.35, dimension: int = 48, seed: int = 0):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(len(sizes), dimension))
    centre /= np.linalg.norm(centre, axis=1, keepdims=True)
    label = np.repeat(np.arange(len(sizes)), sizes)
    vectors = centre[label] + spread * rng.normal(size=(len(label), dimension)) / np.sqrt(dimension)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), label.astype(np.int64), rng


def test_clean_data_raise_no_alarm() -> None:
    for seed in range(5):
        vectors, label, _ = clusters([40, 12, 60, 25, 8, 30, 90, 15], seed=seed)
        assert audit_vectors(vectors, label).findings == ()


@pytest.mark.slow
def test_planted_corruption_is_found() -> None:
    found = planted = alarms = 0
    for seed in range(6):
        vectors, label, rng = clusters([40] * 20, seed=seed)
        label = label.copy()
        expected: set[tuple[str, tuple[int, ...]]] = set()
        for c in (0, 1):  # half of the class under another name
            label[np.flatnonzero(label == c)[::2]] = 20 + c
            expected.add(("duplicate", (c, 20 + c)))
        sliver = np.flatnonzero(label == 2)[:6]
        label[sliver] = 22
        expected.add(("sliver", (2, 22)))
        label[np.flatnonzero(label == 3)[:20]] = 23  # a new class of two products
        label[np.flatnonzero(label == 4)[:20]] = 23
        expected.add(("mixture", (23,)))
        wrong = rng.choice(np.flatnonzero((label > 5) & (label < 20)), 10, replace=False)
        right = label[wrong].copy()
        label[wrong] = np.where(right == 19, 6, right + 1)
        expected |= {("mislabelled", (int(row),)) for row in wrong}
        got = {
            (str(f.kind), f.rows if f.kind is Kind.MISLABELLED else tuple(sorted(f.classes)))
            for f in audit_vectors(vectors, label).findings
        }
        found += len(expected & got)
        planted += len(expected)
        alarms += len(got - expected)
    assert found >= 0.9 * planted
    assert alarms <= 0.03 * planted


def test_front_and_back_of_one_product_are_no_mixture() -> None:
    vectors, group, _ = clusters([40] * 21)
    label = np.where(group == 20, 0, group)  # the back of product 0, beside no other class
    audit = audit_vectors(vectors, label)
    assert [(f.kind, f.classes, len(f.rows)) for f in audit.findings] == [(Kind.SPLIT, (0,), 80)]
    assert len(set(group[list(audit.findings[0].rows[:40])])) == 1  # one group first
    other = np.where(group == 20, 1, group)
    other[np.flatnonzero(group == 5)[:20]] = 20  # half of 5 and half of 6 make a class of two
    other[np.flatnonzero(group == 6)[:20]] = 20
    kinds = {(f.kind, f.classes) for f in audit_vectors(vectors, other).findings}
    assert kinds == {(Kind.SPLIT, (1,)), (Kind.MIXTURE, (20,))}


def test_slivers_are_seen_whatever_the_sample() -> None:
    """Nearest crops are looked for in the whole large class: a sample may miss them."""
    for seed in range(4):
        vectors, label, rng = clusters([900, 60, 60, 60, 60], spread=0.5, seed=seed)
        burst = rng.choice(900, 6, replace=False)
        near = vectors[burst] + 0.12 * rng.normal(size=(6, 48)) / np.sqrt(48)
        near /= np.linalg.norm(near, axis=1, keepdims=True)
        with_sliver = np.concatenate([vectors, near.astype(np.float32)])
        found = audit_vectors(with_sliver, np.append(label, [5] * 6), seed=seed).findings
        assert [(f.kind, f.classes) for f in found] == [(Kind.SLIVER, (5, 0))]


def test_copies_by_hash_and_by_picture() -> None:
    rng = np.random.default_rng(0)
    vectors, _, _ = clusters([10, 10])
    vectors[3] = vectors[12]
    small = rng.integers(0, 256, (20, 6, 4, 3), dtype=np.uint8)
    small[3] = np.clip(small[12].astype(int) + 1, 0, 255)
    digests = [str(i) for i in range(20)]
    digests[7] = digests[15] = digests[19] = "same"
    assert find_copies(vectors, digests=digests, thumbnails=small) == [[3, 12], [7, 15, 19]]
    assert find_copies(vectors) == []


def test_bad_arguments_are_refused() -> None:
    vectors, label, _ = clusters([5, 5])
    with pytest.raises(InputError, match="labels"):
        audit_vectors(vectors, label[:-1])
    with pytest.raises(InputError, match="two classes"):
        audit_vectors(vectors, label * 0)


def draw_folder(root: Path, *, crops: int = 9) -> None:
    """Clean drawn goods, one class per product; then a duplicated class, a mixture and a sliver are planted."""
    from packed_scenes.data.synth.goods.families import Family
    from packed_scenes.embed.augment import augment
    from packed_scenes.embed.default_training import CALIBRATION
    from packed_scenes.embed.store import HEIGHT, WIDTH, fit

    rng = np.random.default_rng(5)
    canvases = []
    for seed in range(8):
        canvas = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        canvases.append((canvas, fit(Family(100 + seed).variant(0).render(HEIGHT), canvas)))

    def save(name: str, product: int, count: int) -> None:
        (root / name).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            own, beside = canvases[product], canvases[int(rng.integers(8))]
            view = augment(*own, *beside, width=96, height=144, rng=rng, how=CALIBRATION)
            number = len(list((root / name).iterdir()))
            cv2.imwrite(str(root / name / f"{number:03d}-{product}.png"), view[..., ::-1])

    for product in range(8):
        save(f"p{product}", product, 40 if product == 7 else crops)
    save("q0", 0, crops)
    save("q12", 1, crops)
    save("q12", 2, crops)
    save("q7", 7, 5)


def test_audit_of_a_drawn_folder(tmp_path: Path) -> None:
    draw_folder(tmp_path / "crops")
    folder = read_folder(tmp_path / "crops")
    audit = audit_folder(folder, Embedder.load(device="cpu"))
    named = {(str(f.kind), tuple(sorted(folder.classes[c] for c in f.classes))) for f in audit.findings}
    assert {("duplicate", ("p0", "q0")), ("mixture", ("q12",)), ("sliver", ("p7", "q7"))} <= named
    assert len([n for n in named if n[0] != "mislabelled"]) == 3
    clean = apply_audit(folder, audit)
    assert clean.classes == tuple(f"p{i}" for i in range(8)) or clean.classes == ("q0", *(f"p{i}" for i in range(1, 8)))
    truth = np.array([int(path.stem.split("-")[1]) for path in clean.paths])
    assert all(len(np.unique(truth[clean.label == c])) == 1 for c in range(len(clean.classes)))
    page = write_report(folder, audit, tmp_path / "report")
    assert {"audit.json", "clean.csv", "mixture-000.jpg"} <= {p.name for p in page.parent.iterdir()}


@pytest.mark.slow
@needs("packed_products/train")
@pytest.mark.parametrize("seed", [0, 1])
def test_audit_of_packed_products_finds_what_was_planted_and_nothing_else(seed: int) -> None:
    folder = read_folder(SHARED / "packed_products" / "train")
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(folder.label == c))[:100] for c in range(len(folder.classes))]
    folder = folder.select(np.sort(np.concatenate(rows)))
    audit = audit_folder(folder, Embedder.load(device="cpu"), seed=seed)
    named = {str(k): {frozenset(folder.classes[c] for c in f.classes) for f in audit.of(k)} for k in Kind}
    assert named["duplicate"] == {
        frozenset({"SI8OGC7FoM", "SI9OGT7FoM"}),
        frozenset({"vbbzecbQgV", "vddz3cbOgV"}),
        frozenset({"YdTuPPp4hR", "h4qyqa4AGi"}),
    }
    assert named["mixture"] == {frozenset({"MrlIsXerE3D"})}
    assert named["sliver"] == {frozenset({"VPvhlq55UP", "ikoY9bsYYY"})}
    assert named["split"] == set()

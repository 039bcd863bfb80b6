"""A folder that fills: half-written photos wait, identities keep their names, a stopped watch goes on."""

import itertools
import json
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from packed_scenes import analyze
from packed_scenes.data import InputError
from packed_scenes.data.images import write_image
from packed_scenes.names import Names
from packed_scenes.watch import Until, watch
from tests.packed_scenes.conftest import ColourObserver, paint

ROOT = Path(__file__).resolve().parents[2]
EVERY = 0.02
ROWS = [[[0, 1]], [[1, 1, 2]], [[2, 0]], [[3, 3, 1]]]

WRITER = """
import sys, time
from pathlib import Path
source, folder = map(Path, sys.argv[1:3])
for photo in sorted(source.iterdir()):
    data = photo.read_bytes()
    with open(folder / photo.name, "wb") as file:
        for start in range(0, len(data), len(data) // 4):
            file.write(data[start : start + len(data) // 4])
            file.flush()
            time.sleep(0.03)
(folder / "done").touch()
"""


def photos(folder, rows=ROWS):
    for number, row in enumerate(rows):
        write_image(folder / f"p{number}.png", paint([row] if not isinstance(row[0], list) else row))


def table(run):
    return pd.concat([pd.read_csv(p).assign(scene=p.parent.name) for p in sorted(run.rglob("objects.csv"))])


def same_groups(one, other):
    """Whether two tables of one collection hold the same groups, whatever their names."""
    pairs = set(zip(one["cluster"], other["cluster"], strict=True))
    return len(pairs) == one["cluster"].nunique() == other["cluster"].nunique()


def step(folder, out, observer, **options):
    """One batch: what the watch yields until everything there is dealt with."""
    marker = folder / "done"
    marker.touch()
    return list(watch([folder], out, observer, every_seconds=EVERY, until=Until(marker=marker), **options))


def test_photos_written_slowly_by_another_process(observer, tmp_path):
    photos(tmp_path / "made")
    folder = tmp_path / "in"
    folder.mkdir()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "made", folder])
    left_out = []
    batches = list(
        watch(
            [folder], tmp_path / "run", observer, every_seconds=0.05, until=Until(marker=folder / "done"),
            warn=left_out.append,
        )
    )  # fmt: skip
    assert writer.wait() == 0
    assert [s.name for s in batches[-1].scenes] == ["p0", "p1", "p2", "p3"]
    assert not batches[-1].errors
    assert not (tmp_path / "run" / "errors.csv").exists()
    whole = analyze(tmp_path / "made", observer=ColourObserver()).save(tmp_path / "whole")
    assert same_groups(table(tmp_path / "run"), table(whole))
    names = [dict(zip(b.scenes[0].objects.object_id, b.scenes[0].objects.cluster, strict=True)) for b in batches]
    assert all(one == names[0] for one in names), "the first photo's objects changed their names"


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_names_stay_and_groups_are_those_of_one_run(tmp_path, order):
    folder, out, observer = tmp_path / "in", tmp_path / "run", ColourObserver()
    folder.mkdir()
    before = {}
    for number in order:
        write_image(folder / f"p{number}.png", paint(ROWS[number]))
        (analysis,) = step(folder, out, observer)
        now = {(s.name, i): int(c) for s in analysis.scenes for i, c in zip(s.objects.object_id, s.objects.cluster)}  # noqa: B905
        assert {k: now[k] for k in before} == before
        before = now
    assert observer.calls == 4, "what was seen is not seen again"
    assert same_groups(table(out), table(analyze(folder, observer=observer).save(tmp_path / "whole")))


def test_a_cut_file_is_left_out_until_it_is_whole(observer, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "run"
    write_image(folder / "a.png", paint([[0, 1]]))
    write_image(tmp_path / "b.png", paint([[1, 2]]))
    data = (tmp_path / "b.png").read_bytes()
    (folder / "b.png").write_bytes(data[: len(data) // 2])
    lines = []
    (first,) = step(folder, out, observer, warn=lines.append)
    assert [s.name for s in first.scenes] == ["a"]
    assert len(lines) == 1
    assert "b.png" in lines[0]
    assert pd.read_csv(out / "errors.csv")["file"].tolist() == [str(folder / "b.png")]
    (folder / "b.png").write_bytes(data)
    (second,) = step(folder, out, observer)
    assert [s.name for s in second.scenes] == ["a", "b"]
    assert not (out / "errors.csv").exists()


def test_a_changed_and_a_vanished_photo(observer, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "run"
    photos(folder, ROWS[:3])
    looked = watch([folder], out, observer, every_seconds=EVERY)
    first = next(looked)
    write_image(folder / "p0.png", paint([[3]]))
    (folder / "p1.png").unlink()
    second = next(looked)
    while len(second.scenes[0].objects) != 1:  # the file that went may be noticed one look before the changed one
        second = next(looked)
    looked.close()
    assert [s.name for s in second.scenes] == ["p0", "p2"]
    assert second.scenes[0].objects.cluster[0] > first.scenes[-1].objects.cluster.max(), "a new colour, an old name"
    assert np.array_equal(second.scenes[1].objects.cluster, first.scenes[2].objects.cluster)


def test_overlays_are_drawn_again_only_where_they_look_different(observer, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "run"
    photos(folder, [[[0, 1]], [[2, 2]]])
    looked = watch([folder], out, observer, every_seconds=EVERY)
    next(looked)
    when = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.name in ("overlay.jpg", "congregations.json")}
    write_image(folder / "q.png", paint([[3]]))
    next(looked)
    looked.close()
    assert {p: p.stat().st_mtime_ns for p in when} == when
    assert (out / "q" / "overlay.jpg").exists()
    whole = analyze(folder, observer=observer).save(tmp_path / "whole")
    for scene in ("p0", "p1"):
        assert (out / scene / "overlay.jpg").read_bytes() == (whole / scene / "overlay.jpg").read_bytes()


def test_a_run_folder_inside_is_not_watched(observer, tmp_path):
    photos(tmp_path, ROWS[:2])
    out = tmp_path / "run"
    assert [len(a.scenes) for a in step(tmp_path, out, observer)] == [2]
    assert step(tmp_path, out, observer)[0].scenes[-1].name == "p1"
    assert not (out / "overlay").exists()


def test_names_given_once_are_kept_when_the_same_stem_comes_again(observer, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "run"
    write_image(folder / "mon" / "shelf.png", paint([[0]]))
    assert [s.name for s in step(folder, out, observer)[0].scenes] == ["shelf"]
    write_image(folder / "tue" / "shelf.png", paint([[0]]))
    assert [s.name for s in step(folder, out, observer)[0].scenes] == ["shelf", "tue_shelf"]


def test_until():
    noon = datetime(2026, 1, 31, 12)
    assert Until.parse("18:30", now=noon).at == datetime(2026, 1, 31, 18, 30)
    assert Until.parse("11:00", now=noon).at == datetime(2026, 2, 1, 11)
    assert Until.parse("30").photos == 30
    assert Until.parse("25:99").marker == Path("25:99")
    assert not Until.parse(None).reached(10**9, settled=True)
    assert Until(photos=3).reached(3, settled=False)
    assert not Until(photos=3).reached(2, settled=True)
    assert Until(at=datetime.min).reached(0, settled=False)
    assert not Until(at=datetime.max).reached(9, settled=True)
    with pytest.raises(InputError, match="at least one photo"):
        Until.parse("0")


def test_bad_input_is_named(observer, tmp_path):
    with pytest.raises(InputError, match="no folder to watch"):
        next(watch([tmp_path / "gone"], tmp_path / "run", observer))
    with pytest.raises(InputError, match="every_seconds"):
        next(watch([tmp_path], tmp_path / "run", observer, every_seconds=0))


def test_names_that_died_are_not_given_again(tmp_path):
    from packed_scenes.data import Objects

    def part(labels):
        boxes = np.tile([0, 0, 1, 1], (len(labels), 1))
        return Objects.from_boxes(boxes, cluster=np.array(labels))

    (first,), names = Names().carry_over(["s"], [part([0, 1, 2])])
    assert first.cluster.tolist() == [0, 1, 2]
    (second,), names = names.carry_over(["s"], [part([0, 0, 0])])  # all three are one thing after all
    assert second.cluster.tolist() == [0, 0, 0]
    (third,), names = names.carry_over(["s"], [part([0, 0, 1])])
    assert third.cluster.tolist() == [0, 0, 3]
    assert names.next_number == 4
    (none,), _ = names.carry_over(["s"], [part([])])
    assert len(none) == 0
    assert Names.of_run(tmp_path) == Names()


@pytest.mark.slow
def test_the_command_watches_until_told_and_goes_on_after_an_interrupt(tmp_path):
    from packed_scenes.data import Objects
    from packed_scenes.data.boxes import write_boxes
    from tests.packed_scenes.conftest import squares

    image = np.kron(paint([[0, 1, 0, 2]]), np.ones((4, 4, 1), np.uint8))
    boxes = squares(paint([[0, 1, 0, 2]]))
    write_image(tmp_path / "in" / "a.png", image)
    write_boxes(tmp_path / "boxes.json", Objects.from_boxes(boxes.xyxy * 4))
    command = [sys.executable, ROOT / "scripts" / "analyze.py", tmp_path / "in", "--watch", "--every-seconds", "0.2",
               "--until", "2", "--boxes", tmp_path / "boxes.json", "--out", tmp_path / "run"]  # fmt: skip

    def start():
        running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert running.stdout is not None
        assert "4 objects in 1 scene:" in running.stdout.readline()
        return running

    interrupted = start()
    interrupted.send_signal(signal.SIGINT)
    _, errors = interrupted.communicate(timeout=240)
    assert interrupted.returncode == 130
    assert errors.strip().splitlines()[-1].startswith("interrupted")
    kept = (tmp_path / "run" / ".seen" / "a.parquet").stat().st_mtime_ns
    running = start()
    write_image(tmp_path / "in" / "b.png", image)
    said, errors = running.communicate(timeout=240)
    assert running.returncode == 0, errors
    assert "8 objects in 2 scenes" in said
    assert (tmp_path / "run" / ".seen" / "a.parquet").stat().st_mtime_ns == kept, "what was seen is seen again"
    assert json.loads((tmp_path / "run" / "run.json").read_text())["clustering"]["next_name"] == 3

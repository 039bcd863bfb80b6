"""Projects on painted squares: every edit survives a reopening and a crash, can be undone, and does what it says."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.web.project import boxes, decisions
from packed_scenes.web.project.adding import Caps, Incoming, add_photos
from packed_scenes.web.project.alike import find_alike
from packed_scenes.web.project.folder import ProjectFolder, export_zip, import_zip
from packed_scenes.web.project.project import Project
from packed_scenes.web.project.review import review
from packed_scenes.web.project.runs import fill_from_run, is_run, to_analysis
from tests.packed_scenes.conftest import paint
from tests.packed_scenes.workbench import (
    CARD,
    FIRST,
    SECOND,
    colours,
    many_objects,
    painted,
    png,
    reopened,
    stub_models,
)


@pytest.fixture
def project(tmp_path):
    made = painted(tmp_path / "work", FIRST, SECOND)
    yield made
    made.folder.close()


def snapshot(project):
    view = project.view()
    return (
        view.rows.tolist(), view.grouping.cluster.tolist(), dict(view.grouping.names), sorted(view.grouping.pinned),
        project.threshold, project.reach, project.confidence, [p.name for p in project.photos], dict(view.colors),
        project.document.columns["xyxy"][view.rows].tolist(),
    )  # fmt: skip


def row_at(project, photo, x, y):
    """The row of the box over a point."""
    columns, view = project.document.columns, project.view()
    for row in view.rows.tolist():
        x1, y1, x2, y2 = columns["xyxy"][row]
        if columns["photo"][row] == photo and x1 <= x < x2 and y1 <= y < y2:
            return row
    raise AssertionError((photo, x, y))


def group_of(project, row):
    return int(project.document.columns["cluster"][row])


def test_photos_are_found_described_and_grouped_over_all_of_them(project):
    assert len(project.view().rows) == 16
    assert len(project.grouping.clusters) == 4
    red = [row_at(project, 0, 15, 15), row_at(project, 0, 45, 15), row_at(project, 1, 45, 15)]
    assert len({group_of(project, row) for row in red}) == 1
    assert [p.name for p in project.photos] == ["photo0", "photo1"]


def test_the_same_photo_is_not_taken_twice_and_what_cannot_be_read_is_listed(project):
    files = [
        Incoming("again.png", lambda: png(paint(FIRST))),
        Incoming("broken.jpg", lambda: b"no picture"),
        Incoming("third.png", lambda: png(paint([[0, 1]]))),
    ]
    errors = add_photos(project, files, stub_models(), caps=Caps(), report=lambda *_: None)
    assert [name for name, _ in errors] == ["again.png", "broken.jpg"]
    assert [p.name for p in project.photos] == ["photo0", "photo1", "third"]
    assert len(project.grouping.clusters) == 4


def test_names_survive_regrouping_merging_splitting_and_new_photos(project):
    red, green = group_of(project, row_at(project, 0, 15, 15)), group_of(project, row_at(project, 0, 75, 15))
    decisions.rename(project, red, "Red")
    decisions.rename(project, green, "Green")
    for threshold in (0.3, 1.4, 0.02, 0.05):
        decisions.set_threshold(project, threshold)
        assert set(project.grouping.names.values()) == {"Red", "Green"}
    decisions.split(project, red)
    assert "Red" in project.grouping.names.values()
    other = next(c for c in project.grouping.clusters if c not in project.grouping.names)
    decisions.merge(project, [green, other])
    assert project.grouping.names[green] == "Green"
    new = [Incoming("more.png", lambda: png(paint([[1, 1, 0]])))]
    add_photos(project, new, stub_models(), caps=Caps(), report=lambda *_: None)
    assert group_of(project, row_at(project, 2, 15, 15)) == green
    assert set(project.grouping.names.values()) == {"Red", "Green"}


def test_colours_stay_with_groups(project):
    before = dict(project.view().colors)
    clusters = project.grouping.clusters
    decisions.merge(project, clusters[:2])
    decisions.set_threshold(project, 0.04)
    after = project.view().colors
    assert all(after[c] == before[c] for c in after if c in before)


def test_boxes_are_added_moved_resized_deleted(project):
    (row,) = boxes.add(project, 0, [[40, 70, 36, 88]], colours)  # drawn from right to left, over the empty cell
    assert project.document.columns["xyxy"][row].tolist() == [36, 70, 40, 88]
    green = row_at(project, 0, 75, 15)
    assert boxes.change(project, row, [70, 10, 78, 20], colours) == "1 box resized"
    assert boxes.change(project, row, [71, 10, 79, 20], colours) == "1 box moved"
    vectors = project.document.columns["vector"]
    assert vectors[row] @ vectors[green] > 0.999
    assert boxes.delete(project, [row]) == "1 box deleted"
    with pytest.raises(InputError):
        project.view().local([row])
    while project.undo():
        pass
    assert len(project.view().rows) == 0


@pytest.mark.parametrize(
    "box", [[0, 0, 1, 1], [5, 5, 5, 50], [500, 500, 600, 600], [0, 0, float("nan"), 9], [1, 2, 3], "x"]
)
def test_what_is_no_box_is_refused(project, box):
    before = snapshot(project)
    with pytest.raises(InputError):
        boxes.add(project, 0, [box], colours)
    assert snapshot(project) == before


def test_never_an_object_holds_everywhere_and_for_photos_to_come(project):
    row = row_at(project, 1, 15, 75)  # blue, four of them
    boxes.never(project, [row])
    assert len(project.view().rows) == 12
    add_photos(
        project, [Incoming("b.png", lambda: png(paint([[2, 3]])))], stub_models(), caps=Caps(), report=lambda *_: None
    )
    assert sum(project.view().photo == 2) == 1
    project.undo(), project.undo(), project.undo()
    assert len(project.view().rows) == 16


def test_the_score_hides_and_shows_and_groups_come_back(project):
    groups = project.grouping.cluster.tolist()
    boxes.set_confidence(project, 0.8)
    assert 0 < len(project.view().rows) < 16
    boxes.set_confidence(project, 0.0)
    assert project.grouping.cluster.tolist() == groups


def test_same_and_different_hold(project):
    red, green = row_at(project, 0, 15, 15), row_at(project, 0, 75, 15)
    decisions.say_pairs(project, [red, green], "same")
    assert group_of(project, red) == group_of(project, green)
    decisions.set_threshold(project, 0.03)
    assert group_of(project, red) == group_of(project, green)
    decisions.say_pairs(project, [red, green], "different")  # the later word counts
    assert group_of(project, red) != group_of(project, green)
    other = row_at(project, 0, 45, 15)  # as red as the first
    decisions.say_pairs(project, [red, other], "different")
    assert group_of(project, red) != group_of(project, other)
    decisions.set_threshold(project, 1.4)
    assert group_of(project, red) != group_of(project, other)


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15), st.sampled_from(["same", "different"])), max_size=6))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_last_word_about_a_pair_always_holds(tmp_path_factory, answers):
    project = painted(tmp_path_factory.mktemp("p") / "w", FIRST, SECOND)
    rows = project.view().rows.tolist()
    for a, b, answer in answers:
        if a == b:
            continue
        decisions.say_pairs(project, [rows[a], rows[b]], answer)
        same = group_of(project, rows[a]) == group_of(project, rows[b])
        assert same == (answer == "same")
    project.folder.close()


def test_review_asks_narrows_and_ends(tmp_path):
    project = many_objects(tmp_path / "w", 60)
    rng = np.random.default_rng(1)
    vectors = project.document.columns["vector"]
    near = vectors[0] + 0.8 * rng.normal(size=16).astype(np.float32) / 4
    row_b = int(np.flatnonzero(project.document.columns["cluster"] == 1)[0])
    group = np.flatnonzero(project.document.columns["cluster"] == 1)
    patch = project.document.patch("vector", group, near / np.linalg.norm(near))
    project.commit("moved", columns=patch)
    first = review(project)
    assert first.questions
    asked = {first.questions[0].first, first.questions[0].second}
    assert {group_of(project, row) for row in asked} == {0, 1}
    assert first.low <= first.count <= first.high
    decisions.say_pairs(project, sorted(asked), "different")
    second = review(project)
    assert second.answered == 1
    assert second.high - second.low <= first.high - first.low
    assert not second.questions
    assert second.enough
    assert row_b in group
    project.folder.close()


def test_find_these_too_finds_what_the_detector_missed(project):
    row = row_at(project, 0, 15, 15)
    missing = [row_at(project, 0, 45, 15), row_at(project, 1, 45, 15)]
    boxes.delete(project, missing)
    for photo, box in ((0, [35, 5, 55, 25]), (1, [35, 5, 55, 25])):
        found = find_alike(project, [row], photo, colours)
        assert any(np.abs(found.xyxy - box).max(axis=1) <= 4), found.xyxy


def test_everything_is_undone_and_done_again_and_survives_reopening(project):
    states = [snapshot(project)]
    red = group_of(project, row_at(project, 0, 15, 15))
    for edit in (
        lambda: decisions.rename(project, red, "Red"),
        lambda: boxes.add(project, 1, [[40, 40, 58, 58]], colours),
        lambda: decisions.move(project, [int(project.view().rows[0])], None),
        lambda: boxes.delete(project, project.view().rows[3:5].tolist()),
        lambda: boxes.set_confidence(project, 0.7),
        lambda: decisions.say_pairs(project, project.view().rows[:2].tolist(), "same"),
        lambda: boxes.set_reach(project, 1.5),
        lambda: decisions.set_threshold(project, 0.4),
        lambda: project.commit("Photo removed", values={"photo/1": None}),
    ):
        edit()
        states.append(snapshot(project))
    project = reopened(project)
    assert snapshot(project) == states[-1]
    for state in states[-2::-1]:
        assert project.undo()
        assert snapshot(project) == state
    project = reopened(project)
    for state in states[1:]:
        assert project.redo()
        assert snapshot(project) == state
    project = reopened(project)
    assert snapshot(project) == states[-1]
    assert project.redo() is None
    project.folder.close()


def test_a_log_that_a_crash_cut_off_loses_the_last_line_only(project):
    decisions.rename(project, project.grouping.clusters[0], "Kept")
    kept = snapshot(project)
    decisions.rename(project, project.grouping.clusters[1], "Lost")
    log = project.folder.path / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole[:-7])
    project = reopened(project)
    assert snapshot(project) == kept
    decisions.rename(project, project.grouping.clusters[1], "Again")
    assert "Again" in reopened(project).grouping.names.values()


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b'{"do":{"what":"x","columns":{"cluster":{"at":[99],"old":[0],"new":[1]}},"values":{}}}',
     b'{"redo":true}',
     b'{"do":{"what":"x","columns":{"nope":{"at":[0],"old":[0],"new":[1]}},"values":{}}}',
     b'{"do":{"what":"x","columns":{},"values":{}},"rows":"../../etc/passwd"}', b'\xff\xfe'],
)  # fmt: skip
def test_a_damaged_log_is_one_clear_line(project, line):
    log = project.folder.path / "log.jsonl"
    log.write_bytes(log.read_bytes() + line + b"\n")
    with pytest.raises(InputError, match="line"):
        reopened(project)


def test_what_a_killed_process_wrote_beside_the_log_goes_and_nothing_else(project, tmp_path):
    folder, elsewhere = project.folder.path, tmp_path / "elsewhere"
    before = sorted(folder.rglob("*"))
    (folder / "rows" / "000099.npz").write_bytes(b"rows of a change that was never made")
    (folder / "photos" / f"{'e' * 16}.png").write_bytes(b"a photo that was never added")
    mine = folder / "photos" / "beach.png"
    mine.write_bytes(b"no name that a project gives")
    again = reopened(project)
    assert len(again.photos) == 2
    again.folder.close()
    assert sorted(folder.rglob("*")) == sorted([*before, mine])
    (folder / "photos").rename(elsewhere)
    (folder / "photos").symlink_to(elsewhere)
    (elsewhere / f"{'f' * 16}.png").write_bytes(b"not in this project's folder")
    reopened(project).folder.close()
    assert len(list(elsewhere.iterdir())) == 4


def test_photos_that_were_added_but_not_grouped_are_grouped_when_they_come_again(project, tmp_path, monkeypatch):
    files = [Incoming(f"photo{n}.png", lambda rows=rows: png(paint(rows))) for n, rows in enumerate((FIRST, SECOND))]

    def add(to):
        return add_photos(to, files, stub_models(), caps=Caps(), report=lambda *_: None)

    cut_off = painted(tmp_path / "cut")
    with monkeypatch.context() as broken:
        broken.setattr("packed_scenes.web.project.adding.group", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            add(cut_off)
    assert len(add(cut_off)) == 2, "both are there already"
    assert cut_off.threshold == project.threshold
    assert np.array_equal(cut_off.grouping.cluster, project.grouping.cluster)
    version = cut_off.version
    add(cut_off)
    assert cut_off.version == version
    cut_off.folder.close()


def test_two_processes_never_hold_one_project(project):
    with pytest.raises(InputError, match="another process"):
        ProjectFolder(project.folder.path)


@pytest.mark.slow
def test_killed_while_editing_nothing_but_the_last_edit_is_lost(tmp_path):
    painted(tmp_path / "w", FIRST).folder.close()
    code = (
        "import sys\nfrom pathlib import Path\nfrom packed_scenes.web.project.folder import ProjectFolder\n"
        "from packed_scenes.web.project.project import Project\nfrom packed_scenes.web.project import boxes\n"
        f"p = Project(ProjectFolder(Path({str(tmp_path / 'w')!r})), roots=[], card={CARD!r})\n"
        "n = 0\nwhile True:\n n += 1\n boxes.set_reach(p, n / 1000)\n print(n, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) >= 25:
                os.kill(process.pid, signal.SIGKILL)
                break
    project = Project(ProjectFolder(tmp_path / "w"), roots=[], card=CARD)
    assert project.reach >= 0.025
    project.folder.close()


def test_export_and_import_are_the_same_project(project, tmp_path):
    decisions.rename(project, project.grouping.clusters[0], "Red")
    export_zip(project.folder.path, [], tmp_path / "p.zip")
    import_zip(tmp_path / "p.zip", tmp_path / "other")
    other = Project(ProjectFolder(tmp_path / "other"), roots=[], card=CARD)
    assert snapshot(other) == snapshot(project)
    assert other.image(0).shape == project.image(0).shape
    other.folder.close()


def test_photos_by_reference_are_only_read_below_the_folders_named(tmp_path):
    (tmp_path / "photos").mkdir()
    file = tmp_path / "photos" / "a.png"
    file.write_bytes(png(paint(FIRST)))
    held = ProjectFolder.create(tmp_path / "w", name="w", settings={"threshold": 0.05})
    project = Project(held, roots=[tmp_path / "photos"], card=CARD)
    files = [Incoming("a.png", file.read_bytes, file)]
    add_photos(project, files, stub_models(), caps=Caps(), report=lambda *_: None)
    assert project.image(0).shape == (90, 120, 3)
    project.roots = [tmp_path / "elsewhere"]
    with pytest.raises(InputError, match="outside the folders"):
        project.image(0)
    project.folder.close()


@pytest.mark.slow
def test_a_run_folder_opens_as_a_project_and_back(project, tmp_path):
    run = to_analysis(project).save(tmp_path / "run")
    assert is_run(run)
    held = ProjectFolder.create(tmp_path / "again", name="again", settings={"threshold": 0.05})
    again = Project(held, roots=None, card=CARD)
    assert fill_from_run(again, run) == []
    assert again.grouping.cluster.tolist() == project.grouping.cluster.tolist()
    assert again.threshold == project.threshold
    assert again.confidence == 0  # all of the run is shown
    assert "confidence" not in again.document.values  # and a photo that is added brings its detector's
    assert again.undo() is None
    record = json.loads((run / "run.json").read_text())
    assert record["counts"]["objects"] == 16
    held.close()

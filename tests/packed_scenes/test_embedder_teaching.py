"""What is the same is taught on a project's groups, compared on photos kept out, and kept as one change."""

import json
import zipfile

import numpy as np
import pytest

from packed_scenes.data import InputError
from packed_scenes.observe import Observer
from packed_scenes.settings import Settings
from packed_scenes.web.project import decisions, embedder_teaching, teaching
from packed_scenes.web.project.adding import Caps, Incoming, add_photos
from packed_scenes.web.project.folder import ProjectFolder, export_zip, import_zip
from packed_scenes.web.project.project import Project
from packed_scenes.web.server.models import embedder_of
from packed_scenes.web.server.opened import Opened
from tests.packed_scenes.conftest import paint
from tests.packed_scenes.workbench import CARD, FIRST, SECOND, colours, painted, png, stub_models

GRIDS = [FIRST, SECOND, [[0, 1, 2], [3, 0, 1]], [[1, 1], [2, 0], [3, 3]]]


def test_the_specification_says_what_trains_and_what_is_kept_out(tmp_path):
    project = painted(tmp_path / "p", *GRIDS)
    told = json.loads(embedder_teaching.prepare(project, [0, 1, 2, 3]).read_text())
    assert told["embedder"] == "default"
    assert [photo["held"] for photo in told["photos"]].count(True) == 1
    assert sum(len(photo["boxes"]) for photo in told["photos"]) == len(project.view().rows)
    assert told["threshold"] == 0.05


def test_too_little_to_learn_from_is_said(tmp_path):
    project = painted(tmp_path / "p", FIRST, SECOND, [[0]])
    with pytest.raises(InputError, match="at least 3 photos"):
        embedder_teaching.prepare(project, [0, 1])
    with pytest.raises(InputError, match="no trained network"):
        embedder_teaching.file_away(project)
    single = painted(tmp_path / "q", [[0]], [[1]], [[2]])
    with pytest.raises(InputError, match="no two groups"):
        embedder_teaching.prepare(single, [0, 1, 2])


def test_keeping_describes_everything_anew_as_one_change_that_is_undone(tmp_path):
    project = painted(tmp_path / "p", *GRIDS)
    red = project.grouping.clusters[0]
    decisions.rename(project, red, "Red")
    before, rows = project.document.columns["vector"].copy(), project.view().rows
    mine = set(rows[project.grouping.cluster == red].tolist())

    def turned(image, boxes):
        return np.roll(colours(image, boxes), 1, axis=1)

    value = {"file": "teach/embedders/" + "0" * 16 + ".safetensors", "sha256": "0" * 64, "threshold": 0.07}
    assert embedder_teaching.keep(project, turned, value=value) == "Taught network for what is the same"
    assert np.allclose(project.document.columns["vector"], np.roll(before, 1, axis=1), atol=1e-6)
    assert project.document.values["embedder"] == value
    assert project.weights["embedder"] == "0" * 64
    assert project.threshold == 0.07  # the distance that was found goes with the network
    now = project.grouping
    named = next(c for c, name in now.names.items() if name == "Red")
    assert set(project.view().rows[now.cluster == named].tolist()) == mine  # what was decided stays
    project.undo()
    assert np.array_equal(project.document.columns["vector"], before)
    assert "embedder" not in project.document.values
    assert project.threshold == 0.05
    with pytest.raises(InputError, match="stopped"):
        embedder_teaching.keep(project, turned, value=None, stop=lambda: True)
    assert np.array_equal(project.document.columns["vector"], before)


@pytest.mark.slow
def test_a_training_ends_with_a_comparison_and_a_network_that_travels_with_the_project(tmp_path):
    real = Observer(Settings())
    held = ProjectFolder.create(tmp_path / "p", name="work", settings=Settings().to_json())
    project = Project(held, roots=[], card=CARD)
    files = [Incoming(f"photo{n}.png", lambda rows=rows: png(paint(rows))) for n, rows in enumerate(GRIDS)]
    models = stub_models()
    vars(models).update(embedder=real.embedder)
    assert add_photos(project, files, models, caps=Caps(), report=lambda *_: None) == []
    before = project.document.columns["vector"].copy()
    assert "sha256" not in embedder_teaching.work(
        embedder_teaching.prepare(project, [0, 1, 2, 3]), lambda _: None
    )  # nothing is better
    with pytest.raises(InputError, match="no trained network"):
        embedder_teaching.file_away(project)
    decisions.merge(project, project.grouping.clusters[:2])
    decisions.merge(project, project.grouping.clusters[-2:])
    lines = []
    found = embedder_teaching.work(embedder_teaching.prepare(project, [0, 1, 2, 3]), lines.append)
    assert {line["stage"] for line in lines} == {"prepare", "renew", "score", "looks"}
    assert [row["name"] for row in found["rows"]] == [
        "groups found (BCubed F)", "pairs found (F)", "the nearest is the same",
    ]  # fmt: skip
    teaching.remember(project, "embedder", found)
    value = embedder_teaching.file_away(project)
    assert value["sha256"] == found["sha256"]
    opened = Opened("p", project, networks=real)
    assert embedder_of(opened) is real.embedder
    project.commit("try", values={"embedder": value})
    taught = embedder_of(opened)
    assert taught.weights_hash == found["sha256"]
    embedder_teaching.keep(project, taught.embed, value=value)
    assert not np.allclose(project.document.columns["vector"], before, atol=1e-3)
    photos = [(p.sha256, p.source.path) for p in project.photos]
    export_zip(project.folder.path, photos, tmp_path / "out.zip")
    assert any(name.endswith(".safetensors") for name in zipfile.ZipFile(tmp_path / "out.zip").namelist())
    import_zip(tmp_path / "out.zip", tmp_path / "again")
    again = Project(ProjectFolder(tmp_path / "again"), roots=[], card=CARD)
    assert embedder_of(Opened("again", again, networks=real)).weights_hash == found["sha256"]
    (tmp_path / "again" / value["file"]).write_bytes(b"other")
    with pytest.raises(InputError):
        embedder_of(Opened("again", again, networks=real))

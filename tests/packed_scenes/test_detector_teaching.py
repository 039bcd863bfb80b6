"""Where objects are is taught on corrected photos, compared on photos kept out, and used on photos looked at anew."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from packed_scenes.data import InputError, Objects
from packed_scenes.data.images import write_image
from packed_scenes.web.project import boxes, decisions, detector_teaching, teaching
from packed_scenes.web.project.redetection import redetect, uncorrected
from tests.packed_scenes.conftest import squares
from tests.packed_scenes.workbench import FIRST, SECOND, colours, painted, reopened

GRIDS = [FIRST, SECOND, [[0, 1, 2], [3, 0, 1]], [[1, 1], [2, 0], [3, 3]], [[0, 0]]]


def test_most_photos_train_and_the_others_are_kept_out(tmp_path):
    project = painted(tmp_path / "p", *GRIDS)
    told = json.loads(detector_teaching.prepare(project, [0, 1, 2, 3, 4], minutes=1).read_text())
    assert len(told["trained"]) == 4
    assert len(told["held"]) == 1
    assert {item["photo"] for item in told["trained"] + told["held"]} == {0, 1, 2, 3, 4}
    assert all((tmp_path / "p" / "teach" / "new" / "images" / item["file"]).is_file() for item in told["trained"])
    assert detector_teaching.interrupted(project)  # until there is a result
    with pytest.raises(InputError, match="3 corrected photos"):
        detector_teaching.prepare(project, [0, 0, 1], minutes=1)
    with pytest.raises(InputError, match="10 hours"):
        detector_teaching.prepare(project, [0, 1, 2], minutes=0)


def _trained(project):
    """As if a training had ended."""
    detector_teaching.prepare(project, [0, 1, 2], minutes=1)
    run = project.folder.path / "teach" / "new" / "run"
    run.mkdir()
    for name in ("detector.onnx", "detector.pt", "detector.json"):
        (run / name).write_bytes(b"x")
    teaching.remember(project, "detector", {"rows": [], "note": "", "kept": False})


def test_what_is_discarded_is_the_last_training_then_the_one_in_use(tmp_path):
    project = painted(tmp_path / "p", *GRIDS)
    with pytest.raises(InputError, match="no trained detector"):
        detector_teaching.keep(project)
    _trained(project)
    detector_teaching.keep(project)
    assert detector_teaching.in_use(project)
    _trained(project)
    assert "stays in use" in detector_teaching.discard(project)
    project = reopened(project)
    assert detector_teaching.in_use(project)
    assert not detector_teaching.interrupted(project)
    assert detector_teaching.discard(project) == "The detector of before is in use"
    assert not detector_teaching.in_use(project)
    assert not (tmp_path / "p" / "teach" / "used").exists()


def _observe(image, _name):
    found = squares(image)
    return found.replace(embedding=colours(image, found.xyxy), score=np.full(len(found), 0.9, np.float32))


def test_photos_looked_at_anew_keep_names_and_drawn_boxes_and_it_is_one_step(tmp_path):
    project = painted(tmp_path / "p", FIRST, SECOND)
    red = project.grouping.clusters[0]
    decisions.rename(project, red, "Red")
    boxes.mark_corrected(project, [1], True)
    here = project.view().rows[project.view().photo == 0]
    boxes.delete(project, here[:4].tolist())
    boxes.add(project, 0, [[61, 4, 84, 26]], colours)
    before = {int(row) for row in project.view().rows}
    assert uncorrected(project) == [0]
    assert redetect(project, [0, 1], _observe) == "Boxes found anew on 1 photo"
    view = project.view()
    assert (view.photo == 0).sum() == len(_observe(project.image(0), ""))  # the drawn one among them, not twice
    assert project.document.columns["drawn"][view.rows].sum() == 1
    assert "Red" in project.grouping.names.values()
    assert (view.grouping.cluster == red).any()
    assert {int(row) for row in view.rows[view.photo == 1]} < before
    project.undo()
    assert {int(row) for row in project.view().rows} == before
    project.redo()
    project = reopened(project)
    assert np.array_equal(project.view().rows, view.rows)


def test_a_look_that_is_stopped_or_finds_nothing(tmp_path):
    project = painted(tmp_path / "p", FIRST, SECOND)
    version = project.version
    with pytest.raises(InputError, match="nothing has changed"):
        redetect(project, [0, 1], _observe, stop=lambda: True)
    assert project.version == version
    nothing = Objects.empty().replace(embedding=np.zeros((0, 3), np.float32))
    redetect(project, [0], lambda *_: nothing)
    assert not (project.view().photo == 0).any()
    project.undo()
    assert (project.view().photo == 0).any()


@pytest.mark.slow
def test_a_training_ends_in_time_and_goes_on_where_it_was_left(tmp_path):
    from packed_scenes.detect import Detector

    project = painted(tmp_path / "p", *GRIDS)
    spec = detector_teaching.prepare(project, [0, 1, 2, 3, 4], minutes=600, steps=3)
    lines = []
    for line in detector_teaching.work(spec):
        lines.append(line)
        if line.get("stage") == "teach":
            break
    assert lines[-1]["total"] == 36_000
    told = json.loads(spec.read_text())
    spec.write_text(json.dumps(told | {"steps": 2}))
    result = list(detector_teaching.work(spec))[-1]["result"]
    assert {row["name"] for row in result["rows"]} >= {"AP50", "AP"}
    assert "trained on 4 for 2 steps" in result["note"]
    teaching.remember(project, "detector", result)
    detector_teaching.keep(project)
    detector = Detector.load(project.folder.path / detector_teaching.USED)
    assert detector.confidence == pytest.approx(min(max(project.confidence, 0.05), 0.9), abs=1e-3)
    (compared,) = detector_teaching.compared(project)
    assert len(compared["truth"]) == len(project.objects(compared["photo"]))


def test_the_detector_is_taught_from_the_weights_that_look_at_most_photos(tmp_path):
    from packed_scenes.data.shipped import ASSETS
    from packed_scenes.web.project.detector_teaching import start_weights

    photos = []
    for number in range(4):
        photos.append(tmp_path / f"{number}.png")
        write_image(photos[-1], np.full((20, 20, 3), number, np.uint8))

    def detector(handed_over, general="b"):
        def look(image):
            return None, SimpleNamespace(sha256="b" if image[0, 0, 0] < handed_over else "a")

        return SimpleNamespace(detect_with_info=look, general=general and SimpleNamespace(sha256=general))

    assert start_weights(detector(3), None, photos) == ASSETS / "detector-general.pt"
    assert start_weights(detector(2), None, photos) == ASSETS / "detector.pt"
    assert start_weights(detector(4, general=None), None, photos) == ASSETS / "detector.pt"
    assert start_weights(detector(3), tmp_path / "detector.onnx", photos) == ASSETS / "detector-general.pt"
    (tmp_path / "detector.pt").write_bytes(b"")
    assert start_weights(detector(3), tmp_path / "detector.onnx", photos) == tmp_path / "detector.pt"

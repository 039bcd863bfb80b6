"""evaluate.py as a user runs it, and the scores it must give for known answers."""

import json
import re

import numpy as np
import pytest

from packed_scenes import evaluate
from packed_scenes.cli.score_table import score_lines
from packed_scenes.data import Objects
from packed_scenes.data.coco import write_coco
from packed_scenes.data.images import write_image
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.detect.metrics import evaluate as evaluate_detection
from tests.cli.test_analyze import command
from tests.commands import call
from tests.packed_scenes.conftest import ColourObserver, paint, squares
from tests.real import SHARED, needs

ROWS = [[0, 0, 1], [2, 1, 0]]


def labelled(tmp_path, name, rows, *, uncertain=()):
    image = paint(rows)
    write_image(tmp_path / f"{name}.png", image)
    boxes = squares(image)
    identity = np.array([c for row in rows for c in row if c is not None])
    return LabelledScene(
        image=tmp_path / f"{name}.png",
        name=name,
        truth=Objects.from_boxes(boxes.xyxy, cluster=identity),
        identity_uncertain=np.isin(np.arange(len(boxes)), uncertain),
    )


def test_right_identities_score_one(tmp_path):
    scores = evaluate([labelled(tmp_path, "a", ROWS), labelled(tmp_path, "b", [[3, 3]])], observer=ColourObserver())
    overall = scores["overall"]["clustering"]
    assert overall["bcubed_f"] == overall["pairwise_f"] == overall["ARI"] == 1
    assert overall["k_pred"] == overall["k_true"] == 4
    assert scores["overall"]["congregations"]["pairwise_f"] == 1
    assert set(scores["scenes"]) == {"a", "b"}


def test_uncertain_identities_do_not_count(tmp_path):
    scene = labelled(tmp_path, "a", ROWS, uncertain=[3])
    scores = evaluate([scene], observer=ColourObserver())
    assert scores["scenes"]["a"]["clustering"]["k_true"] == 2


def test_joint_scores_pairs_across_scenes(tmp_path):
    first, second = labelled(tmp_path, "a", [[0, 1]]), labelled(tmp_path, "b", [[1, 0]])
    alone = evaluate([first, second], observer=ColourObserver())["overall"]["clustering"]
    joint = evaluate([first, second], joint=True, observer=ColourObserver())["overall"]["clustering"]
    assert alone["k_true"] == 4
    assert joint["k_true"] == joint["k_pred"] == 2
    assert joint["pairwise_f"] == 1


@pytest.mark.parametrize("joint", [False, True])
def test_every_score_has_a_plain_name_and_its_best_value(tmp_path, joint):
    scenes = [labelled(tmp_path, "a", ROWS), labelled(tmp_path, "b", [[3, 3]])]
    overall = evaluate(scenes, joint=joint, observer=ColourObserver())["overall"]
    boxes = [(Objects.from_boxes([[0, 0, 9, 9]]),) * 2 + (np.zeros((0, 4)),)]
    overall["detection"] = evaluate_detection(boxes, confidence=0.5).to_dict()
    overall["end_to_end"] = {"bcubed_f": 0.5, "pairwise_f": 0.25}
    text = "\n".join(score_lines(overall, joint=joint))
    assert "_" not in text  # no key is left without a name
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"BCubed F: every object counts the same +1\.000   1\n", text)
    assert re.search(r"number of identities, found / true +4 / 4   equal\n", text)
    assert re.search(r"pairwise F: large groups count more +0\.250   1$", text, re.MULTILINE)
    assert text.startswith("2 scenes, clustered together" if joint else "2 scenes, each on its own")


def test_a_score_without_a_name_is_shown_under_its_key():
    assert "  new_score" in "\n".join(score_lines({"n_scenes": 1, "section": {"new_score": 0.5}}, joint=False))


def test_the_command_says_where_the_rest_is(tmp_path):
    write_coco(tmp_path / "truth.json", [labelled(tmp_path, "a", ROWS)])
    done = call("evaluate", "truth.json", "--embedder", "colour", "--out", "m.json", "--export", "coco", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\nexported for coco: m/coco.json\nscores of each scene: m.json\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "truth.json"),
        ("", "truth.json"),
        ("{}", "truth.json"),
        ('{"images": 3}', "truth.json"),
        ("[1", "truth.json"),
        ("file,x1,y1,x2,y2\n", "truth.json: is no JSON, and labels are read from COCO JSON here"),
    ],
)
def test_a_bad_truth_file_is_one_clear_line(tmp_path, content, said):
    if content is not None:
        (tmp_path / "truth.json").write_text(content)
    done = call("evaluate", "truth.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.slow
@needs("shelf_scenes/annotations.json")
def test_real_shelves_on_detected_boxes(tmp_path):
    truth = json.loads((SHARED / "shelf_scenes" / "annotations.json").read_text())
    one = truth["images"][0]["id"]
    small = truth | {
        "images": [i for i in truth["images"] if i["id"] == one],
        "annotations": [a for a in truth["annotations"] if a["image_id"] == one],
    }
    (tmp_path / "one.json").write_text(json.dumps(small))
    done = command("evaluate.py", tmp_path / "one.json", "--images", SHARED / "shelf_scenes" / "images",
                   "--boxes", "detected", "--out", tmp_path / "metrics.json", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "metrics.json").read_text())
    assert {"detection", "end_to_end", "congregations"} <= set(scores["overall"])
    assert {"AP", "AP50", "AP75", "AR300", "precision50", "recall50", "n_detected", "n_true"} <= set(
        scores["overall"]["detection"]
    )

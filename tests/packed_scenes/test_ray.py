"""The Ray engine on a cluster of two machines that are processes of this one: same bytes as one process, whatever dies.

The observer is the painted-squares one, but for one test that takes the real one with given boxes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from packed_scenes import Settings, analyze
from packed_scenes.data import InputError, Objects
from packed_scenes.data.boxes import BoxFile
from packed_scenes.data.images import write_image
from tests.packed_scenes.conftest import ColourObserver, paint, squares

# no token in the home folder; workers of this environment, not by another `uv run` each
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
os.environ |= {"RAY_worker_niceness": "0"}  # Ray's 15 leaves its workers 3 % of a core that something else keeps busy
pytest.importorskip("ray", reason="the extra `ray` is not installed")
from packed_scenes.engines.ray_data import analyze_on_ray

pytestmark = pytest.mark.slow
PICTURES = 20
SAME = ("objects.csv", "congregations.json", "overlay.jpg", "clusters.png", "errors.csv")


class Gated(ColourObserver):
    """Says who it is and where; with a gate in ``folder`` it waits at the fifth picture until the loss has happened.

    So the loss is in the middle however fast the machine is. A file ``kills-p07`` kills whoever looks at that picture.
    """

    def __init__(self, settings: Settings, folder: str) -> None:
        import ray

        super().__init__()
        self.settings, self.folder = settings, Path(folder)
        if ray.get_runtime_context().worker.mode == ray.WORKER_MODE:
            (self.folder / f"actor-{os.getpid()}-{ray.get_runtime_context().get_node_id()}").touch()

    def observe(self, scene, boxes=None):
        if (self.folder / f"kills-{scene.name}").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        if (self.folder / "gate").exists() and scene.name > "p03":
            wait_for(lambda: (self.folder / "lost").exists())
        return super().observe(scene, boxes)


def wait_for(ready, seconds=200):
    """Wait until ``ready()`` is true; Ray's workers take 8 s to start, minutes where both cores are busy."""
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, "what was waited for did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def machines():
    import ray
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="ray-")
    (Path(folder) / "ray").mkdir()
    os.environ["RAY_TMPDIR"] = folder
    each = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
    try:
        made = Cluster(initialize_head=True, head_node_args=each)
        made.add_node(**each)
        ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:
        del os.environ["RAY_TMPDIR"]
        shutil.rmtree(folder, ignore_errors=True)
        if "timed out during startup" not in str(error):
            raise
        pytest.skip("Ray did not start within its 30 s: the machine is too busy")
    yield made
    ray.shutdown()
    made.shutdown()
    del os.environ["RAY_TMPDIR"]
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Painted pictures, a broken one, and the run folder of one process over them."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(PICTURES):
        write_image(folder / f"p{number:02d}.png", paint(rng.integers(0, 4, (3, 5)).tolist()))
    (folder / "broken.jpg").write_bytes(b"no picture")
    analyze(folder, observer=ColourObserver()).save(folder / "whole")
    return folder


def pictures(folder):
    return [str(p) for p in sorted(folder.iterdir()) if p.is_file()]


def files(run):
    return {str(p.relative_to(run)): p.read_bytes() for p in sorted(run.rglob("*")) if p.name in SAME}


def assert_same(one, other):
    assert files(one).keys() == files(other).keys()
    for name, content in files(one).items():
        assert content == files(other)[name], name
    tables = [pd.read_parquet(run / "objects.parquet") for run in (one, other)]
    pd.testing.assert_frame_equal(*(t.drop(columns="embedding") for t in tables))
    assert np.array_equal(*(np.stack(t["embedding"]) for t in tables))


def run(photos, folder, said):
    urls = [f"file://{path}" for path in pictures(photos)]
    return analyze_on_ray(urls, f"file://{folder}", make_observer=partial(Gated, folder=str(said)))


def lost(photos, tmp_path, lose):
    """A run in whose middle ``lose`` is called with the (process, machine) of two actors on two machines."""
    said = tmp_path / "said"
    said.mkdir()
    (said / "gate").touch()

    def actors():
        return [tuple(p.name.split("-")[1:]) for p in sorted(said.glob("actor-*"))]

    def wait():
        wait_for(lambda: len({machine for _, machine in actors()}) == 2)
        lose(actors())
        (said / "lost").touch()

    loser = threading.Thread(target=wait, daemon=True)
    loser.start()
    run(photos, tmp_path / "run", said)
    assert (said / "lost").exists()
    errors = tmp_path / "run" / "errors.csv"
    errors.write_text(errors.read_text().replace("file://", ""))  # the file is named as it was given
    assert_same(photos / "whole", tmp_path / "run")
    return actors()


@pytest.mark.timeout(600)
def test_a_worker_is_killed_in_the_middle(machines, photos, tmp_path):
    started = lost(photos, tmp_path, lambda actors: os.kill(int(actors[0][0]), signal.SIGKILL))
    assert len(started) > 2, "no actor was started in its place"


@pytest.mark.timeout(600)
def test_a_picture_that_kills_its_worker_is_listed_and_costs_no_other(machines, photos, tmp_path, monkeypatch):
    import ray

    monkeypatch.setattr("packed_scenes.engines.ray_data.RETRIES", 0)
    monkeypatch.setattr("packed_scenes.engines.ray_rounds.BARREN", 1)
    (tmp_path / "kills-p07").touch()
    analysis = run(photos, tmp_path / "run", tmp_path)
    assert [scene.name for scene in analysis.scenes] == [f"p{n:02d}" for n in range(PICTURES) if n != 7]
    listed = (tmp_path / "run" / "errors.csv").read_text()
    assert 'p07.png,"its worker was lost again and again' in listed
    assert "broken.jpg" in listed
    assert len(listed.splitlines()) == 3
    # an actor that outlives its run keeps its processor, and the next run waits for ever
    wait_for(lambda: ray.available_resources().get("CPU") == 2)


def test_the_real_observer_with_given_boxes_goes_on_from_one_process(machines, photos, tmp_path):
    settings = Settings(embedder="colour", device="cpu")
    boxes = squares(paint([[0] * 5] * 3))
    some = pictures(photos)[1:4]
    given = BoxFile(Path("boxes"), {Path(p).name: Objects.from_boxes(boxes.xyxy) for p in some})
    seen = tmp_path / "run" / ".seen"
    analyze(some[0], boxes=given, settings=settings, stage=seen)
    when = (seen / "p00.parquet").stat().st_mtime_ns
    local = analyze(some, boxes=given, settings=settings).save(tmp_path / "local")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        analyze_on_ray(some, str(tmp_path / "run"), boxes=given, settings=settings, resume=True)
    assert [str(w.message) for w in said if "ray_remote_args" in str(w.message)] == []
    assert_same(local, tmp_path / "run")
    assert (seen / "p00.parquet").stat().st_mtime_ns == when, "what was seen is seen again"
    records = [json.loads((run / "run.json").read_text()) for run in (local, tmp_path / "run")]
    assert records[0]["weights_sha256"] == records[1]["weights_sha256"]
    assert records[0]["clustering"] == records[1]["clustering"]


def test_bad_input_is_named(machines, photos, tmp_path):
    make = partial(Gated, folder=str(tmp_path))
    with pytest.raises(InputError, match="no machine of the Ray cluster has a GPU"):
        analyze_on_ray(pictures(photos), str(tmp_path / "run"), settings=Settings(device="cuda"), make_observer=make)
    given = BoxFile(Path("boxes"), {"other.png": Objects.from_boxes([[0, 0, 9, 9]])})
    with pytest.raises(InputError, match="no boxes for the picture"):
        analyze_on_ray(pictures(photos)[1], str(tmp_path / "run"), boxes=given, make_observer=make)


@pytest.mark.timeout(600)
def test_a_machine_is_lost_in_the_middle(machines, photos, tmp_path):
    (second,) = [node for node in machines.list_all_nodes() if node is not machines.head_node]
    lost(photos, tmp_path, lambda _: machines.remove_node(second, allow_graceful=False))

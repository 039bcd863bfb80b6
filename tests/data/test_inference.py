"""The cache of compiled networks: same results, damaged files are made again, off means off; a light import."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from packed_scenes.data.inference import CACHED_MODELS, cache_folder, compile_network, openvino

ROOT = Path(__file__).resolve().parents[2]


def network():
    from openvino import opset13 as op

    x = op.parameter([-1, 4], np.float32)
    weight = np.arange(12, dtype=np.float32).reshape(3, 4)
    return openvino().Model([op.relu(op.matmul(x, op.constant(weight), False, True))], [x], "tiny")


def answer(compiled):
    return np.array(compiled.create_infer_request().infer([np.ones((2, 4), np.float32)])[compiled.output(0)])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PACKED_SCENES_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_second_time_nothing_is_built(folder):
    first = answer(compile_network(network, key="a"))
    assert np.array_equal(first, answer(compile_network(lambda: pytest.fail("built again"), key="a")))
    with pytest.raises(ZeroDivisionError):
        compile_network(lambda: 1 / 0, key="b")


@pytest.mark.parametrize(("wanted", "threads"), [("1", 1), ("2", 2), ("0", None), ("1,2", None), ("", None)])
def test_threads_are_those_of_the_other_libraries(folder, monkeypatch, wanted, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    free = compile_network(network, key="a").get_property("INFERENCE_NUM_THREADS")
    monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    for _ in range(2):  # compiled, and from the cache
        compiled = compile_network(network, key="a")
        assert compiled.get_property("INFERENCE_NUM_THREADS") == (threads or free)
        if threads:  # else every process would tie its threads to the same cores
            assert not compiled.get_property("ENABLE_CPU_PINNING")


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_a_damaged_file_is_made_again(folder, damage):
    first = answer(compile_network(network, key="a"))
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert np.array_equal(first, answer(compile_network(network, key="a")))
    assert len(file.read_bytes()) >= len(whole) - 64


def test_old_files_go(folder):
    for number in range(CACHED_MODELS + 3):
        compile_network(network, key=str(number))
    assert len(list(folder.iterdir())) == CACHED_MODELS


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PACKED_SCENES_CACHE", str(tmp_path / "file"))
    assert answer(compile_network(network, key="a")).shape == (2, 3)


def test_off_means_off(monkeypatch):
    monkeypatch.setenv("PACKED_SCENES_CACHE", "off")
    assert cache_folder() is None


def test_the_import_loads_no_converter():
    code = (
        "import sys; from packed_scenes.data.inference import openvino; openvino()\n"
        "assert not [m for m in sys.modules if m.startswith(('openvino.tools.ovc', 'openvino_telemetry'))]\n"
        "import openvino.tools.ovc"  # and whoever wants it still gets it
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_signal_after_networks_are_gone_ends_nothing():
    code = (
        "import gc, os, signal\n"
        "from tests.data.test_inference import network\n"
        "from packed_scenes.data.inference import compile_network\n"
        "first, second = (compile_network(network, key='') for _ in range(2))\n"
        "del first; gc.collect()\n"
        "del second; gc.collect()\n"
        "signal.signal(signal.SIGUSR1, lambda *_: print('handled'))\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr

"""The embedded network with every convolution at RTL, as `cortado run` does it, and what ends such a run early."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sklearn.datasets import load_digits

pytestmark = [pytest.mark.rtlsim, pytest.mark.usefixtures("simulator_tools")]

FPGA_LAYERS = ["conv1_1", "conv1_2", "conv2_1", "conv2_2"]
PICTURES = 12
# Built in seconds.
SMALL_ENGINE = ("--engine", "m=2,pc=1,pk=1,tiles=16,block_columns=8")
PATIENCE = 120
# What shells give a command that Ctrl-C has ended.
INTERRUPTED = 130


def run_cortado(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "cortado", "run", *arguments], capture_output=True, text=True,
                          timeout=600)


def test_digits():
    ended = run_cortado("--batch", str(PICTURES), "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    report = json.loads(ended.stdout)
    assert report["golden"] == {"compared": 4, "equal": 4, "fpga_layers": 4}
    right = load_digits().target[::5][:PICTURES].tolist()
    assert [picture["class"] for picture in report["pictures"]] == right
    assert report["accuracy"] == {"reference": 1.0, "mixed": 1.0}

    counted = {layer["layer"]: layer["counters"] for layer in report["layers"] if layer["counters"]}
    assert list(counted) == FPGA_LAYERS
    for counters in (*counted.values(), report["counters"]):
        assert counters["cycles"] == counters["busy"] + sum(counters["idle"].values()) > 0
    assert report["counters"]["cycles"] == sum(counters["cycles"] for counters in counted.values())
    assert report["counters"]["busy"] == sum(counters["busy"] for counters in counted.values())
    # Each product is of one cycle: F(4x4,3x3) does 4 direct MACs with one.
    multipliers = report["engine"]["multipliers"]
    for layer in report["layers"]:
        if layer["counters"]:
            assert layer["macs"] <= 4 * multipliers * layer["counters"]["busy"]
            assert layer["macs_per_multiplier_cycle"] == pytest.approx(
                layer["macs"] / (multipliers * layer["counters"]["cycles"]))
    assert report["simulated_seconds"] == pytest.approx(report["counters"]["cycles"] / 200e6)


def test_digits_for_people():
    ended = run_cortado("--batch", str(PICTURES), "--clock-mhz", "100")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert [line[0] for line in lines if line[-1:] == ["equal"]] == FPGA_LAYERS
    for words in ("accuracy 100.00 % in float, 100.00 % on host and rtlsim",
                  f"same class {PICTURES} of {PICTURES} pictures as in float",
                  "golden 4 of 4 FPGA layers equal to the bit"):
        assert words.split() in lines
    assert any(line[:1] == ["cycles"] and line[2:5] == ["for", f"{PICTURES}", "pictures,"] for line in lines)
    assert any(line[:1] == ["simulated"] and "at an assumed clock of 100 MHz;" in " ".join(line) for line in lines)


def test_too_few_cycles():
    ended = run_cortado("--batch", "1", "--max-cycles", "100")
    assert ended.stderr == ("error: engine: the job must end within 100 cycles, not go on; raise the limit "
                            "(--max-cycles) if it should\n")
    assert (ended.returncode, ended.stdout) == (1, "")


def partial_files(cache: Path) -> list[str]:
    """What an interrupted build could leave; locks may stay."""
    return [path.name for path in cache.rglob("*") if ".partial-" in path.name]


def interrupt(process: subprocess.Popen[str], is_time: Callable[[], bool]) -> tuple[str, str]:
    """Send what Ctrl-C sends once it is time; what the process printed."""
    try:
        end = time.monotonic() + PATIENCE
        while not is_time():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        return process.communicate(timeout=PATIENCE)
    finally:
        process.kill()


def start(*arguments: str, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "cortado", "run", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**os.environ, "CORTADO_CACHE": str(cache)})


def has_loaded_a_simulator(process: subprocess.Popen[str]) -> bool:
    return "engine.so" in Path(f"/proc/{process.pid}/maps").read_text()


def children(process: subprocess.Popen[str]) -> list[int]:
    return [int(child) for task in Path(f"/proc/{process.pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


def test_interrupted_while_it_simulates(tmp_path):
    # A cache of its own: other tests build at the same time.
    cache = tmp_path / "cache"
    # 224 x 224 x 64 x 64 x 9 MACs at 36 a cycle: fifty million cycles, minutes.
    network = tmp_path / "net.prototxt"
    network.write_text('layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 64 dim: 224 '
                       'dim: 224 } } }\nlayer { name: "conv" type: "Convolution" bottom: "data" top: "conv" '
                       'convolution_param { num_output: 64 kernel_size: 3 } }\n')
    process = start(str(network), *SMALL_ENGINE, cache=cache)
    loaded: list[float] = []

    def simulates() -> bool:
        if has_loaded_a_simulator(process):
            loaded.append(time.monotonic())
        # By then the maps are in its memory and the job runs.
        return bool(loaded) and loaded[-1] - loaded[0] > 2

    out, err = interrupt(process, simulates)
    assert err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    assert (process.returncode, out) == (INTERRUPTED, "")
    assert partial_files(cache) == []


def test_interrupted_while_it_builds(tmp_path):
    cache = tmp_path / "cache"
    process = start("--batch", "1", *SMALL_ENGINE, cache=cache)
    compilers = []

    def compiles() -> bool:
        # Verilator and then compilers, while a library is half written.
        compilers[:] = children(process)
        return bool(compilers) and bool(list(cache.glob("library/*.partial-*/build/*.cpp")))

    out, err = interrupt(process, compiles)
    assert err.strip() == "interrupted"
    assert (process.returncode, out) == (INTERRUPTED, "")
    assert partial_files(cache) == []
    # The Verilog was whole before; there is no library, and nobody is left who would write one.
    assert len(list(cache.glob("verilog/*/engine.v"))) == 1
    assert list(cache.glob("library/*/*")) == []
    assert not any(Path(f"/proc/{compiler}").exists() for compiler in compilers)

"""What the driver and serving cost: the three ways give the same bits, and the report adds up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cortado.bench import device_bench
from cortado.bench.device_bench import DeviceBench
from cortado.bench.layer import layers_of
from cortado.device.device import DeviceOptions
from cortado.errors import MismatchError

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "bench-device.schema.json"
FIELDS = "m=2,pc=2,pk=2,beat_bits=64,largest_taps=180,tiles=12,buffer_words=48,block_columns=8"

pytestmark = pytest.mark.rtlsim


def test_the_report(simulator_tools):
    ended = subprocess.run([sys.executable, "-m", "cortado", "bench", "device", "--network", "digits", "--engine",
                            FIELDS, "--repeats", "2", "--memory-mib", "8", "--json"], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    report = json.loads(ended.stdout)
    assert list(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(report)) == []
    # conv2_2 has too many taps for this engine.
    assert [row["layer"] for row in report["layers"]] == ["conv1_1", "conv1_2", "conv2_1"]
    for row in (*report["layers"], report["total"]):
        assert row["driver_overhead"] == pytest.approx(row["driver_cpu_seconds"] / row["bare_cpu_seconds"] - 1)
        assert row["remote_overhead"] == pytest.approx(row["remote_cpu_seconds"] / row["driver_cpu_seconds"] - 1)
    for figure in ("cycles", "bare_seconds", "driver_cpu_seconds", "remote_seconds"):
        assert report["total"][figure] == pytest.approx(sum(row[figure] for row in report["layers"]))


def test_a_way_that_differs_is_an_error(simulator_tools, small_engine, monkeypatch):
    monkeypatch.setattr(device_bench, "_run_bare", lambda *_: (0, None))
    layers = layers_of("digits", batch=1, patterns=("conv1_1",))
    with pytest.raises(MismatchError, match=r"^layer 'conv1_1': the bare simulator, the driver and the served device"):
        DeviceBench(small_engine, DeviceOptions(memory_bytes=2**20), repeats=1, seed=0).run(layers)

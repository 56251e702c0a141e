"""What several parts in flight gain: the report adds up, and a difference is an error."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from cortado.bench.overlap_bench import OverlapTime, time_overlap
from cortado.cli import main
from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.errors import MismatchError
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.planner.calibration import Calibration

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "bench-overlap.schema.json"


def test_the_report(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["cortado", "bench", "overlap", "digits", "--device", "golden", "--batch", "5",
                                     "--at-once", "2", "--in-flight", "3", "--repeats", "2", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    out, _ = capsys.readouterr()
    assert not ended.value.code
    report = json.loads(out)
    assert list(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(report)) == []
    assert (report["pictures"], report["parts"], report["in_flight"]) == (5, 3, 3)
    assert report["serial_seconds"] == pytest.approx(report["host_seconds"] + report["device_seconds"])
    assert report["share_of_bound"] == pytest.approx(
        max(report["host_seconds"], report["device_seconds"]) / report["overlapped_seconds"])


@pytest.mark.parametrize(("device", "bound", "share"), [(3.0, 3.0, 0.75), (1.0, 4.0, 1.0)])
def test_the_bound_is_the_slower_one(device, bound, share):
    time = OverlapTime(pictures=4, parts=4, in_flight=2, serial=5.0, device=device, overlapped=4.0,
                       overlapped_device=3.0)
    assert (time.bound, time.share, time.device_busy) == (bound, share, 0.75)


def test_a_difference_is_an_error():
    pipeline = MixedPipeline(load_model("digits"), batch=1)
    pictures = np.random.default_rng(1).standard_normal((2, 1, 8, 8), np.float32)
    plan = pipeline.plan(pictures, Calibration())

    class Forgetful(GoldenDevice):
        """Gives another result each time."""

        def _execute(self, prepared, record):
            super()._execute(prepared, record)
            prepared[-1][:] = self._jobs % 7

    with (GoldenDevice(DeviceOptions()) as good, Forgetful(DeviceOptions()) as bad):
        options = {"in_flight": 2, "repeats": 1, "started": lambda words: None}
        assert time_overlap(plan, pipeline, good, pictures, **options).parts == 2
        with pytest.raises(MismatchError, match=(
                r"^blob '\w+': it must be the same whatever is in flight, and differs$")):
            time_overlap(plan, pipeline, bad, pictures, **options)

"""What happened when, as Perfetto reads it."""

from __future__ import annotations

import json

import pytest

from cortado.device.device import DeviceOptions, JobRecord, device_types
from cortado.errors import CortadoError
from cortado.executor.executor import Executor
from cortado.executor.trace import Trace
from cortado.simulation.counters import Counters


def events_of(trace: Trace, path) -> dict[str, list[dict]]:
    """The events of a trace by track."""
    trace.write(path)
    data = json.loads(path.read_text())
    names = {event["tid"]: event["args"]["name"] for event in data["traceEvents"] if event["ph"] == "M"}
    tracks = {name: [] for name in names.values()}
    for event in data["traceEvents"]:
        if event["ph"] != "M":
            tracks[names[event["tid"]]].append(event)
    return tracks


def test_spans_and_jobs(tmp_path):
    trace = Trace()
    with trace.span("host layers", "pool", part=1):
        pass
    looks = [(2.0, {"cycles": 10, "busy": 7, "idle_input": 3}), (5.0, {"cycles": 40, "busy": 11, "idle_input": 29})]
    trace.job(JobRecord(layer="conv", begin=1.0, end=6.0, looks=looks), 3, Counters(cycles=42, busy=12, idle_input=30))
    tracks = events_of(trace, tmp_path / "t.json")
    assert [*tracks] == ["host layers", "device", "engine"]
    (pool,), (job,) = tracks["host layers"], tracks["device"]
    assert (pool["name"], pool["ph"], pool["args"], pool["dur"] >= 0) == ("pool", "X", {"part": 1}, True)
    assert (job["name"], job["dur"], job["args"]["part"], job["args"]["cycles"]) == ("conv", 5e6, 3, 42)
    phases = [event for event in tracks["engine"] if event["ph"] == "X"]
    assert [(phase["name"], phase["ts"] - job["ts"], phase["dur"], phase["args"]) for phase in phases] == [
        ("busy", 0, 1e6, {"part": 3, "layer": "conv", "busy": 7, "idle_input": 3}),
        ("idle_input", 1e6, 3e6, {"part": 3, "layer": "conv", "busy": 4, "idle_input": 26})]
    counts = [event for event in tracks["engine"] if event["ph"] == "C"]
    assert [event["args"] for event in counts] == [{"busy": 7, "idle_input": 3}, {"busy": 4, "idle_input": 26}]


@pytest.mark.rtlsim
def test_a_run(simulator_tools, plan, pipeline, pictures, tmp_path):
    trace = Trace()
    with device_types["rtlsim"](DeviceOptions(memory_bytes=2**20, look_cycles=50)) as device:
        run = Executor(plan, pipeline.net, device, trace=trace).run({"data": pictures}, at_once=2, in_flight=2)
    tracks = events_of(trace, tmp_path / "t.json")
    assert {*tracks} == {"device", "host layers", "engine", "copies of part 0", "copies of part 1"}
    assert sorted(event["name"] for event in tracks["host layers"]) == ["pool", "pool", "score", "score"]
    jobs = [event for event in tracks["device"] if not event["name"].startswith("program ")]
    assert sorted(event["name"] for event in jobs) == ["a", "a", "b/3x3", "b/3x3"]
    assert sum(event["args"]["cycles"] for event in jobs) == run.counters.cycles
    # Jobs run one after the other, host layers too.
    for track in (jobs, tracks["host layers"]):
        ends = [event["ts"] + event["dur"] for event in track]
        assert all(end <= event["ts"] for end, event in zip(ends, track[1:], strict=False))
    phases = [event for event in tracks["engine"] if event["ph"] == "X"]
    assert len(phases) > 2 * len(jobs)
    # What a job counted is what its phases counted.
    assert sum(phase["args"]["busy"] for phase in phases) == run.counters.busy


def test_a_file_that_cannot_be_written(tmp_path):
    path = tmp_path / "missing" / "t.json"
    for write in (Trace.require_file, Trace().write):
        with pytest.raises(CortadoError) as caught:
            write(path)
        assert str(caught.value) == (f"trace file '{path}': must be one that can be written, not refuse with 'No such "
                                     "file or directory'")

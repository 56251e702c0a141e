"""What `--json` prints, against docs/schemas."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cortado.gateware.configuration import LEGAL_RANGES, LEGAL_VALUES
from cortado.report.report import SCHEMA_VERSION
from cortado.resources import models_root
from cortado.simulation.counters import Counters

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
FILES = sorted(SCHEMAS.glob("*.schema.json"))

COMMANDS = ("run", "inspect", "check", "verify", "generate", "train", "test", "time", "selftest", "doctor")

# Two pictures, and an engine of which Verilog is made in seconds.
SMALL_ENGINE = ("--engine", "m=2,pc=1,pk=1,tiles=16,block_columns=8")
TWO_PICTURES = ("--batch", "2")


def schema_of(command: str) -> dict:
    return json.loads((SCHEMAS / f"{command}.schema.json").read_text(encoding="utf-8"))


def printed_by(*arguments: str, exit_code: int = 0) -> dict:
    """The object that `cortado ... --json` prints on standard output."""
    result = subprocess.run([sys.executable, "-m", "cortado", *arguments, "--json"], capture_output=True, text=True,
                            timeout=600)
    assert result.returncode == exit_code, result.stderr
    return json.loads(result.stdout)


def violations(command: str, value: object) -> list[str]:
    """Each place where a value leaves the schema of a command, in words."""
    validator = Draft202012Validator(schema_of(command))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def objects_in(schema: object) -> list[dict]:
    """Every schema of an object inside a schema, itself included."""
    if isinstance(schema, list):
        return [found for item in schema for found in objects_in(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if "object" in schema.get("type", ()) else []
    return own + [found for value in schema.values() for found in objects_in(value)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_schema_is_one_and_leaves_nothing_open(path):
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    for part in objects_in(schema):
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])
        else:
            # A mapping by names that only the user knows: its values are described.
            assert set(part["additionalProperties"]) & {"type", "$ref"}


def test_a_definition_is_the_same_in_every_schema():
    seen = {}
    for path in FILES:
        for name, definition in json.loads(path.read_text(encoding="utf-8")).get("$defs", {}).items():
            assert seen.setdefault(name, definition) == definition, f"{name} in {path.name}"


def test_the_schemas_know_what_the_code_knows():
    configuration = schema_of("inspect")["$defs"]["configuration"]["properties"]
    for name, legal in LEGAL_VALUES.items():
        described = configuration.pop(name)
        assert described.get("enum", [described.get("const")]) == list(legal)
    for name, (low, high) in LEGAL_RANGES.items():
        described = configuration.pop(name)
        assert (described["minimum"], described["maximum"]) == (low, high)
    assert configuration == {}
    assert list(schema_of("run")["$defs"]["idle"]["properties"]) == list(Counters().idle)
    for command in COMMANDS:
        assert schema_of(command)["properties"]["schema"]["const"] == SCHEMA_VERSION


@pytest.mark.parametrize("arguments", [
    ("inspect",),
    # One layer falls to the host, one is kept there.
    ("inspect", "--engine", "largest_taps=144", "--host", "conv1_1"),
    # Mosaics, space to depth, pieces, groups and an inner product.
    ("inspect", "alexnet", "--mapping", *TWO_PICTURES, "--fpga", "fc8"),
    ("run", "--device", "golden", *TWO_PICTURES),
    # No layer on the FPGA.
    ("run", "--device", "golden", *TWO_PICTURES, "--engine", "largest_taps=9", "--host", "conv1_1"),
    ("verify", "--device", "golden", *TWO_PICTURES),
    ("test", "digits", "--stage", "held-out", "--iterations", "1"),
    ("time", "--repeats", "1"),
    # No plain modules: there is a data layer.
    ("time", "--repeats", "1", "--stage", "held-out"),
    ("selftest", "--device", "golden"),
    ("doctor",),
], ids=" ".join)
def test_a_report_is_what_the_schema_says(arguments):
    assert violations(arguments[0], printed_by(*arguments)) == []


def test_a_check_is_what_the_schema_says(tmp_path):
    """One network that runs, one that is refused."""
    lenet = models_root() / "lenet" / "lenet.prototxt"
    (tmp_path / "bad.prototxt").write_text('layer { name: "x" type: "Relu" }', encoding="utf-8")
    report = printed_by("check", str(lenet), str(tmp_path), exit_code=1)
    assert violations("check", report) == []
    assert [(network["role"], network["outcome"]) for network in report["networks"]] == [
        ("TEST", "ran"), ("TRAIN", "ran"), ("TEST", "refused"), ("TRAIN", "refused")]


def test_nothing_to_verify_is_reported_and_an_error():
    report = printed_by("verify", "--device", "golden", "--engine", "largest_taps=9", "--host", "conv1_1",
                        exit_code=1)
    assert violations("verify", report) == []
    assert (report["layers_compared"], report["equal"], report["rungs"]) == (0, False, [])


@pytest.mark.parametrize("fields", [
    "max_iter: 2 display: 1 test_iter: 1 test_interval: 1 snapshot: 1",
    # Nothing is told, tested or written.
    "max_iter: 1 snapshot_after_train: false",
])
def test_a_training_is_what_the_schema_says(tmp_path, fields):
    solver = tmp_path / "solver.prototxt"
    state = 'test_state { stage: "held-out" }' if "test_iter" in fields else ""
    solver.write_text(f'net: "{models_root()}/digits/digits.prototxt" {state} {fields}', encoding="utf-8")
    assert violations("train", printed_by("train", "--solver", str(solver))) == []


def test_a_bundle_is_what_the_schema_says(tmp_path):
    report = printed_by("generate", "-o", str(tmp_path / "bundle"), *SMALL_ENGINE)
    assert violations("generate", report) == []
    assert json.loads((tmp_path / "bundle" / "manifest.json").read_text(encoding="utf-8")) == report["manifest"]


def test_a_bundle_for_a_board_with_a_bench_is_what_the_schema_says(tmp_path):
    report = printed_by("generate", "-o", str(tmp_path / "bundle"), *SMALL_ENGINE, "--engine", "beat_bits=64",
                        "--testbench", "--board", "ulx3s_85f")
    assert violations("generate", report) == []
    assert (report["board"]["name"], len(report["testbench_layers"])) == ("ulx3s_85f", 4)


def test_a_new_bench_is_what_the_schema_says(tmp_path):
    report = printed_by("bench-new", "stream_reader", "--with", "beat_bits=64", "-o", str(tmp_path / "bench_reader.py"))
    assert violations("bench-new", report) == []
    assert [port["name"] for port in report["ports"] if port["kind"] == "stream"] == ["command", "request", "i", "o"]


def test_pictures_without_labels(tmp_path):
    network = tmp_path / "net.prototxt"
    network.write_text('layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 6 '
                       'dim: 5 } } }\nlayer { name: "conv" type: "Convolution" bottom: "data" top: "conv" '
                       'convolution_param { num_output: 3 kernel_size: 3 } }\n', encoding="utf-8")
    report = printed_by("run", str(network), "--device", "golden")
    assert violations("run", report) == []
    assert (report["accuracy"], report["pictures"][0]["label"]) == (None, None)


def test_an_error_is_what_the_schema_says():
    error = printed_by("inspect", "digist", exit_code=1)
    assert violations("error", error) == []
    assert error["error"]["type"] == "ModelFileError"


def test_an_hls_project_is_what_the_schema_says(tmp_path):
    report = printed_by("generate", "--target", "hls", "-o", str(tmp_path / "project"), *SMALL_ENGINE)
    assert violations("generate-hls", report) == []
    assert json.loads((tmp_path / "project" / "manifest.json").read_text(encoding="utf-8")) == report["manifest"]


@pytest.mark.rtlsim
def test_a_simulated_run_is_what_the_schema_says():
    report = printed_by("run", *TWO_PICTURES, *SMALL_ENGINE)
    assert violations("run", report) == []
    assert report["counters"]["cycles"] == report["counters"]["busy"] + sum(report["counters"]["idle"].values()) > 0
    assert report["memory"] == "128-bit beats, 64 cycles latency, 16 bursts outstanding"


@pytest.mark.rtlsim
def test_a_simulated_ladder_is_what_the_schema_says():
    report = printed_by("verify", "--layer", "conv1_1", *TWO_PICTURES, *SMALL_ENGINE)
    assert violations("verify", report) == []
    assert [(rung["lower"], rung["upper"]) for rung in report["rungs"]] == [
        ("reference", "golden"), ("golden", "csim"), ("csim", "rtlsim")]


def test_what_the_schema_does_not_know_is_refused():
    report = printed_by("doctor")
    report["tools"][0]["colour"] = "red"
    assert violations("doctor", report) == [
        "$.tools[0]: Additional properties are not allowed ('colour' was unexpected)"]

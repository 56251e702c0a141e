"""`cortado bench engine`: what it prints and its JSON, on an engine that builds in seconds."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "bench-engine.schema.json"
SMALL = ("--network", "digits", "--engine", "m=2,pc=1,pk=1,tiles=16,block_columns=8")
# Of one picture: height x width x 9 x channels x filters.
MACS = {"conv1_1": 64 * 9 * 16, "conv1_2": 64 * 9 * 16 * 16, "conv2_1": 16 * 9 * 16 * 32, "conv2_2": 16 * 9 * 32 * 32}
# Whole tiles fit the maps: nine MACs take sixteen products of which four are shared.
PEAK = 2.25


def cortado(*arguments: str, exit_code: int = 0) -> str:
    result = subprocess.run([sys.executable, "-m", "cortado", "bench", "engine", *arguments], capture_output=True,
                            text=True, timeout=600)
    assert result.returncode == exit_code, result.stderr
    return result.stdout


def reported(*arguments: str, exit_code: int = 0) -> dict:
    report = json.loads(cortado(*arguments, "--json", exit_code=exit_code))
    assert [f"{error.json_path}: {error.message}" for error in Draft202012Validator(
        json.loads(SCHEMA.read_text(encoding="utf-8"))).iter_errors(report)] == []
    return report


@pytest.mark.rtlsim
def test_layers_beside_their_ceilings(simulator_tools):
    (engine,) = reported(*SMALL)["engines"]
    assert {layer["layer"]: layer["macs"] for layer in engine["layers"]} == MACS
    for layer in engine["layers"]:
        counters = layer["counters"]
        assert counters["cycles"] == counters["busy"] + sum(counters["idle"].values())
        assert layer["ceilings"]["peak"] == layer["ceilings"]["with_edges"] == PEAK
        assert layer["roofline_cycles"]["compute"] * 16 * PEAK == layer["macs"]
        assert 0 < layer["macs_per_multiplier_cycle"] <= layer["ceilings"]["with_memory"] <= PEAK
        assert layer["share_of_roofline"] == pytest.approx(
            max(layer["roofline_cycles"].values()) / counters["cycles"])
        assert (layer["batch"], layer["beat_bits"]) == (1, 128)
        assert (layer["equal_to_golden"], layer["different"], layer["kept"]) == (True, 0, False)
    (network,) = engine["networks"]
    assert network["macs"] == sum(MACS.values())
    assert network["gops"] == pytest.approx(2 * network["macs"] * 200 / network["counters"]["cycles"] / 1000)


@pytest.mark.rtlsim
def test_a_second_bench_goes_on_where_the_first_stopped(simulator_tools, tmp_path):
    keep = ("-o", str(tmp_path / "results.json"))
    (first,) = reported(*SMALL, "--layer", "conv1_*", *keep)["engines"]
    (second,) = reported(*SMALL, *keep)["engines"]
    assert [layer["kept"] for layer in second["layers"]] == [True, True, False, False]
    assert [layer["counters"] for layer in second["layers"][:2]] == [layer["counters"] for layer in first["layers"]]
    # Another memory is another measurement.
    (slow,) = reported(*SMALL, "--layer", "conv1_*", *keep, "--latency-cycles", "200")["engines"]
    assert [layer["kept"] for layer in slow["layers"]] == [False, False]
    assert slow["layers"][0]["counters"]["cycles"] > first["layers"][0]["counters"]["cycles"]


@pytest.mark.rtlsim
def test_the_words(simulator_tools):
    out = cortado(*SMALL, "--batch", "2", "--port-bits", "64")
    row = next(line.split() for line in out.splitlines() if line.startswith("digits   conv1_2"))
    assert row[2:9] == ["16x8x8", "->", "16,", "3x3", "2", "64", row[8]]
    assert "golden      4 of 4 layers equal to the bit, on maps and weights over all of int8\n" in out
    assert "memory      64-bit beats, 64 cycles latency, 16 bursts outstanding\n" in out
    assert "at an assumed 200 MHz\n" in out


@pytest.mark.rtlsim
@pytest.mark.parametrize(("weight_bits", "words"), [
    (8, "maps over all of int16 and weights over all of int8"),
    pytest.param(16, "maps and weights over all of int16", marks=pytest.mark.slow)])
def test_an_engine_of_16_bits(simulator_tools, weight_bits, words):
    """Its numbers are drawn from all of its formats, and the roofline counts their bytes."""
    wide = (*SMALL[:3], f"{SMALL[3]},data_bits=16,weight_bits={weight_bits}", "--layer", "conv2_2")
    (engine,) = reported(*wide)["engines"]
    (layer,) = engine["layers"]
    assert (layer["equal_to_golden"], layer["different"]) == (True, 0)
    # 32 channels of 4 x 4 pixels in and out, 9 weights for each pair, 8 bytes for each filter; 16 bytes a beat.
    kernels = 32 * 32 * 9 * weight_bits // 8
    assert layer["roofline_cycles"]["read"] == (32 * 16 * 2 + kernels + 32 * 8) / 16
    assert layer["roofline_cycles"]["write"] == 32 * 16 * 2 / 16
    assert f"golden      1 of 1 layers equal to the bit, on {words}\n" in cortado(*wide)


def test_layers_the_engine_refuses_are_told_and_none_is_an_error():
    report = reported("--network", "digits", "--layer", "conv1_2", "--engine", "m=2,pc=1,pk=1,largest_taps=9",
                      exit_code=1)
    (engine,) = report["engines"]
    assert (engine["layers"], engine["networks"]) == ([], [])
    (refusal,) = engine["refused"]
    assert (refusal["network"], refusal["layer"]) == ("digits", "conv1_2")
    assert "largest_taps" in refusal["reason"]


def test_presets_are_listed():
    assert "vgg-3x3         3x3 layers of VGG-A and VGG-16\n" in cortado("--preset", "help")


@pytest.mark.parametrize("arguments", [("--preset", "vgg-3x4"), ("--preset", "vgg-3x3", "--batch", "2"),
                                       ("--kind", "5x5")], ids=" ".join)
def test_a_wrong_command_line(arguments):
    assert cortado(*arguments, exit_code=2) == ""


@pytest.mark.rtlsim
def test_ctrl_c_keeps_what_was_measured(simulator_tools, tmp_path):
    results = tmp_path / "results.json"
    # The first layer takes seconds on so small an engine, the second minutes.
    arguments = (sys.executable, "-m", "cortado", "bench", "engine", "--network", "vgg16", "--layer", "conv1_*",
                 *SMALL[2:], "-o", str(results))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        while running.poll() is None and (not results.exists() or '"conv1_1"' not in results.read_text()):
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert f"measurements kept in {results}: 1; the same command goes on from there\n" in err
    (engine,) = reported("--network", "vgg16", "--layer", "conv1_1", *SMALL[2:], "-o", str(results))["engines"]
    assert [layer["kept"] for layer in engine["layers"]] == [True]

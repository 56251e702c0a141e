"""The descriptor space is covered: see sim/benches/bench_descriptor_coverage.py and sim/benches/coverage.py."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from cortado.gateware.descriptor import ErrorCode
from cortado.resources import sim_root

TINY = {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "tiles": 8, "block_columns": 4, "largest_taps": 128,
        "buffer_words": 24, "leaky": 1, "pooling": 2, "elementwise_add": 1, "pooling_row_beats": 3}


@pytest.fixture
def coverage_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(sim_root())
    return importlib.import_module("benches.coverage")


@pytest.mark.rtlsim
def test_every_legal_bin_is_hit(run_bench: Callable[[str, dict], None], tmp_path: Path) -> None:
    run_bench("descriptor_coverage", {"m2": TINY})
    check_report(tmp_path / "coverage.m2.json")


@pytest.mark.slow
@pytest.mark.rtlsim
def test_every_legal_bin_is_hit_from_other_seeds(run_bench: Callable[[str, dict], None], tmp_path: Path) -> None:
    # The seed is the name of the case.
    cases = {name: TINY for name in ("espresso", "lungo", "macchiato")}
    run_bench("descriptor_coverage", cases)
    for name in cases:
        check_report(tmp_path / f"coverage.{name}.json")


def check_report(path: Path) -> None:
    """Everything was hit, by as many jobs as that takes; pytest shows the report with -s."""
    report = json.loads(path.read_text())
    print(report["report"])
    assert report["missed"] == []
    assert sum(count > 0 for count in report["hits"].values()) > 200
    assert report["ran"] > 50


def test_every_coverpoint_says_what_its_bins_mean(coverage_module: ModuleType) -> None:
    names = [point.name for point in coverage_module.COVERPOINTS]
    assert len(set(names)) == len(names) > 30
    for point in coverage_module.COVERPOINTS:
        assert point.says
        assert len(set(point.bins)) == len(point.bins) > 1, point.name
    known = {f"{point.name}={value}" for point in coverage_module.COVERPOINTS for value in point.bins}
    assert set(coverage_module.UNREACHED) <= known


def test_the_counter_can_miss_and_names_what_it_missed(coverage_module: ModuleType) -> None:
    ended = coverage_module.Ended
    coverage = coverage_module.Coverage()
    everything = len(coverage.missed)
    assert everything == len(coverage.hits) - len(coverage_module.UNREACHED)
    first = ended(kind="winograd", before=None, stalls="free", error=ErrorCode.NONE)
    second = ended(kind="pool", before="winograd", stalls="delayed", error=ErrorCode.ABORTED)
    assert coverage.new_bins(first, second) == {"stalls=winograd, free", "error=NONE", "error=ABORTED"}
    coverage.sample(first, second)
    # A job that ended with an error is no job of its kind behind its stalls, nor after the one before it.
    assert set(coverage.hits) - set(coverage.missed) - set(coverage_module.UNREACHED) == {
        "stalls=winograd, free", "error=NONE", "error=ABORTED"}
    assert coverage.new_bins(first) == set()
    assert "order=winograd then pool" in coverage.missed
    assert "missed: order=winograd then pool" in str(coverage).splitlines()
    assert str(coverage).splitlines()[0].startswith(f"3 of {everything} bins hit")


def test_what_is_no_bin_or_out_of_reach_is_an_error(coverage_module: ModuleType) -> None:
    coverage = coverage_module.Coverage()
    with pytest.raises(AssertionError, match=r"^stalls=winograd, held is no bin; it was seen in Ended\("):
        coverage.sample(coverage_module.Ended(kind="winograd", before=None, stalls="held", error=ErrorCode.NONE))
    with pytest.raises(AssertionError, match=r"^error=LEFT_OVER is reached after all: the engine's own check"):
        coverage.sample(coverage_module.Ended(kind="add", before=None, stalls="free", error=ErrorCode.LEFT_OVER))

"""Benches of workloads against their bars."""

from __future__ import annotations

from cortado.workloads.bench import run_benches
from cortado.workloads.figure import Bar


def test_bars_are_held_against_what_a_run_found(small, tmp_path):
    measured, = run_benches((small,), folder=tmp_path, seed=1)
    reached, missed, absent = measured.verdicts
    assert reached.met
    assert reached.measured == measured.result.metrics["one"]["accuracy"]
    assert not missed.met
    assert (absent.measured, absent.met) == (None, False)
    # What is there is not run again.
    assert run_benches((small,), folder=tmp_path, seed=1)[0].result == measured.result
    assert run_benches((small,), folder=tmp_path / "b", most_minutes=0.05) == ()


def test_a_bar_is_an_interval():
    assert str(Bar(split="", metric="", least=0.5)) == "at least 0.5"
    assert str(Bar(split="", metric="", most=0.5)) == "at most 0.5"
    assert str(Bar(split="", metric="", least=0.25, most=0.5)) == "0.25 to 0.5"
    bar = Bar(split="", metric="", least=0.25, most=0.5)
    assert [bar.met_by(value) for value in (0.2, 0.25, 0.5, 0.51, float("nan"))] == [False, True, True, False, False]

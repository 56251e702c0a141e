"""Runs: equal by seed, kept by part, resumed as if never interrupted, refused where they do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cortado.errors import WorkloadError
from cortado.workloads.records import found_results, result_in
from cortado.workloads.result import read_result
from cortado.workloads.run import run_workload


def refusal(run: Callable, *arguments, **options) -> str:
    with pytest.raises(WorkloadError) as caught:
        run(*arguments, **options)
    return str(caught.value)


class StopAfter:
    """Asks to stop at the n-th time it is asked."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self) -> bool:
        self.left -= 1
        return self.left <= 0


def test_a_record_says_what_was_asked_and_found(small, tmp_path):
    result = run_workload(small, folder=tmp_path / "a", settings={"steps": "5"}, seed=3)
    assert (result.workload, result.dataset, result.seed, result.resumed) == ("small", "digits", 3, False)
    assert result.settings["steps"] == 5
    assert result.metrics["one"].keys() == {"accuracy", "loss", "tests"}
    assert result.pictures == ("line.png", "line.svg")
    assert (tmp_path / "a" / "line.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a" / "line.svg").read_text().startswith("<?xml")
    assert read_result(tmp_path / "a" / "result.json") == result
    assert found_results("small", tmp_path) == (result,)
    assert found_results("other", tmp_path) == ()


def test_the_same_seed_gives_the_same_figures_and_pictures(small, tmp_path):
    first, second, third = (run_workload(small, folder=tmp_path / str(place), settings={"steps": 5}, seed=seed)
                            for place, seed in enumerate((1, 1, 2)))
    assert first.metrics == second.metrics
    assert first.metrics != third.metrics
    assert (tmp_path / "0" / "line.svg").read_bytes() == (tmp_path / "1" / "line.svg").read_bytes()


@pytest.mark.parametrize("count", [3, 7, 13])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(small, tmp_path, count):
    whole = run_workload(small, folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_workload(small, folder=tmp_path / "parts", should_stop=StopAfter(count))
    assert result_in(tmp_path / "parts") is None
    told = []
    again = run_workload(small, folder=tmp_path / "parts", resume=True, told=told.append)
    assert again.metrics == whole.metrics
    assert again.resumed == (count > 10)
    assert (told[-1].done, told[-1].total) == (20, 20)
    assert told[-1].remaining_seconds == 0


def test_progress_counts_all_trainings(small, tmp_path):
    told = []
    run_workload(small, folder=tmp_path / "a", told=told.append)
    assert [progress.done for progress in told if progress.part == "two"][:2] == [11, 12]
    assert {progress.total for progress in told} == {20}
    assert told[-1].done == 20


def test_only_the_last_snapshot_of_a_training_is_kept(small, tmp_path):
    run_workload(small, folder=tmp_path / "a")
    assert sorted(path.name for path in (tmp_path / "a" / "snapshots").iterdir()) == sorted(
        f"{name}_iter_10.{kind}" for name in ("one", "two") for kind in ("caffemodel", "solverstate", "scores.json"))


def test_a_folder_is_of_one_run(small, tmp_path):
    folder = tmp_path / "a"
    assert refusal(run_workload, small, folder=folder, resume=True) == (
        f"workload 'small': '{folder}' must hold a run to resume, there is none")
    run_workload(small, folder=folder, settings={"steps": 5})
    assert refusal(run_workload, small, folder=folder, settings={"steps": 5}) == (
        f"workload 'small': '{folder}' must be a new folder, it holds a run; choose another, or resume")
    assert refusal(run_workload, small, folder=folder, settings={"steps": 5}, seed=1, resume=True) == (
        f"workload 'small': a run goes on as it was begun, the one in '{folder}' with seed 0")
    (folder / "request.json").write_text("{")
    assert refusal(run_workload, small, folder=folder, resume=True) == (
        f"'{folder}/request.json': it must say what the run in its folder was asked; it is damaged")


def test_what_a_workload_cannot_be_asked(small, tmp_path):
    assert refusal(run_workload, small, folder=tmp_path / "a", dataset="x") == (
        "workload 'small': dataset must be one of digits, other, not 'x'")
    assert refusal(run_workload, small, folder=tmp_path / "a", device="golden") == (
        "workload 'small': none of its layers is one the FPGA engine takes; leave the device out")
    assert not (tmp_path / "a").exists()
    with pytest.raises(LookupError, match=r"^unknown workload 'smal'; did you mean 'small'"):
        run_workload("smal", folder=tmp_path / "a")


def test_a_file_that_is_no_record(tmp_path):
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"workload": "small"}))
    assert refusal(read_result, Path(path)) == (
        f"'{path}': it must be the record of a run of a workload: its entries are others")

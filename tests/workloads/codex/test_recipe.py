"""Small runs of CoDEx, from data files to a record."""

from __future__ import annotations

import pytest

from cortado.errors import PlanError, WorkloadError
from cortado.frontends.solver_file import read_solver
from cortado.net.net import Net
from cortado.solver.solver import Solver
from cortado.workloads.codex.dataset import load_codex
from cortado.workloads.codex.model import EPOCHS, TRAININGS, ModelName, Scorer, Training, solver_file
from cortado.workloads.run import run_workload
from cortado.workloads.workload import workloads


def test_two_epochs_are_better_than_counting(real_files, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for split, rows in (("train", "a\tr\tb\nb\tr\ta\n"), ("valid", "a\ts\tb\n"), ("test", "b\ts\ta\n")):
        (other / f"{split}.txt").write_text(rows)
    settings = {"training": "k_vs_all", "epochs": 2, "compare_with": other}
    result = run_workload("codex", folder=tmp_path / "one", settings=settings, seed=3)
    found = result.metrics
    assert found["complex test"]["mrr"] > found["frequency test"]["mrr"]
    assert found["complex classification"]["accuracy"] > 0.6
    assert found["patterns"]["rules counted otherwise"] == 0
    assert {file.name for file in result.data} >= {"codex/triples/codex-s/test.txt",
                                                   "codex/triples/codex-s/test_negatives.txt"}
    assert found["other patterns"] == {"symmetric": 1}
    assert str(other / "test.txt") in {file.name for file in result.data}
    # Too short for a test on the way, and so for a picture of them.
    assert result.pictures == ()
    again = run_workload("codex", folder=tmp_path / "two", settings=settings, seed=3)
    assert again.metrics == found


@pytest.mark.slow
def test_the_convolution_of_conve_on_a_device(real_files, tmp_path):
    result = run_workload("codex", folder=tmp_path / "run", settings={"model": "conve", "epochs": 2,
                                                                      "device_queries": 128}, device="golden")
    device = result.metrics["conve device"]
    assert device["queries"] == 128
    assert abs(device["difference"]) < 0.02
    assert device["difference"] == pytest.approx(device["mrr"] - device["mrr in float"])
    assert device["same best entity"] > 0.8


def test_a_model_without_a_convolution_has_nothing_for_a_device(real_files, tmp_path):
    with pytest.raises(PlanError) as caught:
        run_workload("codex", folder=tmp_path / "run", settings={"training": "k_vs_all", "epochs": 1}, device="golden")
    assert str(caught.value) == ("network 'complex': at least one layer must be one the engine takes to run on "
                                 "'golden', none is; conve has a convolution")


@pytest.mark.parametrize("training", Training)
@pytest.mark.parametrize("name", ModelName)
def test_every_network_trains_in_every_way(real_files, name, training):
    file = solver_file(name, training, load_codex("codex-s"), 1)
    solver = Solver(file, seed=0)
    solver.step(1)
    # Of a choice among all entities by chance, or among 57; penalties are small yet.
    loss = solver.net.loss(solver.net()).item()
    assert 3 < loss < 9


@pytest.mark.parametrize("name", ModelName)
def test_the_solver_files_say_as_many_epochs(real_files, name):
    wanted = solver_file(name, TRAININGS[name], load_codex("codex-s"), EPOCHS[name])
    assert read_solver(wanted.path).spec.max_iter == wanted.spec.max_iter


def test_a_network_takes_the_sizes_of_another_data_set(real_files):
    triples = load_codex("codex-m")
    file = solver_file(ModelName.COMPLEX, Training.ONE_VS_ALL, triples, 1)
    net = Net(file.training, seed=0, fillers=True)
    assert net.shapes["score"].dims == (500, 17_050)
    # Every validation query once.
    assert file.spec.test_iter[0] * file.tests[0].layer("valid").parameters.batch_size == 2 * 10_310
    scorer = Scorer(ModelName.COMPLEX, triples, net)
    assert scorer.triple_scores(triples.splits["test"][:3]).shape == (3,)


def test_refusals(tmp_path):
    with pytest.raises(WorkloadError, match=r"^workload 'codex': setting 'epochs' must be at least 1, not 0$"):
        run_workload("codex", folder=tmp_path, settings={"epochs": "0"})
    with pytest.raises(WorkloadError) as caught:
        run_workload("codex", folder=tmp_path, dataset="codex-l")
    assert str(caught.value) == "workload 'codex': dataset must be one of codex-s, codex-m, not 'codex-l'"


def test_every_published_figure_is_of_a_dataset():
    workload = workloads["codex"]
    assert {entry.dataset for entry in workload.published} == set(workload.datasets)
    assert len(workload.published) == 2 * 5 * 6

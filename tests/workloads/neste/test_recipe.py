"""Small runs of NestE, from data files to a record."""

from __future__ import annotations

import pytest

from cortado.errors import WorkloadError
from cortado.net.net import Net
from cortado.solver.solver import Solver
from cortado.workloads.neste.algebra import Algebra
from cortado.workloads.neste.dataset import load_nested_facts
from cortado.workloads.neste.model import BATCHES, Family, Variant
from cortado.workloads.run import run_workload
from cortado.workloads.workload import workloads


def test_one_epoch_of_a_small_model(real_files, tmp_path):
    result = run_workload("neste", folder=tmp_path, settings={"dimension": 8, "epochs": 1}, seed=1)
    found = result.metrics
    # By chance it is 2e-4: there are 54,636 candidates.
    assert found["NestE-Q triple prediction"]["mrr"] > 0.2
    assert found["NestE-Q conditional"]["mrr"] > 0.1
    assert set(found["NestE-Q by nested relation"]) == set(load_nested_facts("DBHE").nested_relations)
    learnt = found["NestE-Q patterns learnt"]
    assert learnt["symmetry"] > learnt["symmetry of others"]
    assert learnt["inversion"] > learnt["inversion of others"]
    assert len(result.data) == 10


VARIANTS = [Variant(family=Family.NESTE, algebra=algebra, translation=translation, dimension=4)
            for algebra in Algebra for translation in (False, True)]
VARIANTS += [Variant(family=Family.BIVE, algebra=algebra, translation=False, dimension=4) for algebra in Algebra]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_variant_trains(real_files, variant):
    data = load_nested_facts("DBHE")
    file = variant.solver_file(data, nested_weight=0.5, augmented_weight=0.2)
    solver = Solver(file, seed=0)
    before = {blob.layer: blob.value.detach().clone() for blob in solver.net.trained_blobs}
    solver.step(2)
    assert all((blob.value != before[blob.layer]).any() for blob in solver.net.trained_blobs)
    net = Net(variant.asking_network(data), seed=0, fillers=True)
    net.share_blobs_of(solver.net)
    theirs, ours = (set(map(id, one.parameters())) for one in (solver.net, net))
    assert ours == theirs


def test_batches_and_weights_are_the_authors(real_files):
    """A hundredth of each kind of facts, weighted by their numbers; `Trainer` of the authors' code."""
    data = load_nested_facts("DBHE")
    variant = Variant(family=Family.NESTE, algebra=Algebra.SPLIT, translation=False, dimension=4)
    net = variant.solver_file(data, nested_weight=0.5, augmented_weight=0.2).training
    assert BATCHES == 100
    assert [net.layer(name).parameters.batch_size for name in ("triples", "nested_facts", "augmented_triples")] == [
        546, 53, 20]
    weights = Net(net, seed=0).loss_weights
    assert weights == pytest.approx({
        "loss": 1, "end_square": 0.1, "relation_square": 0.1,
        "nested_loss": 0.5 * 53 / 546, "nested_end_square": 0.05 * 53 / 546, "nested_relation_square": 0.05 * 53 / 546,
        "augmented_loss": 0.2 * 20 / 546, "augmented_end_square": 0.02 * 20 / 546,
        "augmented_relation_square": 0.02 * 20 / 546})


def test_refusals(tmp_path):
    with pytest.raises(WorkloadError) as caught:
        run_workload("neste", folder=tmp_path, settings={"family": "bive", "translation": "true"})
    assert str(caught.value) == ("workload 'neste': setting 'translation' must be false for family bive, which is here "
                                 "without translations")
    with pytest.raises(WorkloadError, match=r"^workload 'neste': setting 'epochs' must be at least 1, not 0$"):
        run_workload("neste", folder=tmp_path, settings={"epochs": "0"})


def test_every_published_figure_is_of_a_dataset():
    workload = workloads["neste"]
    assert {entry.dataset for entry in workload.published} == set(workload.datasets)
    figures = {(entry.dataset, entry.split, entry.metric): entry.value for entry in workload.published}
    assert len(figures) == len(workload.published)
    assert figures["DBHE", "NestE-SB triple prediction", "mrr"] == 0.8624
    # The authors' file for it is of another run.
    assert ("DBHE", "NestE-H triple prediction", "mrr") not in figures

"""The records that come with cortado, which the documentation quotes."""

from __future__ import annotations

import json

import pytest

from cortado.resources import models_root
from cortado.workloads.records import recorded_results
from cortado.workloads.settings import settings_data, with_given
from cortado.workloads.workload import workloads

RECORDED = sorted(path.parent.parent.name for path in models_root().glob("*/results/*.json"))


@pytest.mark.parametrize("name", sorted(set(RECORDED)))
def test_records_are_of_runs_that_can_be_made_again(name):
    workload = workloads[name]()
    for result in recorded_results(name):
        assert result.workload == name
        assert result.dataset in workload.datasets
        # A value of JSON is not always that of the setting: its words are.
        words = {key: ",".join(map(str, value)) if isinstance(value, list) else "none" if value is None
                 else str(value) for key, value in result.settings.items()}
        assert json.loads(json.dumps(settings_data(with_given(workload.settings(result.dataset), words, "")))) == dict(
            result.settings)


def test_there_are_some():
    assert "gp_epidemics" in RECORDED

"""Relation patterns against the analyses that come with the data."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import DataError
from cortado.workloads.codex import pattern
from cortado.workloads.codex.dataset import TripleSet, load_codex
from cortado.workloads.codex.pattern import Compositions, Rule, composition_rules, symmetries
from cortado.workloads.neste.dataset import load_nested_facts


@pytest.mark.parametrize("name", ["codex-s", "codex-m"])
def test_the_table_of_symmetry_is_reproduced(real_files, name):
    lines = (real_files / "codex" / "analysis" / "symmetry" / name / "symmetry.tsv").read_text().splitlines()
    shipped = {relation: (float(share), float(of_all)) for relation, share, of_all in
               (line.split("\t") for line in lines[1:])}
    assert {entry.relation: (100 * entry.share, 100 * entry.of_all) for entry in symmetries(load_codex(name))} == {
        relation: pytest.approx(values, rel=1e-14) for relation, values in shipped.items()}


def test_freebase_is_less_symmetric_than_codex_s(real_files):
    """FBH has the triples of FB15k-237 in other splits, which do not matter here; the share is of another program."""
    data = load_nested_facts("FBH")
    triples = TripleSet(name="FB15k-237", entities=data.entities, relations=data.relations, splits=data.triples,
                        negatives={})
    assert sum(entry.of_all for entry in symmetries(triples)) == pytest.approx(0.1429, abs=5e-5)


# Rules and shares of triples they conclude: counts of an independent program over the same files.
@pytest.mark.parametrize(("name", "rules", "share"), [("codex-s", 26, 0.0426), ("codex-m", 44, 0.0632)])
def test_every_rule_holds_as_often_as_shipped(real_files, name, rules, share):
    compositions, shipped = Compositions(load_codex(name)), composition_rules(name)
    assert len(shipped) == rules
    for rule in shipped:
        found = compositions.of(rule)
        assert (found.support, found.body_size) == (rule.support, rule.body_size), rule
        assert (found.head_coverage, found.confidence) == pytest.approx((rule.head_coverage, rule.confidence), abs=1e-8)
    assert compositions.share(shipped) == pytest.approx(share, abs=5e-5)


def test_a_variable_that_comes_back_is_the_same_entity():
    # a -> b -> a -> c and a -> b -> d -> c: only the first goes through its own beginning.
    train = np.array([[0, 0, 1], [1, 1, 0], [1, 1, 3], [0, 2, 2], [3, 2, 2], [0, 3, 2]])
    triples = TripleSet(name="tiny", entities=("a", "b", "c", "d"), relations=("P1", "P2", "P3", "P4"),
                        splits={"train": train, "valid": train[:0], "test": train[:0]}, negatives={})
    rule = {"body": ("P1", "P2", "P3"), "head": "P4", "support": 0, "body_size": 0, "head_coverage": 0,
            "confidence": 0}
    found = Compositions(triples)
    assert found.of(Rule(joints=("a", "b", "a", "c"), **rule)).body_size == 1
    # As a path with other entities it has the same two ends once more.
    assert found.of(Rule(joints=("a", "b", "e", "c"), **rule)).body_size == 1
    train[4] = [3, 2, 1]
    assert Compositions(triples).of(Rule(joints=("a", "b", "e", "c"), **rule)).body_size == 2


def test_a_rule_that_is_no_path_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "paths.tsv"
    file.write_text("Rule\t...\n?a  P1  ?h  ?b  P2  ?h   => ?a  P3  ?b\t0.1\t0.2\t1\t2\t3\t4\t?a\t2\n")
    monkeypatch.setattr(pattern, "path_to", lambda name: file)
    with pytest.raises(DataError) as caught:
        composition_rules("codex-s")
    assert str(caught.value) == (f"'{file}': a rule must be a path from one end of its head to the other, not '?a  P1  "
                                 "?h  ?b  P2  ?h   => ?a  P3  ?b'")

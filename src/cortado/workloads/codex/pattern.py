"""Relation patterns: how symmetric each relation is, and which rules of composition hold how often.

Source: Safavi & Koutra 2020, section 4.2; the shipped analyses hold what is found here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cortado.errors import DataError
from cortado.frontends.data_store import path_to
from cortado.workloads.codex.dataset import TripleSet

# A relation is called symmetric above this share.
SYMMETRIC = 0.5


@dataclass(frozen=True)
class Symmetry:
    """`share` of the relation's triples whose reverse is a triple too; `of_all` is its share of all triples."""

    relation: str
    share: float
    of_all: float


def symmetries(triples: TripleSet) -> tuple[Symmetry, ...]:
    """Of the symmetric relations, the one with most triples first."""
    everything = triples.triples
    known = {tuple(row) for row in everything.tolist()}
    reversed_too = np.array([(answer, relation, entity) in known for entity, relation, answer in everything.tolist()])
    found = []
    for number, relation in enumerate(triples.relations):
        own = everything[:, 1] == number
        share = float(reversed_too[own].mean())
        if share > SYMMETRIC:
            found.append(Symmetry(relation, share, float(own.mean())))
    return tuple(sorted(found, key=lambda entry: -entry.of_all))


@dataclass(frozen=True)
class Rule:
    """A path of relations that implies another relation between its ends, and how often AMIE3 found it to hold."""

    body: tuple[str, ...]
    head: str
    support: int
    body_size: int
    head_coverage: float
    confidence: float


@dataclass(frozen=True)
class Composition:
    """How often a rule holds in a data set: pairs of ends with the path and the head, and pairs with the path."""

    support: int
    body_size: int
    head_size: int

    @property
    def head_coverage(self) -> float:
        """The share of the head relation's triples that the rule concludes."""
        return self.support / self.head_size

    @property
    def confidence(self) -> float:
        """The share of paths whose conclusion is a triple."""
        return self.support / self.body_size


def composition_rules(name: str) -> tuple[Rule, ...]:
    """The rules that come with a data set; raises `DataError` where the file is not here or has another form."""
    path = path_to(f"codex/analysis/paths/{name}/paths.tsv")
    return tuple(_rule(line, str(path)) for line in path.read_text(encoding="utf-8").splitlines()[1:])


def composition(triples: TripleSet, rule: Rule) -> Composition:
    """How often the rule holds, over all splits."""
    # Two triples have at least two ends between them: the variables of a path may take the same entity.
    ends = _paths(triples, rule.body)
    heads = {(entity, answer) for entity, answer in _pairs(triples, rule.head)}
    return Composition(support=len(ends & heads), body_size=len(ends), head_size=len(heads))


def compositional_share(triples: TripleSet, rules: tuple[Rule, ...]) -> float:
    """The share of all triples that a rule concludes from others."""
    concluded = {(entity, rule.head, answer) for rule in rules
                 for entity, answer in _paths(triples, rule.body) & set(_pairs(triples, rule.head))}
    return len(concluded) / len(triples.triples)


def _paths(triples: TripleSet, body: tuple[str, ...]) -> set[tuple[int, int]]:
    """The two ends of every path along these relations."""
    ends = set(_pairs(triples, body[0]))
    for relation in body[1:]:
        following: dict[int, list[int]] = {}
        for entity, answer in _pairs(triples, relation):
            following.setdefault(entity, []).append(answer)
        ends = {(first, answer) for first, last in ends for answer in following.get(last, ())}
    return ends


def _pairs(triples: TripleSet, relation: str) -> list[tuple[int, int]]:
    everything = triples.triples
    own = everything[everything[:, 1] == triples.relation_numbers[relation]]
    return [(entity, answer) for entity, answer in own[:, [0, 2]].tolist()]


def _rule(line: str, file: str) -> Rule:
    text, coverage, confidence, _, support, body_size, *_ = line.split("\t")
    body, _, head = text.partition("=>")
    atoms = re.findall(r"\?(\w)\s+(P\d+)\s+\?(\w)", body)
    (first, conclusion, last), = re.findall(r"\?(\w)\s+(P\d+)\s+\?(\w)", head)
    joints = [first, *(atom[2] for atom in atoms)]
    if [atom[0] for atom in atoms] != joints[:-1] or joints[-1] != last:
        raise DataError(f"'{file}': a rule must be a path from one end of its head to the other, not '{text}'")
    return Rule(tuple(atom[1] for atom in atoms), conclusion, int(support), int(body_size), float(coverage),
                float(confidence))

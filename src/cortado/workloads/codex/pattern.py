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
    """A path of relations that implies another relation between its ends, and how often AMIE3 found it to hold.

    `joints` are the variables along the path, one more than relations; a variable may come back.
    """

    joints: tuple[str, ...]
    body: tuple[str, ...]
    head: str
    support: int
    body_size: int
    head_coverage: float
    confidence: float


@dataclass(frozen=True)
class Composition:
    """How often a rule holds: its conclusions that are triples, all its conclusions, and the head's triples."""

    support: int
    body_size: int
    head_size: int

    @property
    def head_coverage(self) -> float:
        """The share of the head relation's triples that the rule concludes."""
        return self.support / self.head_size

    @property
    def confidence(self) -> float:
        """The share of conclusions that are triples."""
        return self.support / self.body_size


def composition_rules(name: str) -> tuple[Rule, ...]:
    """The rules that come with a data set; raises `DataError` where the file is not here or has another form."""
    path = path_to(f"codex/analysis/paths/{name}/paths.tsv")
    return tuple(_rule(line, str(path)) for line in path.read_text(encoding="utf-8").splitlines()[1:])


class Compositions:
    """What rules conclude from the triples of all splits."""

    def __init__(self, triples: TripleSet) -> None:
        self._triples = len(triples.triples)
        # By relation, the objects of every subject.
        self._edges: dict[str, dict[int, set[int]]] = {}
        for subject, relation, answer in triples.triples.tolist():
            self._edges.setdefault(triples.relations[relation], {}).setdefault(subject, set()).add(answer)

    def of(self, rule: Rule) -> Composition:
        """How often the rule holds."""
        head = self._edges[rule.head]
        concluded = self._conclusions(rule)
        return Composition(support=sum(len(answers & head.get(entity, set())) for entity, answers in concluded.items()),
                           body_size=sum(map(len, concluded.values())), head_size=sum(map(len, head.values())))

    def share(self, rules: tuple[Rule, ...]) -> float:
        """The share of all triples that some rule concludes from others."""
        concluded = {(entity, rule.head, answer) for rule in rules
                     for entity, answers in self._conclusions(rule).items()
                     for answer in answers & self._edges[rule.head].get(entity, set())}
        return len(concluded) / self._triples

    def _conclusions(self, rule: Rule) -> dict[int, set[int]]:
        """By first end, the last ends of all paths."""
        first, *others = rule.joints
        found = {}
        for entity in self._edges[rule.body[0]]:
            ends = {entity}
            for joint, relation in zip(others, rule.body, strict=True):
                edges = self._edges[relation]
                ends = {answer for end in ends for answer in edges.get(end, ())}
                if joint == first:
                    ends &= {entity}
            if ends:
                found[entity] = ends
        return found


_ATOM = re.compile(r"\?(\w)\s+(P\d+)\s+\?(\w)")


def _rule(line: str, file: str) -> Rule:
    text, coverage, confidence, _, support, body_size, *_ = line.split("\t")
    body, _, head = text.partition("=>")
    atoms = _ATOM.findall(body)
    (first, conclusion, last), = _ATOM.findall(head)
    joints = (first, *(atom[2] for atom in atoms))
    # Only its first variable may come back: the others are not kept along a path.
    if tuple(atom[0] for atom in atoms) != joints[:-1] or joints[-1] != last or len(set(joints[1:])) < len(atoms):
        raise DataError(f"'{file}': a rule must be a path from one end of its head to the other, not '{text}'")
    return Rule(joints, tuple(atom[1] for atom in atoms), conclusion, int(support), int(body_size), float(coverage),
                float(confidence))

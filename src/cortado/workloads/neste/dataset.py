"""FBH, FBHE and DBHE: triples, and facts about pairs of triples.

Source: Chung & Whang 2023, "Learning Representations of Bi-level Knowledge Graphs for Reasoning beyond Link
Prediction", AAAI; the files are in OpenKE's form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from cortado.errors import DataError
from cortado.frontends.data_store import path_to

NAMES = ("FBH", "FBHE", "DBHE")
SPLITS = ("train", "valid", "test")

# What is read of a data set: the nested facts of the conditional task are those of the others, written in another way.
FILES = ("base/entity", "base/relation", *(f"base/{split}" for split in SPLITS), "base/augment", "meta/relation",
         *(f"meta/{split}" for split in SPLITS))


@dataclass(frozen=True, kw_only=True, eq=False)
class NestedFacts:
    """A two-level knowledge graph; all numbers int64.

    `triples` has splits of (n, 3): head, relation, tail. `facts` has splits of (m, 3): the head triple, the nested
    relation and the tail triple, where a triple is its row among the training ones. `augmented` (a, 3) are triples
    that rules of high confidence conclude and no split has.
    """

    name: str
    entities: tuple[str, ...]
    relations: tuple[str, ...]
    nested_relations: tuple[str, ...]
    triples: dict[str, np.ndarray]
    facts: dict[str, np.ndarray]
    augmented: np.ndarray

    def pairs(self, facts: np.ndarray) -> np.ndarray:
        """Facts written out, (m, 7): head, relation and tail of both triples, then the nested relation."""
        train = self.triples["train"]
        return np.concatenate([train[facts[:, 0]], train[facts[:, 2]], facts[:, 1:2]], 1)


@cache
def load_nested_facts(name: str) -> NestedFacts:
    """FBH, FBHE or DBHE by name; raises `DataError` for another name, and for files that are not here."""
    if name not in NAMES:
        raise DataError(f"NestE: the data set must be one of {', '.join(NAMES)}, not '{name}'")

    def place(file: str) -> Path:
        return path_to(f"neste/{name}/{file}2id.txt")

    return NestedFacts(
        name=name, entities=_names(place("base/entity")), relations=_names(place("base/relation")),
        nested_relations=_names(place("meta/relation")),
        triples={split: _triples(place(f"base/{split}")) for split in SPLITS},
        facts={split: _triples(place(f"meta/{split}")) for split in SPLITS},
        augmented=_triples(place("base/augment")))


def _names(path: Path) -> tuple[str, ...]:
    """Names in the order of their numbers."""
    rows = [line.rsplit(maxsplit=1) for line in _lines(path)]
    if [int(row[1]) for row in rows] != list(range(len(rows))):
        raise DataError(f"'{path}': numbers must count from 0")
    return tuple(row[0] for row in rows)


def _triples(path: Path) -> np.ndarray:
    """Head, relation and tail; the file has the relation last."""
    return np.array([line.split() for line in _lines(path)], np.int64)[:, [0, 2, 1]]


def _lines(path: Path) -> list[str]:
    count, *lines = path.read_text(encoding="utf-8").split("\n")
    lines = [line for line in lines if line]
    if len(lines) != int(count):
        raise DataError(f"'{path}': there must be the {count} rows its first line says, not {len(lines)}")
    return lines

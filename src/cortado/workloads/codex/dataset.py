"""The CoDEx data sets: triples of Wikidata with their splits, hard negatives, labels and types.

Source: Safavi & Koutra 2020, "CoDEx: A Comprehensive Knowledge Graph Completion Benchmark", EMNLP.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from cortado.errors import DataError
from cortado.frontends.data_store import data_folder, path_to

SIZES = ("codex-s", "codex-m")
SPLITS = ("train", "valid", "test")
# Triples a person has judged to be false, as many as the split has true ones.
NEGATIVES = ("valid", "test")
LANGUAGES = ("ar", "de", "en", "es", "ru", "zh")


@dataclass(frozen=True)
class Label:
    """What Wikidata calls something in one language; either may be empty."""

    label: str
    description: str


@dataclass(frozen=True, kw_only=True, eq=False)
class TripleSet:
    """Triples of names in three splits. `entities` and `relations` are in the order in which they first appear.

    Triples are int64 (n, 3): subject, relation, object by their numbers. `negatives` has those splits that come with
    triples known to be false.
    """

    name: str
    entities: tuple[str, ...]
    relations: tuple[str, ...]
    splits: dict[str, np.ndarray]
    negatives: dict[str, np.ndarray]

    @property
    def triples(self) -> np.ndarray:
        """All splits, one after the other."""
        return np.concatenate([self.splits[split] for split in SPLITS])

    @cached_property
    def entity_numbers(self) -> dict[str, int]:
        """The number of each entity."""
        return {entity: number for number, entity in enumerate(self.entities)}

    @cached_property
    def relation_numbers(self) -> dict[str, int]:
        """The number of each relation."""
        return {relation: number for number, relation in enumerate(self.relations)}


@cache
def load_codex(name: str) -> TripleSet:
    """CoDEx-S or CoDEx-M by name; raises `DataError` for another name, and for files that are not here.

    CoDEx-L has no training triples here: its file is too large for where the others come from. `read_triple_set` reads
    a folder that has all of it.
    """
    if name not in SIZES:
        raise DataError(f"CoDEx: the data set must be one of {', '.join(SIZES)}, not '{name}'")
    place = f"codex/triples/{name}"
    return read_triples(name, {split: path_to(f"{place}/{split}.txt") for split in SPLITS},
                        {split: path_to(f"{place}/{split}_negatives.txt") for split in NEGATIVES})


def read_triple_set(folder: Path) -> TripleSet:
    """Any data set of train.txt, valid.txt and test.txt in CoDEx's form, such as FB15k-237; raises `DataError`."""
    return read_triples(folder.name, {split: folder / f"{split}.txt" for split in SPLITS}, {})


def read_triples(name: str, splits: dict[str, Path], negatives: dict[str, Path]) -> TripleSet:
    """A data set of one file a split: subject, relation and object on a line, tabs between; raises `DataError`."""
    names = {split: _rows(path) for split, path in splits.items()}
    false = {split: _rows(path) for split, path in negatives.items()}
    rows = [row for given in names.values() for row in given]
    entities = {entity: number for number, entity in
                enumerate(dict.fromkeys(entity for row in rows for entity in (row[0], row[2])))}
    relations = {relation: number for number, relation in enumerate(dict.fromkeys(row[1] for row in rows))}

    def numbers(path: Path, given: list[tuple[str, ...]]) -> np.ndarray:
        try:
            return np.array([(entities[row[0]], relations[row[1]], entities[row[2]]) for row in given], np.int64)
        except KeyError as error:
            raise DataError(f"'{path}': every entity and relation must be in a triple of {name}, {error} is "
                            "not") from None

    return TripleSet(
        name=name, entities=tuple(entities), relations=tuple(relations),
        splits={split: numbers(splits[split], given) for split, given in names.items()},
        negatives={split: numbers(negatives[split], given) for split, given in false.items()})


@cache
def relation_labels(language: str) -> dict[str, Label]:
    """What every relation is called in a language."""
    return _labels(f"codex/relations/{_known(language)}/relations.json")


@cache
def type_labels(language: str) -> dict[str, Label]:
    """What every type is called in a language."""
    return _labels(f"codex/types/{_known(language)}/types.json")


@cache
def entity_types() -> dict[str, tuple[str, ...]]:
    """The types of every entity of CoDEx-L, which are those of the smaller ones too."""
    given = json.loads(path_to("codex/types/entity2types.json").read_text(encoding="utf-8"))
    return {entity: tuple(types) for entity, types in given.items()}


def entity_labels(language: str) -> dict[str, Label]:
    """What every entity is called in a language, from data/entities of the authors' repository.

    These files are too large for the list of data files. Raises `DataError` where the language's is not in the data
    folder, with its place there.
    """
    path = data_folder() / "codex" / "entities" / _known(language) / "entities.json"
    if not path.is_file():
        raise DataError(f"CoDEx: the names of entities must be in '{path}', there is no such file; the repository "
                        f"tsafavi/codex has it as data/entities/{language}/entities.json")
    return _read_labels(path)


def _labels(name: str) -> dict[str, Label]:
    return _read_labels(path_to(name))


def _read_labels(path: Path) -> dict[str, Label]:
    given = json.loads(path.read_text(encoding="utf-8"))
    return {key: Label(entry["label"], entry["description"]) for key, entry in given.items()}


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise DataError(f"CoDEx: the language must be one of {', '.join(LANGUAGES)}, not '{language}'")
    return language


def _rows(path: Path) -> list[tuple[str, ...]]:
    try:
        rows = [tuple(line.split("\t")) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"'{path}': it must be a file of triples that can be read: {error}") from None
    for number, row in enumerate(rows, 1):
        if len(row) != 3:
            raise DataError(f"'{path}', line {number}: there must be a subject, a relation and an object with tabs "
                            f"between, not {len(row)} columns")
    return rows

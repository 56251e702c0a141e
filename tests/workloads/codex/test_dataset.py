"""The data sets, from the authors' files."""

from __future__ import annotations

import pytest

from cortado.errors import DataError
from cortado.workloads.codex.dataset import (
    Label,
    entity_labels,
    entity_types,
    load_codex,
    read_triple_set,
    relation_labels,
    type_labels,
)


# Entities, relations, triples of each split, hard negatives: table of the authors' README.
@pytest.mark.parametrize(("name", "sizes"), [
    ("codex-s", (2_034, 42, 32_888, 1_827, 1_828, 1_827, 1_828)),
    ("codex-m", (17_050, 51, 185_584, 10_310, 10_311, 10_310, 10_311)),
])
def test_sizes_are_the_published_ones(real_files, name, sizes):
    triples = load_codex(name)
    assert sizes == (len(triples.entities), len(triples.relations), *map(len, triples.splits.values()),
                     *map(len, triples.negatives.values()))


def test_negatives_are_no_triples(real_files):
    triples = load_codex("codex-s")
    known = set(map(tuple, triples.triples.tolist()))
    assert not any(tuple(row) in known for false in triples.negatives.values() for row in false.tolist())


@pytest.mark.parametrize(("language", "label"), [
    ("ar", "اللغة الرسمية"), ("de", "Amtssprache"), ("en", "official language"), ("es", "idioma oficial"),
    ("ru", "официальный язык"), ("zh", "官方语言")])
def test_labels_in_six_languages(real_files, language, label):
    assert relation_labels(language)["P37"].label == label
    assert len(type_labels(language)) == 3_443


def test_types_of_entities(real_files):
    types = entity_types()
    assert "country" in {type_labels("en")[name].label for name in types["Q142"]}
    assert set(load_codex("codex-m").entities) <= set(types)


def test_names_of_entities_are_read_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTADO_DATA", str(tmp_path))
    place = tmp_path / "codex" / "entities" / "de" / "entities.json"
    with pytest.raises(DataError) as caught:
        entity_labels("de")
    assert str(caught.value) == (f"CoDEx: the names of entities must be in '{place}', there is no such file; the "
                                 "repository tsafavi/codex has it as data/entities/de/entities.json")
    place.parent.mkdir(parents=True)
    place.write_text('{"Q142": {"label": "Frankreich", "description": "Staat in Westeuropa", "wiki": ""}}')
    assert entity_labels("de") == {"Q142": Label("Frankreich", "Staat in Westeuropa")}


def test_a_folder_of_ones_own(tmp_path):
    for split, row in (("train", "a\tr\tb"), ("valid", "b\tr\tc"), ("test", "c\ts\ta")):
        (tmp_path / f"{split}.txt").write_text(row + "\n")
    triples = read_triple_set(tmp_path)
    assert (triples.entities, triples.relations) == (("a", "b", "c"), ("r", "s"))
    assert triples.splits["test"].tolist() == [[2, 1, 0]]


def test_refusals(tmp_path):
    with pytest.raises(DataError, match=r"^CoDEx: the data set must be one of codex-s, codex-m, not 'codex-xl'$"):
        load_codex("codex-xl")
    with pytest.raises(DataError, match=r"^CoDEx: the language must be one of ar, de, en, es, ru, zh, not 'fr'$"):
        relation_labels("fr")
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").write_text("a\tr\tb\n")
    (tmp_path / "valid.txt").write_text("a\tr\tb\na r b\n")
    with pytest.raises(DataError) as caught:
        read_triple_set(tmp_path)
    assert str(caught.value) == (f"'{tmp_path}/valid.txt', line 2: there must be a subject, a relation and an object "
                                 "with tabs between, not 1 columns")

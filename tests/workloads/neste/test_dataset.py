from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import DataError
from cortado.workloads.neste.dataset import load_nested_facts


# Entities, relations, triples of each split, nested relations, nested facts of each split, augmented: BiVE's table 2.
@pytest.mark.parametrize(("name", "sizes"), [
    ("DBHE", (12_440, 87, 54_636, 6_830, 6_830, 8, 5_375, 671, 671, 2_026)),
    ("FBHE", (14_541, 237, 248_095, 31_011, 31_011, 10, 27_953, 3_494, 3_494, 17_463)),
    ("FBH", (14_541, 237, 248_095, 31_011, 31_011, 6, 21_650, 2_706, 2_706, 16_601)),
])
def test_sizes_are_the_published_ones(real_files, name, sizes):
    data = load_nested_facts(name)
    assert sizes == (len(data.entities), len(data.relations), *map(len, data.triples.values()),
                     len(data.nested_relations), *map(len, data.facts.values()), len(data.augmented))


def test_a_nested_fact_written_out(real_files):
    data = load_nested_facts("DBHE")
    first, second = data.pairs(data.facts["test"][:1])[0, :3], data.pairs(data.facts["test"][:1])[0, 3:6]
    words = [(data.entities[head], data.relations[relation], data.entities[tail])
             for head, relation, tail in (first, second)]
    assert words == [("Ali_(film)", "producer", "Jon_Peters"), ("Jon_Peters", "occupation", "Film_producer")]
    assert data.nested_relations[data.facts["test"][0, 1]] == "ImpliesProfession"


def test_the_conditional_task_asks_for_the_same_facts(real_files):
    """Its files are another way to write the nested facts, and are not read."""
    data = load_nested_facts("DBHE")
    folder = real_files / "neste" / "DBHE" / "conditional"
    keys = {int(row.split()[1]): tuple(map(int, row.split()[0].split("_")))
            for row in (folder / "relation2id.txt").read_text().splitlines()[1:]}
    listed = [(*keys[key], head, tail) for head, tail, key in
              (map(int, row.split()) for row in (folder / "test2id.txt").read_text().splitlines()[1:])]
    pairs = data.pairs(data.facts["test"])
    # Their order: head, tail and relation of the first triple, nested relation, relation, head and tail of the second.
    assert sorted(listed) == sorted(map(tuple, pairs[:, [0, 2, 1, 6, 4, 3, 5]].tolist()))


def test_an_unknown_name_is_refused():
    with pytest.raises(DataError, match=r"^NestE: the data set must be one of FBH, FBHE, DBHE, not 'FB15k'$"):
        load_nested_facts("FB15k")


def test_triples_are_head_relation_tail(real_files):
    line = (real_files / "neste" / "DBHE" / "base" / "train2id.txt").read_text().splitlines()[1]
    head, tail, relation = map(int, line.split())
    np.testing.assert_array_equal(load_nested_facts("DBHE").triples["train"][0], [head, relation, tail])

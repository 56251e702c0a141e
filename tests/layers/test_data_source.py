from __future__ import annotations

import pytest
import torch

from cortado.layers.dataset import Part

TOTAL = 1437


@pytest.fixture
def source(make_spec, make_layer):
    """A data layer over 1437 pictures."""
    torch.manual_seed(5)
    return make_layer(make_spec("Dataset", bottoms=0, tops=2, name="digits", part=Part.TRAINING, batch_size=4))


def test_in_order_and_over_again(source):
    assert [source.next_items(3, 5, shuffle=False) for _ in range(3)] == [[0, 1, 2], [3, 4, 0], [1, 2, 3]]


def test_a_shuffled_pass_has_each_item_once(source):
    passes = [source.next_items(50, 50, shuffle=True) for _ in range(3)]
    for items in passes:
        assert sorted(items) == list(range(50))
    assert passes[0] != passes[1] != passes[2]


def test_its_state_is_where_it_goes_on(source, make_layer):
    source.next_items(70, 50, shuffle=True)
    other = make_layer(source.spec)
    other.load_state_dict(source.state_dict())
    assert other.next_items(50, 50, shuffle=True) == source.next_items(50, 50, shuffle=True)


def test_in_training_processes_share_the_items(source, monkeypatch):
    """Two processes together take what one with twice the batch takes; testing is for one alone."""
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    taken = []
    for rank in range(2):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        source.position.zero_()
        taken.append([source.next_items(3, 10, shuffle=False) for _ in range(2)])
    assert taken == [[[0, 2, 4], [6, 8, 0]], [[1, 3, 5], [7, 9, 1]]]
    source.eval()
    source.position.zero_()
    assert source.next_items(3, 10, shuffle=False) == [0, 1, 2]

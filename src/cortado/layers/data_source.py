"""What the layer types share that read data of their own, an item at a time. No layer type lives here."""

from __future__ import annotations

import torch

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer


class DataSource(UntrainedLayer):
    """A layer type without bottoms whose tops are the next items of what it reads, over and over.

    `position` counts the items given so far and `order` is the seed of their order where they are shuffled; both are
    buffers, so that the state of a network holds them. In training several processes share the items, each takes every
    n-th, as Caffe's solvers do (`data_layer.cpp`, DataLayer::Skip).
    """

    bottom_counts = range(1)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self.register_buffer("position", torch.zeros((), dtype=torch.int64))
        self.register_buffer("order", torch.randint(2**62, ()))
        # The seed it was drawn from, and the order itself.
        self._permutation: tuple[int, list[int]] = (-1, [])

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def next_items(self, count: int, total: int, *, shuffle: bool) -> list[int]:
        """Which of `total` items the next `count` are. A shuffled pass over all has each item once."""
        process, processes = 0, 1
        if self.training and torch.distributed.is_available() and torch.distributed.is_initialized():
            process, processes = torch.distributed.get_rank(), torch.distributed.get_world_size()
        begin = int(self.position) + process
        self.position += count * processes
        places = range(begin, begin + count * processes, processes)
        if not shuffle:
            return [place % total for place in places]
        return [self._permuted(*divmod(place, total), total) for place in places]

    def _permuted(self, epoch: int, place: int, total: int) -> int:
        seed = (int(self.order) + epoch) % 2**63
        if self._permutation[0] != seed:
            order = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
            self._permutation = (seed, order.tolist())
        return self._permutation[1][place]

"""The multipliers and accumulators against `winograd.golden.multiply_accumulate`, and pointwise against plain sums."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

import cocotb
import numpy as np
from benches.case import CASES
from benches.number import matrices, numbers
from benches.payload import Plain
from benches.streams import PROFILES, Bench, StreamSource
from cocotb.handle import SimHandleBase
from numpy.typing import NDArray

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.mac_array import MacArray
from cortado.winograd.golden import input_transform, multiply_accumulate, weight_transform

BLOCKS = 6
REASONS = ("weights_missing", "queue_full", "too_soon")


def part(**case: int) -> MacArray:
    """The circuit of one case."""
    return MacArray(WinogradConfiguration(**case))


@dataclass(frozen=True, kw_only=True)
class Block:
    """Tiles of some channels and the weights of some filters, both in the Winograd domain; pointwise, as they are.

    `runs` says how many channel blocks come at a time: sums wait in the accumulators between two runs.
    """

    configuration: WinogradConfiguration
    pointwise: bool
    v: NDArray[np.int64]
    """Channels, tiles, alpha, alpha."""
    u: NDArray[np.int64]
    """Filters, channels, alpha, alpha; pointwise, filters, channels."""
    runs: list[int]

    @property
    def tiles(self) -> int:
        """Tiles of a pass."""
        return self.v.shape[1]

    @property
    def filter_blocks(self) -> int:
        """Blocks of pk filters."""
        return len(self.u) // self.configuration.pk

    @cached_property
    def sums(self) -> list:
        """By filter and tile, wrapped to the accumulators."""
        bits = self.configuration.widths.accumulator_bits
        if not self.pointwise:
            return matrices(multiply_accumulate(self.u, self.v, bits))
        sums = np.zeros((len(self.u), *self.v.shape[1:]), np.int64)
        for k, c in np.ndindex(self.u.shape):
            sums[k] += self.u[k, c] * self.v[c]
        return matrices((sums + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1))

    def send(self, tiles_in: StreamSource, weights_in: StreamSource) -> None:
        """Every pass: its weights, and its tiles."""
        first = 0
        for count in self.runs:
            blocks = range(first, first + count)
            for filter_block in range(self.filter_blocks):
                for channel_block in blocks:
                    weights_in.send(*self._weights(filter_block, channel_block))
                    tiles_in.send(*self._tiles(filter_block, channel_block))
            first += count

    def _weights(self, filter_block: int, channel_block: int) -> list[dict[str, Plain]]:
        configuration = self.configuration
        pc, pk = configuration.pc, configuration.pk
        part_of = self.u[filter_block * pk:(filter_block + 1) * pk, channel_block * pc:(channel_block + 1) * pc]
        kernels = [[0] * configuration.alpha**2] * configuration.pairs_per_step
        points = [0] * configuration.points_per_step
        if self.pointwise:
            values, step = part_of.reshape(-1).tolist(), configuration.points_per_step
        else:
            values, step = matrices(part_of.reshape(pc * pk, *part_of.shape[2:])), configuration.pairs_per_step
        groups = [values[first:first + step] for first in range(0, len(values), step)]
        return [{"u": kernels if self.pointwise else group, "points": group if self.pointwise else points,
                 "pointwise": int(self.pointwise), "last": int(number == len(groups) - 1)}
                for number, group in enumerate(groups)]

    def _tiles(self, filter_block: int, channel_block: int) -> list[dict[str, Plain]]:
        pc = self.configuration.pc
        # Sums that wait have words of their own for each filter block.
        first = filter_block * self.tiles if len(self.runs) > 1 else 0
        return [{
            "v": matrices(self.v[channel_block * pc:(channel_block + 1) * pc, tile]),
            "index": first + tile,
            "pass_first": int(tile == 0),
            "pass_last": int(tile == self.tiles - 1),
            "sum_first": int(channel_block == 0),
            "sum_last": int(channel_block == sum(self.runs) - 1),
            "pointwise": int(self.pointwise),
        } for tile in range(self.tiles)]

    def expected(self) -> list[dict[str, Plain]]:
        """What comes out: tile by tile, pointwise in steps, output channel by output channel."""
        pk, steps = self.configuration.pk, self.configuration.point_steps if self.pointwise else 1
        return [{"m": self.sums[filter_block * pk + k][tile], "channel": k, "step": step,
                 "pointwise": int(self.pointwise),
                 "last": int((tile, step, k) == (self.tiles - 1, steps - 1, pk - 1))}
                for filter_block in range(self.filter_blocks) for tile in range(self.tiles)
                for step in range(steps) for k in range(pk)]


def random_block(rng: random.Random, configuration: WinogradConfiguration, *, pointwise: bool) -> Block:
    """Fewer tiles than a sum takes cycles come back too soon; more channels than declared make sums wrap."""
    pc, pk, alpha, transform = configuration.pc, configuration.pk, configuration.alpha, configuration.transform
    runs = [rng.randint(1, 4) for _ in range(rng.choice([1, 1, 2, 3]))]
    tiles = rng.choice([1, 2, 3, 4, configuration.tiles, rng.randint(1, configuration.tiles)])
    filter_blocks = rng.randint(1, 3 if len(runs) == 1 else min(3, configuration.tiles // tiles))
    maps = numbers(rng, (sum(runs) * pc, tiles, alpha, alpha), configuration.data_bits)
    kernels = numbers(rng, (filter_blocks * pk, sum(runs) * pc, *(() if pointwise else (3, 3))),
                      configuration.weight_bits)
    return Block(configuration=configuration, pointwise=pointwise, runs=runs,
                 v=maps if pointwise else input_transform(transform, maps),
                 u=kernels if pointwise else weight_transform(transform, kernels))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES), pointwise=[False, True])
async def sums_of_all_channels_come_out(dut: SimHandleBase, case: str, profile: str, pointwise: bool) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    tiles_in, weights_in, sums_out = bench.source("i"), bench.source("i_weights"), bench.checked("o")
    work = 0
    for _ in range(BLOCKS):
        block = random_block(bench.rng, configuration, pointwise=pointwise)
        block.send(tiles_in, weights_in)
        expected = block.expected()
        sums_out.expect(*expected)
        work += len(expected) + block.filter_blocks * sum(block.runs) * (
            block.tiles + configuration.pc * configuration.pk)

    def give_reason() -> None:
        reasons = {name: int(bench.port(name).value) for name in REASONS}
        waits = int(bench.port("i.valid").value) and not int(bench.port("i.ready").value)
        assert sum(reasons.values()) == waits, f"a tile that waits has one reason, any other none: {reasons}"

    bench.on_look.append(give_reason)
    await bench.reset()
    await bench.run(60 * work + 1000)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), pointwise=[False, True])
async def a_tile_a_cycle_is_taken(dut: SimHandleBase, case: str, pointwise: bool) -> None:
    """With weights in time and room for the results, nothing but the hand-over of the weights costs a cycle."""
    configuration = WinogradConfiguration(**CASES[case])
    passes, tiles, alpha = 12, configuration.tiles, configuration.alpha
    block = Block(configuration=configuration, pointwise=pointwise, runs=[passes],
                  v=np.zeros((passes * configuration.pc, tiles, alpha, alpha), np.int64),
                  u=np.zeros((configuration.pk, passes * configuration.pc, *(() if pointwise else (alpha, alpha))),
                             np.int64))
    bench = Bench(dut, case, part(**CASES[case]), "free")
    tiles_in, weights_in, sums_out = bench.source("i"), bench.source("i_weights"), bench.checked("o")
    block.send(tiles_in, weights_in)
    expected = block.expected()
    sums_out.expect(*expected)
    groups = weights_in.left // passes
    assert tiles > groups, "a pass must be long enough to load the next one's weights"
    await bench.reset()
    cycles = await bench.run(100 * passes * tiles)
    fill = groups + 1  # the first pass's weights
    drain = 10 + len(expected)
    assert cycles <= fill + passes * tiles + drain, f"{cycles} cycles for {passes} passes of {tiles} tiles"

"""The multipliers and accumulators against `winograd.golden.multiply_accumulate`."""

from __future__ import annotations

import cocotb
import numpy as np
from benches.case import CASES
from benches.number import int8_numbers, matrices
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.mac_array import MacArray
from cortado.winograd.golden import input_transform, multiply_accumulate, weight_transform

BLOCKS = 10
REASONS = ("weights_missing", "queue_full", "too_soon")


def part(**case: int) -> MacArray:
    """The circuit of one case."""
    return MacArray(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def sums_of_all_channels_come_out(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    transform, pc, pk = configuration.transform, configuration.pc, configuration.pk
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng, step = bench.rng, configuration.pairs_per_step
    tiles_in, weights_in, sums_out = bench.source("i"), bench.source("i_weights"), bench.checked("o")
    work = 0
    for _ in range(BLOCKS):
        # Fewer than three tiles come back to their accumulators too soon; more channels than declared make sums wrap.
        tiles = rng.choice([1, 2, 3, configuration.tiles, rng.randint(1, configuration.tiles)])
        channel_blocks, filter_blocks = rng.randint(1, 6), rng.randint(1, 3)
        data = int8_numbers(rng, (channel_blocks * pc, tiles, configuration.alpha, configuration.alpha))
        kernels = int8_numbers(rng, (filter_blocks * pk, channel_blocks * pc, 3, 3))
        v, u = input_transform(transform, data), weight_transform(transform, kernels)
        sums = matrices(multiply_accumulate(u, v, configuration.widths.accumulator_bits))
        for filter_block in range(filter_blocks):
            for channel_block in range(channel_blocks):
                channels = slice(channel_block * pc, (channel_block + 1) * pc)
                pairs = matrices(u[filter_block * pk:(filter_block + 1) * pk, channels].reshape(
                    pc * pk, configuration.alpha, configuration.alpha))
                weights_in.send(*({"u": pairs[first:first + step], "last": int(first + step == len(pairs))}
                                  for first in range(0, len(pairs), step)))
                for tile in range(tiles):
                    tiles_in.send({
                        "v": matrices(v[channels, tile]),
                        "index": tile,
                        "pass_first": int(tile == 0),
                        "pass_last": int(tile == tiles - 1),
                        "channel_first": int(channel_block == 0),
                        "channel_last": int(channel_block == channel_blocks - 1),
                    })
            for tile in range(tiles):
                sums_out.expect(*({"m": sums[filter_block * pk + k][tile], "channel": k,
                                   "last": int(tile == tiles - 1 and k == pk - 1)} for k in range(pk)))
        work += filter_blocks * (channel_blocks * (tiles + pc * pk) + tiles * pk)

    def give_reason() -> None:
        reasons = {name: int(bench.port(name).value) for name in REASONS}
        waits = int(bench.port("i.valid").value) and not int(bench.port("i.ready").value)
        assert sum(reasons.values()) == waits, f"a tile that waits has one reason, any other none: {reasons}"

    bench.on_look.append(give_reason)
    await bench.reset()
    await bench.run(60 * work + 1000)


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def a_tile_a_cycle_is_taken(dut: SimHandleBase, case: str) -> None:
    """With weights in time and room for the results, nothing but the hand-over of the weights costs a cycle."""
    configuration = WinogradConfiguration(**CASES[case])
    pairs, step, passes = configuration.pc * configuration.pk, configuration.pairs_per_step, 12
    tiles = configuration.tiles
    assert tiles > pairs // step, "a pass must be long enough to load the next one's weights"
    bench = Bench(dut, case, part(**CASES[case]), "free")
    tiles_in, weights_in, sums_out = bench.source("i"), bench.source("i_weights"), bench.checked("o")
    zeros = np.zeros((configuration.pc, configuration.alpha**2), int).tolist()
    for number in range(passes):
        weights_in.send(*({"u": [zeros[0]] * step, "last": int(first + step == pairs)}
                          for first in range(0, pairs, step)))
        tiles_in.send(*({"v": zeros, "index": tile, "pass_first": int(tile == 0), "pass_last": int(tile == tiles - 1),
                         "channel_first": int(number == 0), "channel_last": int(number == passes - 1)}
                        for tile in range(tiles)))
    sums_out.expect(*({"m": zeros[0], "channel": k, "last": int(tile == tiles - 1 and k == configuration.pk - 1)}
                      for tile in range(tiles) for k in range(configuration.pk)))
    await bench.reset()
    cycles = await bench.run(100 * passes * tiles)
    fill = pairs // step + 1  # the first pass's weights
    drain = 8 + configuration.pk * tiles
    assert cycles <= fill + passes * tiles + drain, f"{cycles} cycles for {passes} passes of {tiles} tiles"

"""The decoder against a table of descriptors that must pass and that must not."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, FIELD_NAMES, Descriptor, ErrorCode, Flag
from cortado.gateware.descriptor_decoder import DescriptorDecoder

# In the configuration m = 2, pc = 2, pk = 1, 64-bit beats: 4 pixels a beat, tiles of 2 x 2, 8 bytes a beat.
LEGAL = Descriptor(
    flags=1, input_address=0x1000, input_plane_pitch=0x200, input_run_pitch=0x10, input_runs=6, input_run_beats=2,
    input_rows=6, input_row_beats=2, top_rows=1, left_groups=0, left_columns=1, skip_columns=1, column_step=1,
    input_columns=6, planes=2, tile_rows=3, tile_columns=4, channel_blocks=2, filter_blocks=5, buffer_base=8,
    plane_words=6, row_words=3, weights_address=0x2000, output_address=0x3000, output_plane_pitch=0x100,
    output_row_pitch=0x8, output_rows=5, output_row_beats=1)
# A row of two tiles of 16 pixels.
POINTWISE = {
    "flags": Flag.LAST | Flag.POINTWISE, "tile_rows": 1, "tile_columns": 2, "top_rows": 0, "input_rows": 1,
    "input_runs": 1, "output_rows": 1, "plane_words": 2, "row_words": 1}
ONE_PLANE = {"flags": Flag.PLANES_FOLLOW, "planes": 1}
# Changes that leave the descriptor legal, each at a limit.
LEGAL_CHANGES = (
    {"input_runs": 1, "input_run_beats": 12},
    {"top_rows": 2},
    {"top_rows": 0},
    {"top_rows": 7, "input_rows": 1, "input_runs": 1},
    {"skip_columns": 0, "input_columns": 8, "left_groups": 1, "left_columns": 0},
    {"left_groups": 4, "left_columns": 0, "input_columns": 2, "input_row_beats": 1, "input_run_beats": 1},
    {"skip_columns": 3, "input_columns": 5},
    {"column_step": 2, "input_columns": 4},
    {"column_step": 3, "input_columns": 3},
    {"column_step": 4, "input_columns": 2},
    {"column_step": 4, "input_columns": 9, "skip_columns": 3, "input_row_beats": 9, "input_run_beats": 9},
    {"column_step": 4, "input_columns": 1, "input_row_beats": 1, "input_run_beats": 1},
    {"input_rows": 1, "input_runs": 1},
    {"input_rows": 7, "input_runs": 7},
    # All padding: what the rows would hold does not matter.
    {"input_rows": 0},
    {"input_rows": 0, "input_runs": 0, "input_run_beats": 0, "input_row_beats": 0, "input_columns": 0},
    {"buffer_base": 20},
    {"channel_blocks": 4, "planes": 4},
    {"output_rows": 6},
    {"tile_rows": 4, "output_rows": 7, "plane_words": 9},
    {"tile_columns": 5, "left_groups": 1, "left_columns": 1},
    {"tile_columns": 8, "tile_rows": 2, "input_rows": 5, "input_runs": 5, "output_rows": 3, "output_row_beats": 2,
     "row_words": 5, "plane_words": 10},
    {"row_words": 4, "plane_words": 8},
    {"flags": Flag.LAST | Flag.JOINED_ROWS},
    {"filter_blocks": 65535},
    {"output_plane_pitch": 0xFFFFFFF8, "input_address": 0xFFFFFFF8},
    POINTWISE,
    {**POINTWISE, "input_columns": 32, "left_columns": 0, "skip_columns": 3, "input_row_beats": 9,
     "input_run_beats": 9},
    {**POINTWISE, "left_groups": 12, "left_columns": 1, "input_columns": 7},
    {**POINTWISE, "tile_columns": 16, "plane_words": 16, "buffer_base": 0, "output_row_beats": 32},
    # Sums that wait: sixteen accumulators.
    {"flags": Flag.UNFINISHED, "filter_blocks": 1},
    {"flags": Flag.CONTINUES | Flag.UNFINISHED, "filter_blocks": 1},
    {"flags": Flag.LAST | Flag.CONTINUES, "filter_blocks": 1},
    {"flags": Flag.LAST | Flag.CONTINUES, "filter_blocks": 16, "tile_rows": 1, "tile_columns": 1, "input_rows": 3,
     "input_runs": 3, "input_columns": 2, "input_row_beats": 1, "input_run_beats": 1, "output_rows": 2},
    {"flags": Flag.EXCLUSIVE},
    {},
)
# Blocks of several loads, whose planes add up.
LEGAL_LISTS = (
    (ONE_PLANE, {"planes": 1}),
    ({**ONE_PLANE, "channel_blocks": 4}, {**ONE_PLANE, "channel_blocks": 4, "planes": 2},
     {"channel_blocks": 4, "planes": 1}),
    ({**ONE_PLANE, "input_rows": 0}, {"flags": Flag.UNFINISHED, "planes": 1, "filter_blocks": 1},
     ONE_PLANE, {"flags": Flag.LAST | Flag.CONTINUES, "planes": 1, "filter_blocks": 1}),
    ({**POINTWISE, "flags": Flag.POINTWISE | Flag.PLANES_FOLLOW, "planes": 1}, {**POINTWISE, "planes": 1}),
    ({**POINTWISE, "flags": Flag.POINTWISE | Flag.UNFINISHED, "filter_blocks": 8},
     {**POINTWISE, "flags": Flag.LAST | Flag.POINTWISE | Flag.CONTINUES, "filter_blocks": 8}),
)
# Changes that each break one rule.
ILLEGAL_CHANGES = (
    *({name: value + 4} for name, value in dataclasses.asdict(LEGAL).items()
      if name.endswith(("_address", "_pitch"))),
    *({name: 0} for name in ("tile_rows", "tile_columns", "channel_blocks", "filter_blocks", "plane_words",
                             "row_words", "input_runs", "input_row_beats", "input_run_beats", "input_columns",
                             "column_step", "planes", "output_rows", "output_row_beats")),
    {"tile_rows": 2**16 + 3},
    {"tile_rows": 5, "output_rows": 9, "plane_words": 9},
    {"tile_columns": 9, "tile_rows": 1, "input_rows": 3, "input_runs": 3, "output_rows": 2, "row_words": 5},
    {"tile_columns": 6, "tile_rows": 2, "input_rows": 5, "input_runs": 5, "output_rows": 3},
    {"row_words": 2},
    {"plane_words": 5},
    {"row_words": 4},
    {"flags": Flag.LAST | Flag.JOINED_ROWS, "output_row_pitch": 16},
    {"channel_blocks": 6, "planes": 6, "buffer_base": 0},
    {"channel_blocks": 4, "planes": 4, "buffer_base": 9},
    {"planes": 1},
    {"planes": 3},
    {"planes": 2**16 + 2},
    {"channel_blocks": 3},
    {"filter_blocks": 65536},
    {"plane_words": 17},
    {"plane_words": 33, "channel_blocks": 1, "planes": 1, "buffer_base": 0},
    {"plane_words": 2**16 + 6},
    {"row_words": 33},
    {"buffer_base": 21},
    {"buffer_base": 2**32 - 8},
    {"top_rows": 3},
    {"top_rows": 2**14 + 1, "input_rows": 0},
    {"left_columns": 2},
    {"left_groups": 2},
    {"left_groups": 2**12 + 1},
    {"left_groups": 2**16},
    {"skip_columns": 4, "input_columns": 4},
    {"input_rows": 8, "input_runs": 8},
    {"left_columns": 0, "left_groups": 1, "input_columns": 9, "input_row_beats": 3, "input_run_beats": 3,
     "skip_columns": 0},
    {"input_columns": 3, "skip_columns": 1},
    {"input_columns": 8, "skip_columns": 1},
    {"column_step": 2},
    {"column_step": 2, "input_columns": 2},
    {"column_step": 5, "input_columns": 2},
    {"column_step": 9},
    {"column_step": 2**16 + 1},
    {"input_runs": 2},
    {"input_runs": 1},
    {"input_runs": 1, "input_run_beats": 11},
    {"input_runs": 6, "input_run_beats": 12},
    {"output_row_beats": 2},
    {"output_rows": 7},
    {"output_rows": 4},
    {"input_row_beats": 2**16 + 2},
    {"flags": Flag.LAST | Flag.PLANES_FOLLOW, "planes": 1},
    {"flags": Flag.LAST | Flag.UNFINISHED, "filter_blocks": 1},
    {"flags": Flag.UNFINISHED, "filter_blocks": 2},
    {"flags": Flag.LAST | Flag.CONTINUES, "filter_blocks": 2},
    {"flags": Flag.LAST | Flag.CONTINUES, "filter_blocks": 2**5 + 1},
    {"flags": Flag.PLANES_FOLLOW},
    *({"flags": Flag.LAST | 1 << bit} for bit in range(max(Flag).bit_length(), 32)),
    {**POINTWISE, "tile_rows": 2},
    {**POINTWISE, "top_rows": 1},
    {**POINTWISE, "output_rows": 2},
    {**POINTWISE, "plane_words": 1},
    {**POINTWISE, "tile_columns": 17, "plane_words": 17, "channel_blocks": 1, "planes": 1, "buffer_base": 0},
    {**POINTWISE, "output_row_beats": 5},
    {**POINTWISE, "input_columns": 33, "left_columns": 0, "skip_columns": 3, "input_row_beats": 9,
     "input_run_beats": 9},
    {**POINTWISE, "left_groups": 13},
    {**POINTWISE, "flags": Flag.POINTWISE | Flag.UNFINISHED, "filter_blocks": 9},
)
# The last one does not go with those before it: planes that do not add up, a block of another shape, another kind of
# tiles in the same job.
ILLEGAL_LISTS = (
    (ONE_PLANE, {}),
    ({**ONE_PLANE, "channel_blocks": 4}, {"channel_blocks": 4}),
    ({**ONE_PLANE, "channel_blocks": 4}, {**ONE_PLANE, "channel_blocks": 4, "planes": 3}),
    (ONE_PLANE, {"planes": 1}, {"planes": 1}),
    (ONE_PLANE, {"planes": 1, "tile_rows": 2, "input_rows": 5, "input_runs": 5, "output_rows": 3}),
    (ONE_PLANE, {"planes": 1, "tile_columns": 5}),
    (ONE_PLANE, {"planes": 1, "plane_words": 7}),
    ({"flags": 0}, POINTWISE),
    ({**POINTWISE, "flags": Flag.POINTWISE}, {}),
)


def part(**case: int) -> DescriptorDecoder:
    """The circuit of one case."""
    return DescriptorDecoder(WinogradConfiguration(**case))


def encode(changes: dict[str, int], configuration_hash: str) -> list[int]:
    """The words of the legal descriptor with some fields changed."""
    return dataclasses.replace(LEGAL, **changes).encode(configuration_hash).tolist()


def passed_on(changes: dict[str, int], configuration_hash: str) -> dict[str, int]:
    """The fields the decoder gives out."""
    return {**dataclasses.asdict(LEGAL), **changes, "configuration": int(configuration_hash[-8:], 16)}


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def legal_descriptors_pass_in_order(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    words, descriptors = bench.source("i"), bench.checked("o")
    several = ({}, *LEGAL_CHANGES, *(changes for some in LEGAL_LISTS for changes in some), {})
    for changes in several:
        words.send(*encode(changes, configuration.hash))
        descriptors.expect(passed_on(changes, configuration.hash))
    bench.on_look.append(lambda: require_error(bench, ErrorCode.NONE))
    await bench.reset()
    await bench.run(60 * DESCRIPTOR_WORDS * len(several))
    assert descriptors.received == len(several)


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def each_broken_rule_is_found(dut: SimHandleBase, case: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    for changes in ILLEGAL_CHANGES:
        await refuses(dut, case, encode(changes, configuration.hash), ErrorCode.OUT_OF_RANGE, str(changes))
    for *before, changes in ILLEGAL_LISTS:
        await refuses(dut, case, encode(changes, configuration.hash), ErrorCode.OUT_OF_RANGE,
                      f"{changes} after {before}", before)
    for word in range(len(FIELD_NAMES), DESCRIPTOR_WORDS - 1):
        words = encode({}, configuration.hash)
        words[word] += 1
        words[-1] = (words[-1] - 1) % 2**32
        await refuses(dut, case, words, ErrorCode.OUT_OF_RANGE, f"spare word {word}")


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def foreign_words_are_refused(dut: SimHandleBase, case: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    wrong_magic = encode({"magic": LEGAL.magic ^ 1}, configuration.hash)
    await refuses(dut, case, wrong_magic, ErrorCode.BAD_MAGIC, "magic")
    other_hash = f"{int(configuration.hash, 16) ^ 1:016x}"
    await refuses(dut, case, encode({}, other_hash), ErrorCode.WRONG_CONFIGURATION, "configuration")
    for word in range(1, DESCRIPTOR_WORDS):
        words = encode({}, configuration.hash)
        words[word] ^= 0x100
        await refuses(dut, case, words, ErrorCode.BAD_CHECKSUM, f"word {word}")


async def refuses(dut: SimHandleBase, case: str, words: list[int], code: ErrorCode, what: str,
                  before: Sequence[dict[str, int]] = ({},)) -> None:
    """Some legal descriptors pass; then the words give the error, which stays while legal ones are swallowed."""
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), "free")
    source, descriptors = bench.source("i"), bench.checked("o")
    for changes in before:
        source.send(*encode(changes, configuration.hash))
        descriptors.expect(passed_on(changes, configuration.hash))
    await bench.reset()
    await bench.run(100 * len(before))
    require_error(bench, ErrorCode.NONE)
    legal = encode({}, configuration.hash)
    source.send(*words, *legal, *legal[:5])
    await bench.run(200)
    assert int(bench.port("error").value) == code, f"{what} must give {code.name}, not {bench.port('error').value}"


def require_error(bench: Bench, code: ErrorCode) -> None:
    """Fails where the error register is not `code`."""
    assert int(bench.port("error").value) == code


assert set(FIELD_NAMES) == set(dataclasses.asdict(LEGAL)), "the table names every field"

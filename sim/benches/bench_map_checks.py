"""The decoder against a table of map descriptors that must pass and that must not."""

from __future__ import annotations

import dataclasses

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import AVERAGE_POOLING, MAX_POOLING, WinogradConfiguration
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, ErrorCode, Flag
from cortado.gateware.descriptor_decoder import DescriptorDecoder
from cortado.gateware.map_descriptor import MAP_FIELD_NAMES, MapDescriptor, MapFlag

# In the configuration pk = 2, 64-bit beats, rows of at most 3 beats: 4 pixels a beat. 3 x 3 windows, stride 2, over 5
# rows of 9 columns with one of padding: windows end at rows and columns 1, 3, 5 (and 7, 9) of the map.
POOL = MapDescriptor(
    flags=MapFlag.POOL | Flag.LAST, first_address=0x1000, plane_pitch=0x200, planes=3, run_beats=15,
    output_address=0x3000, output_plane_pitch=0x100, output_run_beats=6, input_rows=5, input_row_beats=3,
    input_columns=9, top_rows=1, left_columns=1, kernel_rows=3, kernel_columns=3, row_stride=2, column_stride=2,
    output_rows=3, output_columns=5, factor=1, factor_last_column=1, factor_last_row=1, factor_corner=1)
ADD = MapDescriptor(
    flags=MapFlag.ADD, first_address=0x1000, second_address=0x2000, run_beats=7, output_address=0x3000,
    output_run_beats=7, multipliers=0x7FFF8000, shift=15)
POOL_CHANGES = (
    {"flags": MapFlag.POOL},
    {"planes": 2**16 - 1},
    {"factor": 0x30FFFF, "factor_corner": 0x30FFFF},
    {"plane_pitch": 0xFFFFFFF8, "first_address": 0xFFFFFFF8},
    # 3 x 3 windows, stride 1; windows of two that skip lines; the whole map.
    {"row_stride": 1, "output_rows": 5, "output_run_beats": 10},
    {"kernel_rows": 2, "row_stride": 3, "input_rows": 4, "run_beats": 12, "output_rows": 2, "output_run_beats": 4},
    {"kernel_rows": 5, "row_stride": 1, "top_rows": 0, "output_rows": 1, "output_run_beats": 2},
    {"kernel_columns": 300, "column_stride": 1, "left_columns": 0, "output_columns": 3, "output_run_beats": 3},
    {"input_columns": 12, "kernel_columns": 4, "column_stride": 4, "output_columns": 4, "output_run_beats": 3},
)
AVERAGE_CHANGES = (
    {"flags": MapFlag.POOL | MapFlag.AVERAGE},
    {"flags": MapFlag.POOL | MapFlag.AVERAGE, "kernel_columns": 256, "left_columns": 0, "output_columns": 3,
     "output_run_beats": 3},
)
ADD_CHANGES = (
    {"flags": MapFlag.ADD | MapFlag.RELU | Flag.LAST},
    {"shift": 24, "multipliers": 0},
    {"run_beats": 2**32 - 1, "output_run_beats": 2**32 - 1},
)
# Changes that each break one rule.
ILLEGAL_POOL = (
    *({name: getattr(POOL, name) + 4} for name in ("first_address", "plane_pitch", "output_address",
                                                   "output_plane_pitch")),
    {"second_address": 4},
    *({name: 0} for name in ("planes", "run_beats", "output_run_beats", "input_rows", "input_row_beats",
                             "input_columns", "kernel_rows", "kernel_columns", "row_stride", "column_stride",
                             "output_rows", "output_columns")),
    {"flags": MapFlag.POOL | MapFlag.ADD},
    {"flags": MapFlag.POOL | 1 << 20},
    {"flags": MapFlag.POOL | Flag.EXCLUSIVE},
    {"planes": 2**16},
    {"run_beats": 14},
    {"output_run_beats": 7},
    {"input_row_beats": 4, "run_beats": 20},
    {"input_columns": 13, "output_columns": 7, "output_run_beats": 6},
    {"top_rows": 3},
    {"left_columns": 3},
    # Four windows open at once.
    {"kernel_rows": 4, "row_stride": 1, "top_rows": 3, "output_rows": 6, "output_run_beats": 12},
    # The last window begins behind the map, or ends before the map does.
    {"output_rows": 4, "output_run_beats": 8},
    {"output_rows": 2, "output_run_beats": 4},
    {"output_columns": 6},
    {"output_columns": 4, "output_run_beats": 3},
    {"factor": 0x310001},
    {"factor_last_column": 0x310001},
    {"factor_last_row": 0x310001},
    {"factor_corner": 0x310001},
    {"flags": MapFlag.POOL | MapFlag.AVERAGE, "kernel_columns": 257, "left_columns": 0, "output_columns": 3,
     "output_run_beats": 3},
    {"top_rows": 2**16 + 1},
    {"output_rows": 2**16 + 3},
)
ILLEGAL_ADD = (
    *({name: getattr(ADD, name) + 4} for name in ("first_address", "second_address", "output_address")),
    {"plane_pitch": 4},
    {"run_beats": 0, "output_run_beats": 0},
    {"run_beats": 8},
    {"planes": 2},
    {"planes": 0},
    {"shift": 25},
)


def part(**case: int) -> DescriptorDecoder:
    """The circuit of one case."""
    return DescriptorDecoder(WinogradConfiguration(**case))


def tables(case: dict[str, int]) -> tuple[list[MapDescriptor], list[MapDescriptor]]:
    """Legal and illegal descriptors of a configuration."""
    pools = [dataclasses.replace(POOL, **changes) for changes in ({}, *POOL_CHANGES)]
    averages = [dataclasses.replace(POOL, **changes) for changes in AVERAGE_CHANGES]
    sums = [dataclasses.replace(ADD, **changes) for changes in ({}, *ADD_CHANGES)]
    legal, illegal = [], []
    for descriptors, have in ((pools, case.get("pooling", 0) >= MAX_POOLING),
                              (averages, case.get("pooling", 0) == AVERAGE_POOLING),
                              (sums, case.get("elementwise_add", 0) == 1)):
        (legal if have else illegal).extend(descriptors)
    if case.get("pooling"):
        illegal += [dataclasses.replace(POOL, **changes) for changes in ILLEGAL_POOL]
    if case.get("elementwise_add"):
        illegal += [dataclasses.replace(ADD, **changes) for changes in ILLEGAL_ADD]
    return legal, illegal


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def legal_descriptors_pass_in_order(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    words, maps = bench.source("i"), bench.checked("o_map")
    bench.checked("o")
    legal, _ = tables(CASES[case])
    for descriptor in legal:
        words.send(*descriptor.encode(configuration.hash).tolist())
        maps.expect({**dataclasses.asdict(descriptor), "configuration": int(configuration.hash[-8:], 16)})
    await bench.reset()
    await bench.run(60 * DESCRIPTOR_WORDS * len(legal))
    assert int(bench.port("error").value) == ErrorCode.NONE


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def each_broken_rule_is_found(dut: SimHandleBase, case: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    legal, illegal = tables(CASES[case])
    for descriptor in illegal:
        await refuses(dut, case, descriptor.encode(configuration.hash).tolist(), str(descriptor))
    for word in range(len(MAP_FIELD_NAMES), DESCRIPTOR_WORDS - 1):
        words = legal[0].encode(configuration.hash).tolist()
        words[word] += 1
        words[-1] = (words[-1] - 1) % 2**32
        await refuses(dut, case, words, f"spare word {word}")


async def refuses(dut: SimHandleBase, case: str, words: list[int], what: str) -> None:
    """Nothing is passed on, and the error says that a field is out of range."""
    bench = Bench(dut, case, part(**CASES[case]), "free")
    source = bench.source("i")
    bench.checked("o_map")
    bench.checked("o")
    source.send(*words)
    await bench.reset()
    await bench.run(100)
    code = int(bench.port("error").value)
    assert code == ErrorCode.OUT_OF_RANGE, f"{what} must be out of range, not {ErrorCode(code).name}"

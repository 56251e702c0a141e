"""The unpacker keeps its offers of kernels and records, and its gearbox holds what it has room for."""

from __future__ import annotations

from amaranth.hdl import Cat, Mux, Signal, Value
from amaranth.lib import data
from formal.gearbox_room import gearbox_room
from formal.proof import Proof
from formal.smallest import PAIRS, SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.weight_unpacker import WeightUnpacker

CASES = {"smallest": SMALLEST, "pairs": PAIRS}
STEPS = Steps(bounded=4, induction=3, reach=16)


def part(**case: int) -> WeightUnpacker:
    """The circuit of one case."""
    return WeightUnpacker(WinogradConfiguration(**case))


def kernels_or_points(payload: data.View) -> Value:
    """What counts of a group: points or kernels, not both."""
    return Cat(Mux(payload.pointwise, payload.points.as_value(), payload.kernels.as_value()), payload.pointwise,
               payload.last)


def meant(part: WeightUnpacker) -> dict[str, Value]:
    """What of the payloads counts."""
    return {"o": kernels_or_points(part.o.payload)}


def claims(proof: Proof, **case: int) -> None:
    """A job is pointwise or not as a whole."""
    m, unpacker, configuration = proof.m, proof.part, WinogradConfiguration(**case)
    command = unpacker.command.payload
    known, pointwise = Signal(), Signal()
    with m.If(unpacker.command.valid):
        m.d.sync += [known.eq(1), pointwise.eq(command.pointwise)]
    proof.assume("a_job_is_of_one_kind", ~unpacker.command.valid | ~known | (command.pointwise == pointwise))
    proof.assume("commands_have_weights", (command.channel_blocks != 0) & (command.filter_blocks != 0))
    unit_bits = min(configuration.beat_bits // 8, 8 * configuration.pairs_per_step)
    gearbox_room(proof, "gearbox.", unit_bits=unit_bits, units_out=9 * 8 * configuration.pairs_per_step // unit_bits)
    in_gearbox = [proof.inside(f"gearbox.{name}") for name in ("fill", "placed.o__valid", "placed.spare_valid")]
    for number, level in enumerate(in_gearbox):
        proof.claim(f"pointwise_leaves_the_gearbox_empty_{number}", (known & ~pointwise) | (level == 0))
    in_records, in_passes, record_beat, left, is_last = (
        proof.inside(name) for name in ("in_records", "in_passes", "record_beat", "beats_left", "last_of_beats"))
    active = in_records | in_passes
    beats = Mux(command.pointwise, configuration.point_pass_beats, configuration.pass_beats)
    proof.claim("in_records_or_in_passes", ~in_records | ~in_passes)
    proof.claim("works_on_a_command", ~active | unpacker.command.valid)
    proof.claim("beats_are_counted", ~active | ((left != 0) & (left <= beats) & (is_last == (left == 1))))
    proof.claim("beats_of_a_record_are_counted", record_beat < configuration.record_beats)
    proof.claim("records_are_whole", in_records | (record_beat == 0))
    proof.reach("pass", unpacker.o.valid & unpacker.o.payload.last & ~unpacker.o.payload.pointwise)
    proof.reach("pointwise_pass", unpacker.o.valid & unpacker.o.payload.last & unpacker.o.payload.pointwise)

"""The writer keeps account of the bursts under way, and asks for bursts that a port may carry."""

from __future__ import annotations

from formal.outstanding import outstanding
from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.axi import BOUNDARY_BYTES
from cortado.gateware.configuration import BURST_BEATS, WinogradConfiguration
from cortado.gateware.row_writer import WRITE_QUEUE, RowWriter

CASES = {"smallest": SMALLEST, "wide": {**SMALLEST, "pk": 4, "m": 4}}
STEPS = Steps(bounded=4, induction=3, reach=10)


def part(**case: int) -> RowWriter:
    """The circuit of one case."""
    return RowWriter(WinogradConfiguration(**case))


def claims(proof: Proof, *, beat_bits: int, m: int, **case: int) -> None:
    """Commands write something, as the decoder sees to: what it promises is claimed in `proof_descriptor_decoder`."""
    writer = proof.part
    command, request = writer.command.payload, writer.request.payload
    proof.assume("commands_write_something", (command.filter_blocks != 0) & (command.output_rows != 0)
                 & (command.output_row_beats != 0))
    owed = outstanding(proof, writer.request, writer.response)
    proof.claim("outstanding_is_counted", proof.inside("outstanding") == owed)
    proof.claim("idle_means_idle", ~writer.idle | ((owed == 0) & ~writer.request.valid & ~writer.o.valid))
    proof.claim("answers_are_taken_at_once", writer.response.ready)
    proof.queue("queue", WRITE_QUEUE)
    proof.claim("queue_takes_what_it_is_given", ~proof.inside("queue.w_en") | proof.inside("queue.w_rdy"))

    beat_bytes = beat_bits // 8
    beat = request.address[(beat_bytes - 1).bit_length():(BOUNDARY_BYTES - 1).bit_length()]
    in_block, asking, sized, left, remain = (proof.inside(name) for name in (
        "in_block", "asking", "sized", "beats_left", "rows_remain"))
    proof.claim("asks_for_a_run", ~sized | asking)
    proof.claim("beats_left", ~asking | (left != 0))
    proof.claim("bursts_have_beats", ~sized | ((request.beats >= 1) & (request.beats <= BURST_BEATS)))
    proof.claim("more_follows", ~sized | ((request.beats <= left) & (proof.inside("more") == (request.beats != left))))
    proof.claim("bursts_stay_in_a_page", ~sized | (beat + request.beats <= BOUNDARY_BYTES // beat_bytes))
    # Why the runs have beats: rows are counted, in the block and in the runs that follow.
    for name, counts in (("rows", in_block), ("filters", in_block & remain), ("kept_rows", in_block),
                         ("kept_filters", in_block)):
        steps_left = proof.inside(f"{name}_left")
        proof.claim(f"{name}_are_counted",
                    ~counts | ((steps_left != 0) & (proof.inside(f"last_of_{name}") == (steps_left == 1))))
    for name in ("run_rows", "first_run_rows"):
        rows = proof.inside(name)
        proof.claim(f"{name}_fit", ~in_block | ((rows >= 1) & (rows <= m)))
    for count in range(1, m + 1):
        proof.claim(f"beats_of_{count}", ~in_block | (proof.inside(f"beats_of_{count}") != 0))
    proof.reach("block_done", writer.block_done)
    proof.reach("failed", writer.failed)

"""The stream writer asks only for bursts whose beats it holds, and keeps account of those under way."""

from __future__ import annotations

from formal.outstanding import outstanding
from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.axi import BOUNDARY_BYTES
from cortado.gateware.configuration import BURST_BEATS
from cortado.gateware.stream_writer import WRITE_QUEUE, StreamWriter

CASES = {"narrow": {"beat_bits": 64}}
STEPS = Steps(bounded=4, induction=3, reach=12)


def part(**case: int) -> StreamWriter:
    """The circuit of one case."""
    return StreamWriter(**case)


def claims(proof: Proof, *, beat_bits: int) -> None:
    """Commands write something, as the decoder sees to."""
    writer, beat_bytes = proof.part, beat_bits // 8
    command, request = writer.command.payload, writer.request.payload
    proof.assume("commands_write_something", (command.run_beats != 0) & (command.planes != 0))
    owed = outstanding(proof, writer.request, writer.response)
    proof.claim("outstanding_is_counted", proof.inside("outstanding") == owed)
    proof.claim("answers_are_taken_at_once", writer.response.ready)

    proof.queue("queue", WRITE_QUEUE)
    unasked, promised = proof.inside("unasked"), proof.inside("promised")
    proof.claim("every_beat_is_counted_once", unasked + promised == proof.inside("queue.level"))
    proof.claim("bursts_are_there", ~writer.request.valid | (request.beats <= unasked))
    proof.claim("idle_means_idle", ~writer.idle | ((owed == 0) & ~writer.request.valid & ~writer.o.valid))

    beat = request.address[(beat_bytes - 1).bit_length():(BOUNDARY_BYTES - 1).bit_length()]
    active, sized, left, planes_left = (proof.inside(name) for name in ("active", "sized", "beats_left", "planes_left"))
    proof.claim("bursts_are_of_a_command", ~sized | active)
    proof.claim("beats_left", ~active | (left != 0))
    proof.claim("planes_are_counted",
                ~active | ((planes_left != 0) & (proof.inside("last_of_planes") == (planes_left == 1))))
    proof.claim("bursts_have_beats", ~sized | ((request.beats >= 1) & (request.beats <= BURST_BEATS)))
    proof.claim("more_follows", ~sized | ((request.beats <= left) & (proof.inside("more") == (request.beats != left))))
    proof.claim("bursts_stay_in_a_page", ~sized | (beat + request.beats <= BOUNDARY_BYTES // beat_bytes))
    proof.reach("failed", writer.failed)

"""The reader asks for no more than it has room for, so the memory never waits, and in bursts that a port may carry."""

from __future__ import annotations

from formal.proof import Proof
from formal.reader_room import reader_room
from formal.steps import Steps

from cortado.gateware.configuration import BURST_BEATS
from cortado.gateware.stream_reader import StreamReader

CASES = {
    "narrow": {"beat_bits": 64, "prefetch_beats": 2 * BURST_BEATS},
    "wide": {"beat_bits": 512, "prefetch_beats": 2 * BURST_BEATS},
}
STEPS = Steps(bounded=4, induction=3, reach=12)


def part(**case: int) -> StreamReader:
    """The circuit of one case."""
    return StreamReader(**case)


def claims(proof: Proof, *, beat_bits: int, prefetch_beats: int) -> None:
    """Commands are aligned and ask for something, as the decoder sees to."""
    reader = proof.part
    command, offset_bits = reader.command.payload, (beat_bits // 8 - 1).bit_length()
    for name in ("address", "run_pitch", "plane_pitch"):
        proof.assume(f"{name}_is_aligned", command[name][:offset_bits] == 0)
    proof.assume("commands_ask_for_beats", (command.run_beats != 0) & (command.runs != 0) & (command.planes != 0))
    reader_room(proof, "", reader.request, reader.i, beat_bits=beat_bits, prefetch_beats=prefetch_beats)
    proof.reach("command_of_two_bursts",
                reader.request.valid & reader.request.ready & (reader.request.payload.address != command.address))

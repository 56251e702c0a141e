"""The array never takes a tile whose sums are still on their way, nor one its queue has no room for."""

from __future__ import annotations

from amaranth.hdl import Mux, Signal, Value
from formal.proof import Proof
from formal.smallest import PAIRS, SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import ACCUMULATE_CYCLES, WinogradConfiguration
from cortado.gateware.mac_array import MacArray

CASES = {"smallest": SMALLEST, "pairs": PAIRS}
# The registers a tile passes through, in order; the last one is written to the accumulators or the queue.
STEPS_OF_A_TILE = ("tile", "multiplied", "product", "sum", "result")
STEPS = Steps(bounded=6, induction=5, reach=16)


def part(**case: int) -> MacArray:
    """The circuit of one case."""
    return MacArray(WinogradConfiguration(**case))


def claims(proof: Proof, *, tiles: int, **case: int) -> None:
    """Tiles come as the tile buffer sends them: in passes, their accumulators one behind the other."""
    m, array = proof.m, proof.part
    tile, taken = array.i.payload, array.i.valid & array.i.ready
    in_pass, next_index, first_index = Signal(), Signal(range(tiles + 1)), Signal(range(tiles))
    with m.If(taken):
        m.d.sync += [in_pass.eq(~tile.pass_last), next_index.eq(tile.index + 1)]
        with m.If(tile.pass_first):
            m.d.sync += first_index.eq(tile.index)

    def promised(name: str, value: Value) -> None:
        proof.assume(name, ~array.i.valid | value)

    promised("passes_begin", tile.pass_first == ~in_pass)
    promised("index_exists", tile.index < tiles)
    promised("indices_follow_each_other", tile.pass_first | (tile.index == next_index))
    # The next pass goes over the same accumulators again, over new ones behind them, or starts a block anew.
    promised("passes_overlap_from_the_first",
             ~tile.pass_first | (tile.index <= first_index) | (tile.index >= next_index))
    # A tile that has left is counted a cycle late.
    queued = proof.inside("level") - proof.inside("left")
    proof.claim("what_has_left_was_queued", ~proof.inside("left") | (proof.inside("level") != 0))
    tiles_held = queued[:len(proof.inside("level"))] + sum(
        proof.inside(f"valid_{step}") & proof.inside(f"sum_last_of_{step}") for step in STEPS_OF_A_TILE)
    busy = (tiles_held != 0) | proof.inside("read_valid") | array.o.valid
    promised("a_job_is_of_one_kind", ~busy | (tile.pointwise == proof.inside("pointwise")))

    # A tile reads two cycles after it is taken, when the result ahead of these three has been written.
    for step in STEPS_OF_A_TILE[:3]:
        unwritten = proof.inside(f"valid_{step}") & ~proof.inside(f"sum_last_of_{step}")
        proof.claim(f"sums_are_written_before_they_are_read_{step}",
                    ~taken | tile.sum_first | ~unwritten | (proof.inside(f"index_of_{step}") != tile.index))
    tiles_of_pass = next_index - first_index
    proof.claim("tiles_of_a_pass_are_counted", ~in_pass | ((first_index < next_index) & (
        proof.inside("of_pass") == Mux(tiles_of_pass < ACCUMULATE_CYCLES, tiles_of_pass, ACCUMULATE_CYCLES))))
    proof.claim("offers_what_is_queued", ~proof.inside("some") | (queued != 0))
    proof.claim("set_aside_is_counted", proof.inside("set_aside") == tiles_held + proof.inside("left_queue"))
    proof.claim("set_aside_fits", proof.inside("set_aside") <= tiles)
    proof.claim("queue_fits", tiles_held <= tiles)
    proof.claim("waits_for_one_cause", array.weights_missing + array.queue_full + array.too_soon <= 1)
    proof.claim("waiting_has_a_cause", ~array.i.valid | array.i.ready
                | array.weights_missing | array.queue_full | array.too_soon)
    proof.reach("too_soon", array.too_soon)
    proof.reach("queue_full", array.queue_full)
    proof.reach("sums_read_again", taken & ~tile.sum_first)

"""The decoder passes no descriptor that breaks a rule, passes a good one within a bound, and never hangs."""

from __future__ import annotations

from amaranth.hdl import Cat, Mux, Signal, Value
from amaranth.lib import data
from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import LARGEST_STRIDE, WinogradConfiguration
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, MAGIC, ErrorCode, Flag
from cortado.gateware.descriptor_decoder import DESCRIPTOR_LAYOUT, DescriptorDecoder
from cortado.gateware.linear import times

# What is claimed, in groups that a solver takes in seconds.
CASES = {claimed: {"claimed": claimed, **SMALLEST} for claimed in ("words", "rules", "a_good_one")}
# A descriptor's words take a solver long; that one passes from reset is what the bench shows.
STEPS = Steps(bounded=3, induction=2, reach=8, reach_from_reset=False)

# In the order in which the decoder goes through them.
COLLECT, MULTIPLY, CHECK, JUDGE, PASS = range(5)
# Cycles from a descriptor's last word to its offer, or to an error.
DECODE_CYCLES = 4

PRODUCTS = ("tiles", "plane_words", "block_words", "run_beats", "sums", "last_pixel")


def part(*, claimed: str, **case: int) -> DescriptorDecoder:
    """The circuit of one case."""
    return DescriptorDecoder(WinogradConfiguration(**case))


def claims(proof: Proof, *, claimed: str, **case: int) -> None:
    """Multipliers are free: the rules hold of what the decoder takes for products."""
    configuration = WinogradConfiguration(**case)
    state = proof.inside("fsm_state")
    proof.claim("states_exist", state <= PASS)
    products = {name: proof.inside(name) for name in PRODUCTS}
    if claimed == "words":
        words_arrive(proof, configuration, state)
    elif claimed == "rules":
        fields, judged = proof.part.o.payload, (state == JUDGE) & proof.inside("in_range")
        for name, rule in rules(configuration, fields, products).items():
            proof.claim(f"no_{name}", ~(judged | proof.part.o.valid) | rule)
        proof.reach("judged", state == JUDGE)
    else:
        a_good_one_passes(proof, configuration, state, products)


def words_arrive(proof: Proof, configuration: WinogradConfiguration, state: Signal) -> None:
    """The words taken are kept outside as well: whole descriptors are passed on as they came, unless something is
    wrong with them; then no more words are."""
    m, decoder = proof.m, proof.part
    words, filled, total = Signal(32 * DESCRIPTOR_WORDS), Signal(range(DESCRIPTOR_WORDS + 1)), Signal(32)
    since_last_word = Signal(range(DECODE_CYCLES + 1))
    taken, full = decoder.i.valid & decoder.i.ready, filled == DESCRIPTOR_WORDS
    passes, fields, failed = decoder.o.valid, decoder.o.payload, decoder.error != ErrorCode.NONE
    with m.If(taken & ~failed):
        m.d.sync += [
            words.eq(Cat(words[32:], decoder.i.payload)), since_last_word.eq(1),
            filled.eq(Mux(full, 1, filled + 1)), total.eq(Mux(full | (filled == 0), 0, total) + decoder.i.payload)]
    with m.Elif(since_last_word != DECODE_CYCLES):
        m.d.sync += since_last_word.eq(since_last_word + 1)

    collects, multiplies = state == COLLECT, state == MULTIPLY
    in_decoding = Mux(collects, ~full | failed | (since_last_word == DECODE_CYCLES), full & (since_last_word == state))
    proof.claim("goes_on_every_cycle", in_decoding)
    begun = Mux(multiplies | (collects & ~full), filled, 0)
    proof.claim("at_most_a_descriptor", filled <= DESCRIPTOR_WORDS)
    proof.claim("counts_the_words", failed | (proof.inside("count") == begun))
    proof.claim("adds_the_words", failed | (proof.inside("total") == Mux(begun == 0, 0, total)))
    proof.claim("keeps_the_words", failed | (proof.inside("words") == words))
    proof.claim("passes_whole_descriptors", ~passes | full)
    proof.claim("passes_them_as_they_came", ~passes | (fields.as_value() == words[:DESCRIPTOR_LAYOUT.size]))
    checked = (state == CHECK) | (state == JUDGE) | passes
    proof.claim("no_bad_magic", ~checked | (fields.magic == MAGIC))
    proof.claim("no_bad_checksum", ~checked | (total == 0))
    proof.claim("no_wrong_configuration", ~checked | (fields.configuration == int(configuration.hash[-8:], 16)))
    proof.claim("never_hangs", decoder.i.ready | passes | (full & (since_last_word < DECODE_CYCLES)))

    error, had_failed = Signal.like(decoder.error), Signal()
    m.d.sync += [error.eq(decoder.error), had_failed.eq(failed)]
    proof.claim("first_error_stays", ~had_failed | (decoder.error == error))
    proof.claim("swallows_behind_an_error", ~failed | (collects & decoder.i.ready & ~passes))
    proof.reach("error", failed)


def a_good_one_passes(proof: Proof, configuration: WinogradConfiguration, state: Signal,
                      products: dict[str, Signal]) -> None:
    """It comes behind one that ended its job."""
    m, decoder = proof.m, proof.part
    good, between_jobs = good_descriptor(configuration, proof.inside("words")), Signal(init=1)
    with m.If(decoder.o.valid & decoder.o.ready):
        m.d.sync += between_jobs.eq((decoder.o.payload.flags & Flag.LAST) != 0)
    proof.claim("no_planes_between_jobs", ~between_jobs | (proof.inside("loaded") == 0))
    proof.claim("no_kind_between_jobs", ~between_jobs | ~proof.inside("in_job"))
    proof.claim("planes_end_with_a_job", (state != PASS) | ((decoder.o.payload.flags & Flag.LAST) == 0)
                | ((decoder.o.payload.flags & Flag.PLANES_FOLLOW) == 0))
    fields = decoder.o.payload
    proof.assume("products_are_right", ~good | (state == COLLECT) | (state == MULTIPLY) | Cat(
        products["tiles"] == 2, products["plane_words"] == 2, products["block_words"] == fields.channel_blocks << 1,
        products["run_beats"] == 3, products["sums"] == fields.filter_blocks << 1, products["last_pixel"] == 5).all())
    judged = (state == JUDGE) & good & between_jobs
    proof.claim("judged_good", ~judged | proof.inside("in_range"))
    was_judged = Signal()
    m.d.sync += was_judged.eq(judged)
    proof.claim("passed_on", ~was_judged | decoder.o.valid)
    proof.reach("judged", judged)


def rules(configuration: WinogradConfiguration, fields: data.View, products: dict[str, Value]) -> dict[str, Value]:
    """What the units behind rely on, by what would break it."""
    edge, pointwise = configuration.m, (fields.flags & Flag.POINTWISE) != 0
    reads = fields.input_rows != 0
    offset_bits = (configuration.beat_bytes - 1).bit_length()
    addresses = ("input_address", "input_plane_pitch", "input_run_pitch", "weights_address", "output_address",
                 "output_plane_pitch", "output_row_pitch")
    counted = ("tile_rows", "tile_columns", "channel_blocks", "filter_blocks", "planes", "output_row_beats",
               "plane_words", "row_words", "output_rows")
    pixel_rows = times(fields.tile_rows[:16], edge)
    return {
        **{f"misaligned_{name}": getattr(fields, name)[:offset_bits] == 0 for name in addresses},
        **{f"{name}_out_of_sixteen_bits": (getattr(fields, name) != 0) & (getattr(fields, name) < 2**16)
           for name in counted},
        "more_tiles_than_accumulators": products["tiles"] <= configuration.tiles,
        "block_beyond_the_buffer":
            fields.buffer_base + products["block_words"] <= configuration.buffer_words,
        "step": (fields.column_step != 0) & (fields.column_step <= LARGEST_STRIDE),
        "padding_of_a_group": fields.left_columns < edge,
        "more_beats_than_rows": ~reads | (fields.input_runs == fields.input_rows) | (fields.input_runs == 1),
        "runs_that_are_no_rows": ~reads | (fields.input_runs != fields.input_rows) | (fields.input_rows == 1)
                                 | (fields.input_run_beats == fields.input_row_beats),
        "run_that_is_not_its_rows": ~reads | (fields.input_runs != 1) | (fields.input_rows == 1)
                                    | (fields.input_run_beats == products["run_beats"]),
        "rows_beyond_the_block":
            ~reads | (fields.top_rows + fields.input_rows <= pixel_rows + 2),
        "output_beyond_the_block": pointwise | (fields.output_rows <= pixel_rows),
        "row_of_tiles_without_output": pointwise | (fields.output_rows + edge > pixel_rows),
        "job_that_ends_unfinished":
            ((fields.flags & Flag.LAST) == 0) | ((fields.flags & (Flag.UNFINISHED | Flag.PLANES_FOLLOW)) == 0),
    }


def good_descriptor(configuration: WinogradConfiguration, words: Signal) -> Value:
    """One of many good descriptors: a row of two tiles, wherever it lies in memory, of any number of filters."""
    fields, offset_bits = data.View(DESCRIPTOR_LAYOUT, words[:DESCRIPTOR_LAYOUT.size]), (
        configuration.beat_bytes - 1).bit_length()
    fixed = {
        "magic": MAGIC, "configuration": int(configuration.hash[-8:], 16), "input_rows": 3, "input_row_beats": 1,
        "top_rows": 1, "left_groups": 0, "left_columns": 1, "skip_columns": 1, "column_step": 1, "input_columns": 5,
        "tile_rows": 1, "tile_columns": 2, "buffer_base": 0, "plane_words": 2, "row_words": 2, "output_row_beats": 1,
    }
    most = configuration.buffer_words // fixed["plane_words"]
    holds = [
        *(getattr(fields, name) == value for name, value in fixed.items()),
        *(getattr(fields, name)[:offset_bits] == 0 for name in (
            "input_address", "input_plane_pitch", "input_run_pitch", "weights_address", "output_address",
            "output_plane_pitch", "output_row_pitch")),
        (fields.flags == Flag.LAST) | (fields.flags == Flag.LAST | Flag.EXCLUSIVE),
        ((fields.input_runs == 1) & (fields.input_run_beats == 3))
        | ((fields.input_runs == 3) & (fields.input_run_beats == 1)),
        (fields.channel_blocks != 0) & (fields.channel_blocks <= most) & (fields.planes == fields.channel_blocks),
        (fields.filter_blocks != 0) & (fields.filter_blocks < 2**16),
        (fields.output_rows == 1) | (fields.output_rows == 2),
    ]
    return Cat(*holds, words[DESCRIPTOR_LAYOUT.size:-32] == 0).all()

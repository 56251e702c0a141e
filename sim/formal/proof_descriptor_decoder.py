"""The decoder passes on what it was sent, once, and nothing that fails a check; its first error stays."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Mux, Signal, Value
from amaranth.lib import data
from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.block_checks import BlockChecks
from cortado.gateware.configuration import LARGEST_STRIDE, WinogradConfiguration
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, MAGIC, ErrorCode, Flag
from cortado.gateware.descriptor_decoder import BLOCK_FIELDS, CHECK_CYCLES, DESCRIPTOR_LAYOUT, DescriptorDecoder
from cortado.gateware.map_checks import MapChecks
from cortado.gateware.map_descriptor import MAP_DESCRIPTOR_LAYOUT, MapFlag

CASES = {"blocks": SMALLEST, "maps": {**SMALLEST, "elementwise_add": 1, "pooling": 1}}
# The age of a descriptor when its fields are compared.
COMPARE = 5
# An offer lies all of its words away from reset; that it comes is claimed ("offers_in_time").
STEPS = Steps(bounded=2, induction=1, reach=None)


def part(**case: int) -> DescriptorDecoder:
    """The circuit of one case."""
    return DescriptorDecoder(WinogradConfiguration(**case))


def claims(proof: Proof, **case: int) -> None:
    """Words are kept and added up outside as well. Products are free: only what they are compared with is claimed."""
    m, decoder, configuration = proof.m, proof.part, WinogradConfiguration(**case)
    error, offers = decoder.error, [decoder.o, *([decoder.o_map] if configuration.map_units else [])]
    passed = Cat(offer.valid & offer.ready for offer in offers).any()
    offered = Cat(offer.valid for offer in offers).any()

    # Words that have come in of a descriptor; `whole` when there are all, until it is passed on.
    taken = decoder.i.valid & decoder.i.ready & (error == ErrorCode.NONE)
    total, count = Signal(32), Signal(range(DESCRIPTOR_WORDS))
    whole, age = Signal(), Signal(range(CHECK_CYCLES + 1))
    # Any bit of any word.
    place, bit, sent = Signal.like(count), Signal(5), Signal()
    chosen = Mux(count == 0, proof.choice, Cat(place, bit))
    with m.If(age != CHECK_CYCLES):
        m.d.sync += age.eq(age + 1)
    with m.If(passed):
        m.d.sync += [whole.eq(0), total.eq(0)]
    with m.If(taken):
        m.d.sync += [total.eq(total + decoder.i.payload), count.eq(count + 1)]
        m.d.sync += Cat(place, bit).eq(chosen)
        with m.If(chosen[:len(place)] == count):
            m.d.sync += sent.eq(decoder.i.payload.bit_select(chosen[len(place):], 1))
        with m.If(count == DESCRIPTOR_WORDS - 1):
            m.d.sync += [whole.eq(1), age.eq(1)]
    waits = whole & (error == ErrorCode.NONE)
    arrived, word, words = (proof.inside(name) for name in ("arrived", "word", "words"))
    proof.claim("age_ends", age <= CHECK_CYCLES)
    proof.claim("words_are_counted", count == proof.inside("place"))
    slot = (place - count + arrived)[:len(count)]
    of_slots = Cat(words.word_select(number, 32).bit_select(bit, 1) for number in range(DESCRIPTOR_WORDS))
    kept = Mux(arrived & (place == (count - 1)[:len(count)]), word.bit_select(bit, 1), of_slots.bit_select(slot, 1))
    proof.claim("words_are_kept", ~(whole | (place < count)) | (kept == sent))
    proof.claim("words_are_added_up",
                (proof.inside("total") + Mux(arrived, word, 0))[:32] == Mux(whole & (age > 2), 0, total))
    proof.claim("the_last_word_arrives_first", ~arrived | Mux(waits, age == 1, count != 0))
    # The states of the decoder are numbered in their order.
    proof.claim("a_state_a_cycle", proof.inside("fsm_state") == Mux(waits, age, 0))
    proof.claim("takes_words_unless_a_descriptor_waits", decoder.i.ready == ~waits)
    proof.claim("offers_in_time", offered == (waits & (age == CHECK_CYCLES)))
    for offer, name in zip(offers, ("block", "map"), strict=False):
        payload = offer.payload.as_value()
        proof.claim(f"{name}_gives_what_was_sent", ~offer.valid | (payload == words[:len(payload)]))
    proof.claim("one_offer_at_a_time", sum(offer.valid for offer in offers) <= 1)

    # The first error stays, and nothing is passed on behind it.
    before = Signal.like(error)
    m.d.sync += before.eq(error)
    proof.claim("the_first_error_stays", (before == ErrorCode.NONE) | (error == before))
    proof.claim("an_error_is_one_of_a_whole_descriptor",
                (error == ErrorCode.NONE) | (whole & (age == CHECK_CYCLES)))
    proof.claim("nothing_is_offered_after_an_error", ~offered | (error == ErrorCode.NONE))

    # What has been passed on and matters to what follows.
    fields = data.View(DESCRIPTOR_LAYOUT, words[:DESCRIPTOR_LAYOUT.size])
    flag = {flag: (fields.flags & flag) != 0 for flag in Flag}
    in_job, is_pointwise, in_block, loaded = Signal(), Signal(), Signal(), Signal(17)
    common = {name: Signal(16, name=f"common_{name}") for name in BLOCK_FIELDS}
    with m.If(decoder.o.valid & decoder.o.ready):
        m.d.sync += [
            is_pointwise.eq(flag[Flag.POINTWISE]), in_block.eq(flag[Flag.PLANES_FOLLOW] | flag[Flag.UNFINISHED]),
            loaded.eq(Mux(flag[Flag.PLANES_FOLLOW], loaded + fields.planes, 0)),
            *(common[name].eq(getattr(fields, name)) for name in BLOCK_FIELDS),
        ]
    for name, value in (("in_job", in_job), ("is_pointwise", is_pointwise), ("in_block", in_block), ("loaded", loaded),
                        *((f"block_{name}", value) for name, value in common.items())):
        proof.claim(f"{name}_is_of_what_was_passed_on", proof.inside(name) == value)
    with m.If(passed):
        m.d.sync += in_job.eq(~flag[Flag.LAST] & (decoder.o.valid | in_job))

    def holds(index: int, check: BlockChecks | MapChecks, others: list[Value]) -> Value:
        """Whether everything holds that is checked, whose products the solver may choose.

        Claims what the steps of the check have found, from when on they have, too: it is of these words.
        """
        numbers = check.prepared()
        # Outside of the step that is named for them there are a few more.
        products = {*check.products(numbers), *(name for name in numbers if name.endswith("_open")), "sums"}
        numbers |= {name: proof.inside(name) for name in products & {*numbers, *check.products(numbers)}}
        found = numbers | check.combined(numbers)
        found |= {name: proof.inside(name) for name in products & {*found}}
        for name in found.keys() - products:
            value, step = proof.inside(name), COMPARE - 2 if name in numbers else COMPARE
            proof.claim(f"{name}_is_found_by_then", ~waits | (age < step) | (value == found[name]))
        clauses = [Cat(*clause).any() for clause in check.clauses(found)] + others
        compared = Cat(proof.inside(f"holds_{index}_{number}").any() for number in range(len(clauses)))
        proof.claim(f"comparisons_{index}_are_made_by_then", ~waits | (age <= COMPARE) | (compared == Cat(clauses)))
        return compared.all()

    spare = [words[DESCRIPTOR_LAYOUT.size:-32] == 0]
    fits = holds(0, BlockChecks(configuration, fields, loaded), [
        ~in_job | (flag[Flag.POINTWISE] == is_pointwise),
        *((loaded == 0) | (getattr(fields, name) == common[name]) for name in BLOCK_FIELDS), *spare])
    is_map = Const(0)
    if configuration.map_units:
        job = data.View(MAP_DESCRIPTOR_LAYOUT, words[:MAP_DESCRIPTOR_LAYOUT.size])
        is_map = (job.flags & (MapFlag.POOL | MapFlag.ADD)) != 0
        fits = Mux(is_map, holds(1, MapChecks(configuration, job), [
            ~in_block, words[MAP_DESCRIPTOR_LAYOUT.size:-32] == 0]), fits)
        proof.claim("maps_are_passed_on_as_such", ~offered | (decoder.o_map.valid == is_map))
    proof.claim("in_range_is_found_by_then", ~waits | (age <= COMPARE + 1) | (proof.inside("in_range") == fits))
    verdict = ErrorCode.NONE
    for code, name, right in (
            (ErrorCode.OUT_OF_RANGE, None, fits),
            (ErrorCode.WRONG_CONFIGURATION, "is_built_for",
             fields.configuration == int(configuration.hash[-8:], 16)),
            (ErrorCode.BAD_CHECKSUM, "adds_up", total == 0), (ErrorCode.BAD_MAGIC, "has_magic", fields.magic == MAGIC)):
        verdict = Mux(right, verdict, code)
        if name is not None:
            proof.claim(f"{name}_is_found_by_then", ~waits | (age < COMPARE - 2) | (proof.inside(name) == right))
    judged = Signal()
    m.d.sync += judged.eq(whole & (age == CHECK_CYCLES - 1) & (error == ErrorCode.NONE))
    proof.claim("the_error_is_the_first_check_that_fails", ~judged | (error == verdict))
    proof.claim("what_is_offered_passes_every_check", ~offered | (verdict == ErrorCode.NONE))

    # What the proofs of the units behind assume of their commands.
    for name, value in (
        ("tile_rows", fields.tile_rows != 0), ("tile_columns", fields.tile_columns != 0),
        ("planes", fields.planes != 0), ("channel_blocks", fields.channel_blocks != 0),
        ("filter_blocks", fields.filter_blocks != 0), ("output_rows", fields.output_rows != 0),
        ("output_row_beats", fields.output_row_beats != 0),
        ("column_step", (fields.column_step != 0) & (fields.column_step <= LARGEST_STRIDE)),
        ("left_columns", fields.left_columns < configuration.m),
        ("input_runs", (fields.input_rows == 0) | (fields.input_runs != 0)),
        *((name, getattr(fields, name)[:(configuration.beat_bytes - 1).bit_length()] == 0) for name in (
            "input_address", "input_run_pitch", "input_plane_pitch", "weights_address", "output_address",
            "output_row_pitch", "output_plane_pitch")),
    ):
        proof.claim(f"promised_{name}", ~decoder.o.valid | value)

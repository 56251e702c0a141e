"""The tables of docs/engine.md, against the code they describe."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cortado.engines.winograd import Winograd, legal_range
from cortado.gateware.channel_record import RECORD_LAYOUT, ChannelFlag
from cortado.gateware.configuration import LEGAL_RANGES, LEGAL_VALUES, WinogradConfiguration
from cortado.gateware.cycle_counters import COUNTER_NAMES, IDLE_CAUSES
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, FIELD_NAMES, MAGIC, ErrorCode, Flag
from cortado.gateware.register import Register, counter_registers
from cortado.gateware.winograd_engine import IDENTITY

PAGE = Path(__file__).parents[2] / "docs" / "engine.md"


@pytest.fixture(scope="module")
def tables() -> dict[tuple[str, ...], list[list[str]]]:
    """The rows of each table of the page, by its column titles; names without their backquotes."""
    found = {}
    for block in re.findall(r"(?:^\|.*\|\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        title, _, *rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in block.splitlines()]
        assert all(len(row) == len(title) for row in rows), title
        assert tuple(title) not in found, title
        found[tuple(title)] = [[re.sub(r"^`(.*)`$", r"\1", cell) for cell in row] for row in rows]
    return found


def test_descriptor_words(tables):
    rows = tables["word", "field", "meaning", "must be"]
    assert [int(row[0]) for row in rows] == list(range(DESCRIPTOR_WORDS))
    spare = DESCRIPTOR_WORDS - 1 - len(FIELD_NAMES)
    assert [row[1] for row in rows] == [*FIELD_NAMES, *[""] * (spare + 1)]
    assert [row[2] for row in rows[len(FIELD_NAMES):]] == ["zero"] * spare + ["checksum"]
    assert rows[0][3] == f'{MAGIC:#010X}, "{MAGIC.to_bytes(4, "little").decode()}" in memory'.replace("0X", "0x")


def test_descriptor_flags(tables):
    assert [(1 << int(row[0]), row[1]) for row in tables["bit of `flags`", "name", "meaning"]] == [
        (flag.value, flag.name) for flag in Flag]


def test_channel_record(tables):
    rows = {name: (int(bit), meaning) for bit, name, meaning in tables["bit", "field", "meaning"]}
    assert {name: bit for name, (bit, _) in rows.items()} == {name: field.offset for name, field in RECORD_LAYOUT}
    assert rows["flags"][1].startswith(f"bit {ChannelFlag.RELU.bit_length() - 1}, `RELU`:")


def test_error_codes(tables):
    assert [(int(row[0]), row[1]) for row in tables["code", "name", "cause"]] == [
        (code.value, code.name) for code in ErrorCode]


def test_idle_causes_in_their_priority(tables):
    rows = tables["priority", "cause", "when"]
    assert [int(row[0]) for row in rows] == list(range(1, len(IDLE_CAUSES) + 1))
    assert [(row[1], row[2]) for row in rows] == list(IDLE_CAUSES.items())


def test_registers_and_counters(tables):
    rows = tables["offset", "register", "meaning"]
    assert [(int(row[0], 16), row[1]) for row in rows] == [(register.value, register.name) for register in Register]
    assert rows[0][2] == f"{IDENTITY:#010X}".replace("0X", "0x")
    assert [(int(row[0], 16), row[1]) for row in tables["offset", "counter"]] == [
        (counter_registers(name)[0], name) for name in COUNTER_NAMES]


def test_configuration_fields_and_their_range(tables):
    legal = {name: ", ".join(str(value) for value in values) for name, values in LEGAL_VALUES.items()}
    legal |= {name: f"{low} to {high}" for name, (low, high) in LEGAL_RANGES.items()}
    assert [tuple(row[:3]) for row in tables["field", "default", "legal", "meaning"]] == [
        (field.name, str(field.default), legal[field.name]) for field in fields(WinogradConfiguration)]


@pytest.mark.parametrize("fields_given", [{}, {"pk": 2, "largest_taps": 144}])
def test_limits_of_a_layer(tables, fields_given):
    configuration = WinogradConfiguration(**fields_given)
    words = {str(configuration.largest_taps): "largest_taps", str(65535 * configuration.pk): "65535 · pk"}
    assert [tuple(row) for row in tables["number", "least", "most"]] == [
        (limit.name, str(limit.least), words.get(str(limit.most), str(limit.most)))
        for limit in legal_range(configuration)]


@pytest.mark.parametrize("beat_bits", [64, 128])
def test_ports(tables, beat_bits):
    engine = Winograd(configuration=WinogradConfiguration(m=2, pc=1, pk=1, beat_bits=beat_bits))
    widths = {"B": beat_bits, "B/8": beat_bits // 8}
    listed = {name: {"direction": direction, "width": widths.get(bits) or int(bits)}
              for name, direction, bits, _ in tables["port", "direction", "bits", "meaning"]}
    assert listed == engine.design().ports

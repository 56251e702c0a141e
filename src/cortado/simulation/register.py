"""What the shell of an engine shows the driver: its registers, its counters and its streams.

The C++ shell is compiled against a header rendered from this file, so the two cannot differ.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Register(IntEnum):
    """Byte offsets of the 32-bit registers, as an AXI4-Lite slave would decode them.

    From `COUNTERS` on, each counter has eight bytes (low word first), in the order of `COUNTERS` below.
    """

    IDENTITY = 0x00
    HASH_LOW = 0x04
    HASH_HIGH = 0x08
    CONTROL = 0x0C
    STATUS = 0x10
    ERROR = 0x14
    DESCRIPTOR_ADDRESS = 0x18
    DESCRIPTOR_COUNT = 0x1C
    COUNTERS = 0x40


class Control(IntFlag):
    """Bits of the `CONTROL` register; each acts when written as 1."""

    START = 1


class Status(IntFlag):
    """Bits of the `STATUS` register."""

    BUSY = 1
    DONE = 2
    """The last job ended well."""
    ERROR = 4
    """The `ERROR` register holds a code."""


COUNTERS = ("cycles", "busy", "idle_setup", "idle_input", "idle_weights", "idle_drain", "idle_output", "idle_hazard",
            "idle_finish")
"""Counters of the engine, in register order: cycles = busy + the sum of all idle causes."""

STREAMS = ("descriptor", "activations_request", "activations", "weights_request", "weights", "results_request",
           "results", "results_response")
"""Streams of the engine, in the order the shell reports them."""


def counter_registers(name: str) -> tuple[int, int]:
    """Offsets of the low and the high word of a counter."""
    low = Register.COUNTERS + 8 * COUNTERS.index(name)
    return low, low + 4


def render_header(beat_bits: int, descriptor_bytes: int, trace: bool) -> str:
    """The text of `engine_configuration.h`: what the C++ shell must know of the engine and of this file."""
    parameters = f"beat_bits={beat_bits}, descriptor_bytes={descriptor_bytes}, trace={trace}"
    lines = [
        f"// Rendered by cortado.simulation.register: {parameters}.",
        "#pragma once",
        "",
        "#include <cstdint>",
        "",
        f"#define CORTADO_BEAT_BITS {beat_bits}",
        f"#define CORTADO_DESCRIPTOR_BYTES {descriptor_bytes}",
        f"#define CORTADO_TRACE {int(trace)}",
        "#define CORTADO_COUNTERS(X) " + " ".join(f"X({name})" for name in COUNTERS),
        "#define CORTADO_STREAMS(X) " + " ".join(f"X({name})" for name in STREAMS),
        "",
        "namespace cortado {",
        "",
        "enum class Register : uint32_t {",
        *(f"    {register.name} = {register.value:#04x}," for register in Register),
        "};",
        "",
        *(f"constexpr uint32_t CONTROL_{bit.name} = {bit.value};" for bit in Control),
        *(f"constexpr uint32_t STATUS_{bit.name} = {bit.value};" for bit in Status),
        "",
        "}  // namespace cortado",
        "",
    ]
    return "\n".join(lines)

"""What the simulator's shell must know of an engine.

The C++ shell is compiled against a header rendered from this file, so the two cannot differ.
"""

from __future__ import annotations

from cortado.gateware.axi_engine import MEMORY_PREFIX, READERS
from cortado.gateware.register_file import CONTROL_ADDRESS_BITS

CHANNELS = tuple(f"{MEMORY_PREFIX}_{channel}" for channel in ("ar", "r", "aw", "w", "b"))
"""Channels of the memory port, in the order the shell reports them."""

MASTERS = (*READERS, "results")
"""Who asks for bursts: the readers in the order of their IDs, then the writer."""


def render_header(beat_bits: int, trace: bool) -> str:
    """The text of `engine_configuration.h`: what the C++ shell must know of the engine and of this file."""
    lines = [
        f"// Rendered by cortado.simulation.register: beat_bits={beat_bits}, trace={trace}.",
        "#pragma once",
        "",
        f"#define CORTADO_BEAT_BITS {beat_bits}",
        f"#define CORTADO_CONTROL_ADDRESS_BITS {CONTROL_ADDRESS_BITS}",
        f"#define CORTADO_TRACE {int(trace)}",
        "#define CORTADO_CHANNELS(X) " + " ".join(f"X({name})" for name in CHANNELS),
        "#define CORTADO_MASTERS(X) " + " ".join(f"X({name})" for name in MASTERS),
        "",
    ]
    return "\n".join(lines)

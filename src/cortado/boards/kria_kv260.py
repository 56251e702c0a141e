"""AMD Kria KV260. Source: DS987 (K26 SOM) for the part, UG1085 for the memory map and the ports of the processor."""

from cortado.boards.board import Board, boards

boards.register("kria_kv260")(Board(
    name="kria_kv260", title="AMD Kria KV260 (Zynq UltraScale+)", part="xck26-sfvc784-2LV-c", family="xcup",
    clock_mhz=200.0, port_bits=128, memory_base=0, memory_bytes=2**31, multipliers=1248))

"""TUL PYNQ-Z2. Source: DS190 (Zynq-7000) for the part, UG585 for the memory map and the ports of the processor."""

from cortado.boards.board import Board, boards

boards.register("pynq_z2")(Board(
    name="pynq_z2", title="TUL PYNQ-Z2 (Zynq-7000)", part="xc7z020clg400-1", family="xc7",
    clock_mhz=100.0, port_bits=64, memory_base=0, memory_bytes=2**29, multipliers=220))

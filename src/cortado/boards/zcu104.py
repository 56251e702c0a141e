"""AMD ZCU104. Source: UG1267 for the part, UG1085 for the memory map and the ports of the processor."""

from cortado.boards.board import Board, boards

boards.register("zcu104")(Board(
    name="zcu104", title="AMD ZCU104 (Zynq UltraScale+)", part="xczu7ev-ffvc1156-2-e", family="xcup",
    clock_mhz=200.0, port_bits=128, memory_base=0, memory_bytes=2**31, multipliers=1728))

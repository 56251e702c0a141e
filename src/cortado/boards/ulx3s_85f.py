"""Radiona ULX3S with the LFE5U-85F. Source: its constraints file ulx3s_v20.lpf for the pins, FPGA-DS-02012 (ECP5)."""

from cortado.boards.board import Board, boards

boards.register("ulx3s_85f")(Board(
    name="ulx3s_85f", title="Radiona ULX3S (Lattice ECP5-85)", part="LFE5U-85F-6BG381C", family="ecp5",
    # The oscillator, without a PLL. 25 cycles are a bit of the line.
    clock_mhz=25.0, baud=1_000_000, pins={"clk": "G2", "rx": "M1", "tx": "L4", "led": "B2"},
    # Block RAM: 64 of the 208 of the part. The SDRAM of the board is not used.
    port_bits=64, memory_base=0, memory_bytes=2**17, multipliers=156,
    place_and_route=("--85k", "--package", "CABGA381", "--speed", "6")))

"""cortado: a CNN graph cut between a host and generated FPGA engines, with the RTL in the loop."""

__version__ = "0.1.0"

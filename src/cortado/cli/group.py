"""Every command of `cortado`, in the order of a user's work."""

from __future__ import annotations

import click

from cortado import __version__


class Commands(click.Group):
    """Lists commands in the order of a user's work, not of the alphabet."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Run a CNN cut between a host and a simulated FPGA, to the bit and to the cycle.

    A MODEL is the name of a model that comes with cortado, a .prototxt, a folder with one, or a .onnx.

    \b
    Start here:
      cortado run                     classify digits with every convolution at RTL
      cortado inspect MODEL           which layer runs where, and why
      cortado verify MODEL            float, exact integers, HLS C++ and RTL against each other
      cortado generate MODEL -o DIR   Verilog, manifest and job descriptors, or C++ for Vitis HLS
      cortado export MODEL -o F.onnx  the network as ONNX, or as prototxt and caffemodel
      cortado train --solver FILE     train a network as a solver.prototxt says
      cortado test MODEL              score a network on the data its layers read
      cortado workload run NAME       a published method on the same layers, beside its figures
      cortado synth --family ecp5     what the engine takes of an FPGA, with open tools
      cortado bench engine            layers at RTL beside what the hardware could do at most
      cortado data list               trained weights and other files to fetch
      cortado device serve            let others run on this machine's device
      cortado selftest --device URL   is a device right: registers, memory, every feature, a network
      cortado doctor                  what this machine has and lacks
    """

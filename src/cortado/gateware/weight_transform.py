"""U = G g G^T."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.linear import matrix_product
from cortado.gateware.pipeline import payload_register, stage
from cortado.gateware.weight_unpacker import kernel_layout


def transformed_kernel_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """A group of kernels in the Winograd domain: `u[pair][row * alpha + column]`; pointwise, `points[pair]`."""
    return data.StructLayout({
        "u": data.ArrayLayout(data.ArrayLayout(signed(configuration.widths.u_bits), configuration.alpha**2),
                              configuration.pairs_per_step),
        "points": data.ArrayLayout(signed(configuration.weight_bits), configuration.points_per_step),
        "pointwise": 1,
        "last": 1,
    })


class WeightTransform(wiring.Component):
    """U = G g G^T for a group of kernels, with the whole-number G of `winograd.transform`; exact. Pointwise weights
    pass as they are. Latency two cycles, one group a cycle.

    Members
    -------
    i : In(stream of kernel_layout(...))
    o : Out(stream of transformed_kernel_layout(...))
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(kernel_layout(configuration))),
            "o": Out(stream.Signature(transformed_kernel_layout(configuration))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self._configuration
        alpha, widths, g = configuration.alpha, configuration.widths, configuration.transform.g
        half_valid = Signal()
        passing = {name: Signal.like(Value.cast(getattr(self.i.payload, name)), name=f"half_{name}", reset_less=True)
                   for name in ("last", "pointwise", "points")}
        payload = payload_register(m, self.o.payload)
        second_moves = stage(m, half_valid, self.o.valid, self.o.ready)
        first_moves = stage(m, self.i.valid, half_valid, second_moves)
        m.d.comb += self.i.ready.eq(first_moves)
        for name, half in passing.items():
            with m.If(first_moves):
                m.d.sync += half.eq(Value.cast(getattr(self.i.payload, name)))
            with m.If(second_moves):
                m.d.sync += Value.cast(getattr(payload, name)).eq(half)

        for pair in range(configuration.pairs_per_step):
            kernel = self.i.payload.kernels[pair]
            half = [Signal(signed(widths.u_row_bits), name=f"half_{pair}_{n}", reset_less=True)
                    for n in range(3 * alpha)]
            for column in range(3):
                product = matrix_product(m, g, [kernel[row * 3 + column] for row in range(3)], widths.u_row_bits,
                                         f"column_{pair}_{column}")
                with m.If(first_moves):
                    m.d.sync += [half[row * 3 + column].eq(product[row]) for row in range(alpha)]
            for row in range(alpha):
                product = matrix_product(m, g, half[row * 3:(row + 1) * 3], widths.u_bits, f"row_{pair}_{row}")
                with m.If(second_moves):
                    m.d.sync += [payload.u[pair][row * alpha + column].eq(product[column])
                                 for column in range(alpha)]
        return m

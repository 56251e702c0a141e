"""V = B^T d B."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.linear import matrix_product
from cortado.gateware.pipeline import payload_register, stage
from cortado.gateware.tile_buffer import pass_layout, tile_layout


def transformed_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """One tile of pc channels in the Winograd domain: `v[channel][row * alpha + column]`."""
    return data.StructLayout({
        "v": data.ArrayLayout(
            data.ArrayLayout(signed(configuration.widths.v_bits), configuration.alpha**2), configuration.pc),
        **pass_layout(configuration),
    })


class InputTransform(wiring.Component):
    """V = B^T d B for the pc channels of one tile (Lavin & Gray 2015, section 4.1); exact. Pointwise tiles pass as they
    are. Latency two cycles, one tile a cycle.

    Members
    -------
    i : In(stream of tile_layout(...))
    o : Out(stream of transformed_layout(...))
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(tile_layout(configuration))),
            "o": Out(stream.Signature(transformed_layout(configuration))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self._configuration
        alpha, widths, bt = configuration.alpha, configuration.widths, configuration.transform.bt
        half_valid = Signal()
        # Both steps move at once: a wait is one signal, known early.
        second_moves = first_moves = stage(m, half_valid, self.o.valid, self.o.ready)
        with m.If(first_moves):
            m.d.sync += half_valid.eq(self.i.valid)
        m.d.comb += self.i.ready.eq(first_moves)

        place_layout = data.StructLayout(pass_layout(configuration))
        place = Signal(place_layout, reset_less=True)
        payload = payload_register(m, self.o.payload)
        for name in pass_layout(configuration):
            with m.If(first_moves):
                m.d.sync += getattr(place, name).eq(getattr(self.i.payload, name))
            with m.If(second_moves):
                m.d.sync += getattr(payload, name).eq(getattr(place, name))

        for channel in range(configuration.pc):
            tile = self.i.payload.pixels[channel]
            half = [Signal(signed(widths.v_row_bits), name=f"half_{channel}_{n}", reset_less=True)
                    for n in range(alpha**2)]
            for column in range(alpha):
                product = matrix_product(m, bt, [tile[row * alpha + column] for row in range(alpha)],
                                         widths.v_row_bits, f"column_{channel}_{column}")
                with m.If(first_moves):
                    m.d.sync += [half[row * alpha + column].eq(
                        Mux(self.i.payload.pointwise, tile[row * alpha + column], product[row]))
                        for row in range(alpha)]
            for row in range(alpha):
                product = matrix_product(m, bt, half[row * alpha:(row + 1) * alpha], widths.v_bits,
                                         f"row_{channel}_{row}")
                with m.If(second_moves):
                    m.d.sync += [payload.v[channel][row * alpha + column].eq(
                        Mux(place.pointwise, half[row * alpha + column], product[column]))
                        for column in range(alpha)]
        return m

"""Y = A^T M A, divided by the scale of the transform."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.linear import matrix_product
from cortado.gateware.mac_array import sum_layout
from cortado.gateware.pipeline import payload_register, stage
from cortado.winograd.division import ExactDivision


def output_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """The m x m results of one tile and one output channel: `y[row * m + column]`; `last` ends a filter block."""
    return data.StructLayout({
        "y": data.ArrayLayout(signed(configuration.widths.y_bits), configuration.m**2),
        "channel": range(configuration.pk),
        "last": 1,
    })


class InverseTransform(wiring.Component):
    """Y = A^T M A / scale for one tile and output channel (Lavin & Gray 2015, section 4.1); exact modulo the width of
    the accumulators, of which the quotient uses all. Pointwise sums pass as they are, some in each step. Latency four
    cycles, one result a cycle.

    Members
    -------
    i : In(stream of sum_layout(...))
    o : Out(stream of output_layout(...))
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(sum_layout(configuration))),
            "o": Out(stream.Signature(output_layout(configuration))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self._configuration
        edge, alpha, at = configuration.m, configuration.alpha, configuration.transform.at
        bits = configuration.widths.accumulator_bits
        division = ExactDivision(configuration.transform.scale, bits)

        valid = [Signal(name=f"valid_{step}") for step in range(3)]
        moves = [None] * 4
        moves[3] = stage(m, valid[2], self.o.valid, self.o.ready)
        for step in (2, 1, 0):
            moves[step] = stage(m, valid[step - 1] if step else self.i.valid, valid[step], moves[step + 1])
        m.d.comb += self.i.ready.eq(moves[0])
        payload = payload_register(m, self.o.payload)
        for name in ("channel", "last"):
            source = getattr(self.i.payload, name)
            for step in range(4):
                target = getattr(payload, name) if step == 3 else Signal.like(
                    source, name=f"{name}_{step}", reset_less=True)
                with m.If(moves[step]):
                    m.d.sync += target.eq(source)
                source = target

        # Pointwise sums take the registers of the transform's results.
        steps, lane_values = configuration.point_steps, configuration.point_lanes * edge
        pointwise = [Signal(name=f"pointwise_{step}", reset_less=True) for step in range(3)]
        for step in range(3):
            with m.If(moves[step]):
                m.d.sync += pointwise[step].eq(pointwise[step - 1] if step else self.i.payload.pointwise)
        points = [Signal(signed(bits), name=f"point_{n}") for n in range(lane_values)]
        with m.Switch(self.i.payload.step):
            for step in range(steps):
                with m.Case(step):
                    m.d.comb += [points[n].eq(self.i.payload.m[step * lane_values + n]) for n in range(lane_values)]

        def passing(select: Value, values: list, n: int, result: Value) -> Value:
            return Mux(select, values[n], result) if n < lane_values else result

        half = [Signal(signed(bits), name=f"half_{n}", reset_less=True) for n in range(edge * alpha)]
        for column in range(alpha):
            product = matrix_product(m, at, [self.i.payload.m[row * alpha + column] for row in range(alpha)], bits,
                                     f"column_{column}")
            with m.If(moves[0]):
                m.d.sync += [half[row * alpha + column].eq(
                    passing(self.i.payload.pointwise, points, row * alpha + column, product[row]))
                    for row in range(edge)]
        scaled = [Signal(signed(bits), name=f"scaled_{n}", reset_less=True) for n in range(edge**2)]
        for row in range(edge):
            product = matrix_product(m, at, half[row * alpha:(row + 1) * alpha], bits, f"row_{row}")
            with m.If(moves[1]):
                m.d.sync += [scaled[row * edge + column].eq(
                    passing(pointwise[0], half, row * edge + column, product[column])) for column in range(edge)]

        # The division is a chain of shifts and additions; half of it on each side of a register.
        middle = (len(division.steps) + 1) // 2
        for n in range(edge**2):
            partial = Signal(signed(division.quotient_bits), name=f"partial_{n}", reset_less=True)
            early = self._chain(m, scaled[n][division.v2:], division.steps[:middle], division.quotient_bits,
                                f"early_{n}")
            with m.If(moves[2]):
                m.d.sync += partial.eq(passing(pointwise[1], scaled, n, early))
            late = self._chain(m, partial, division.steps[middle:], division.quotient_bits, f"late_{n}")
            with m.If(moves[3]):
                m.d.sync += payload.y[n].eq(
                    passing(pointwise[2], [partial] * lane_values, n, -late if division.negate else late))
        return m

    def _chain(self, m: Module, value: object, steps: tuple, bits: int, name: str) -> object:
        """`value` through the given steps of an exact division, each wrapped to `bits`."""
        for index, step in enumerate(steps):
            following = Signal(signed(bits), name=f"{name}_{index}")
            shifted = value.shift_left(step.shift)
            m.d.comb += following.eq(value + shifted if step.sign > 0 else value - shifted)
            value = following
        return value

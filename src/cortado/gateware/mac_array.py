"""M = sum over channels of U . V, element by element in the Winograd domain."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import ACCUMULATE_CYCLES, WinogradConfiguration
from cortado.gateware.input_transform import transformed_layout
from cortado.gateware.pipeline import stage
from cortado.gateware.weight_transform import transformed_kernel_layout


def sum_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """The sums of one tile and one output channel: `m[row * alpha + column]`; `last` ends a filter block."""
    return data.StructLayout({
        "m": data.ArrayLayout(signed(configuration.widths.accumulator_bits), configuration.alpha**2),
        "channel": range(configuration.pk),
        "last": 1,
    })


class MacArray(wiring.Component):
    """Multiplies one tile of pc channels with pc * pk kernels each cycle and adds up in block RAM.

    Weights stand while the tiles of a block pass by; the next pass's weights arrive meanwhile and take over at once.
    Sums wrap: only the result of the inverse transform has to fit. The finished sums of a filter block go to a queue of
    their own, one output channel a cycle, while the next filter block is already adding up.

    Members
    -------
    i : In(stream of transformed_layout(...))
    i_weights : In(stream of transformed_kernel_layout(...))
    o : Out(stream of sum_layout(...))
    weights_missing, queue_full, too_soon : Out(1)
        Why a waiting tile is not taken: at most one of them is high.
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(transformed_layout(configuration))),
            "i_weights": In(stream.Signature(transformed_kernel_layout(configuration))),
            "o": Out(stream.Signature(sum_layout(configuration))),
            "weights_missing": Out(1),
            "queue_full": Out(1),
            "too_soon": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self._configuration
        elements, pc, pk = configuration.alpha**2, configuration.pc, configuration.pk
        bits = configuration.widths.accumulator_bits

        standing, standing_valid = self._weights(m)
        tile = self.i.payload
        taken = self.i.valid & self.i.ready

        # Room in the queue is set aside when a tile is taken for the last time, for nothing behind it can wait.
        set_aside = Signal(range(configuration.tiles + 1))
        leaves_queue = Signal()
        enters_queue = taken & tile.channel_last
        m.d.sync += set_aside.eq(set_aside + enters_queue - leaves_queue)
        # A tile comes back to its accumulators only after they have been written. Counted at the end of a pass, for its
        # tiles may come late: a pass of n tiles then has n - 1 cycles behind it, counted from its first.
        since_first = Signal(range(ACCUMULATE_CYCLES + 1), init=ACCUMULATE_CYCLES)
        with m.If(taken & tile.pass_last):
            m.d.sync += since_first.eq(Mux(tile.index < ACCUMULATE_CYCLES, tile.index + 1, ACCUMULATE_CYCLES))
        with m.Elif(since_first != ACCUMULATE_CYCLES):
            m.d.sync += since_first.eq(since_first + 1)

        has_room = ~tile.channel_last | (set_aside != configuration.tiles)
        is_late = ~tile.pass_first | (since_first == ACCUMULATE_CYCLES)
        m.d.comb += [
            self.i.ready.eq(standing_valid & has_room & is_late),
            self.queue_full.eq(self.i.valid & ~has_room),
            self.weights_missing.eq(self.i.valid & has_room & ~standing_valid),
            self.too_soon.eq(self.i.valid & has_room & standing_valid & ~is_late),
        ]
        pass_ends = taken & tile.pass_last
        m.d.comb += self._pass_ends.eq(pass_ends)

        # Products, sums over the channels, accumulation: three registers that never wait.
        place = [{name: Signal.like(getattr(tile, name), name=f"{name}_{step}") for name in (
            "index", "pass_last", "channel_first", "channel_last")} for step in range(3)]
        valid = [Signal(name=f"valid_{step}") for step in range(3)]
        for step in range(3):
            m.d.sync += valid[step].eq(valid[step - 1] if step else taken)
            for name, register in place[step].items():
                m.d.sync += register.eq(place[step - 1][name] if step else getattr(tile, name))
        finished = [[None] * elements for _ in range(pk)]
        for k in range(pk):
            for element in range(elements):
                products = [Signal(signed(configuration.widths.product_bits), name=f"product_{k}_{c}_{element}")
                            for c in range(pc)]
                for c in range(pc):
                    with m.If(taken):
                        m.d.sync += products[c].eq(tile.v[c][element] * standing[k * pc + c][element])
                over_channels = Signal(signed(bits), name=f"sum_{k}_{element}")
                with m.If(valid[0]):
                    m.d.sync += over_channels.eq(sum(products[1:], products[0]))
                m.submodules[f"accumulators_{k}_{element}"] = words = memory.Memory(
                    shape=signed(bits), depth=configuration.tiles, init=[])
                write, read = words.write_port(), words.read_port()
                result = Signal(signed(bits), name=f"result_{k}_{element}")
                m.d.comb += [
                    read.addr.eq(place[0]["index"]),
                    read.en.eq(valid[0]),
                    write.addr.eq(place[2]["index"]),
                    write.data.eq(result),
                    write.en.eq(valid[2] & ~place[2]["channel_last"]),
                ]
                with m.If(valid[1]):
                    m.d.sync += result.eq(over_channels + Mux(place[1]["channel_first"], 0, read.data))
                finished[k][element] = result
        m.d.comb += leaves_queue.eq(
            self._queue(m, finished, valid[2] & place[2]["channel_last"], place[2]["pass_last"]))
        return m

    def _weights(self, m: Module) -> tuple[list[list[Signal]], Signal]:
        """The standing weights and whether they are valid; the arriving ones replace them at the end of a pass."""
        configuration = self._configuration
        pairs, step = configuration.pc * configuration.pk, configuration.pairs_per_step
        bits, elements = configuration.widths.u_bits, configuration.alpha**2

        def registers(name: str) -> list[list[Signal]]:
            return [[Signal(signed(bits), name=f"{name}_{pair}_{n}") for n in range(elements)] for pair in range(pairs)]

        arriving, standing = registers("arriving"), registers("standing")
        arrived, standing_valid, self._pass_ends = Signal(), Signal(), Signal()
        group = Signal(range(max(2, pairs // step)))
        m.d.comb += self.i_weights.ready.eq(~arrived)
        with m.If(self.i_weights.valid & self.i_weights.ready):
            with m.Switch(group):
                for index in range(pairs // step):
                    with m.Case(index):
                        for pair in range(step):
                            m.d.sync += [arriving[index * step + pair][n].eq(self.i_weights.payload.u[pair][n])
                                         for n in range(elements)]
            m.d.sync += group.eq(Mux(self.i_weights.payload.last, 0, group + 1))
            with m.If(self.i_weights.payload.last):
                m.d.sync += arrived.eq(1)
        with m.If(self._pass_ends):
            m.d.sync += standing_valid.eq(0)
        with m.If(arrived & (self._pass_ends | ~standing_valid)):
            m.d.sync += [standing_valid.eq(1), arrived.eq(0)]
            for pair in range(pairs):
                m.d.sync += [standing[pair][n].eq(arriving[pair][n]) for n in range(elements)]
        return standing, standing_valid

    def _queue(self, m: Module, finished: list[list[Signal]], write_valid: Signal, write_last: Signal) -> Signal:
        """Queues finished tiles and offers them channel by channel; returns when a tile has left the queue."""
        configuration = self._configuration
        pk, depth, elements = configuration.pk, configuration.tiles, configuration.alpha**2
        write_index, read_index = Signal(range(depth)), Signal(range(depth))
        level = Signal(range(depth + 1))
        channel, offered = Signal(range(pk)), Signal(range(pk))
        moves = stage(m, level != 0, self.o.valid, self.o.ready)
        leaves = Signal()
        m.d.comb += leaves.eq(moves & (level != 0) & (channel == pk - 1))

        def following(index: Signal) -> Mux:
            return Mux(index == depth - 1, 0, index + 1)

        with m.If(write_valid):
            m.d.sync += write_index.eq(following(write_index))
        with m.If(leaves):
            m.d.sync += read_index.eq(following(read_index))
        m.d.sync += level.eq(level + write_valid - leaves)
        with m.If(moves & (level != 0)):
            m.d.sync += [channel.eq(Mux(channel == pk - 1, 0, channel + 1)), offered.eq(channel)]

        m.submodules.queue_last = last_words = memory.Memory(shape=1, depth=depth, init=[])
        last_write, last_read = last_words.write_port(), last_words.read_port()
        m.d.comb += [
            last_write.addr.eq(write_index), last_write.data.eq(write_last), last_write.en.eq(write_valid),
            last_read.addr.eq(read_index), last_read.en.eq(moves),
            self.o.payload.last.eq(last_read.data & (offered == pk - 1)),
            self.o.payload.channel.eq(offered),
        ]
        for k in range(pk):
            for element in range(elements):
                m.submodules[f"queue_{k}_{element}"] = words = memory.Memory(
                    shape=signed(configuration.widths.accumulator_bits), depth=depth, init=[])
                write, read = words.write_port(), words.read_port()
                m.d.comb += [
                    write.addr.eq(write_index), write.data.eq(finished[k][element]), write.en.eq(write_valid),
                    read.addr.eq(read_index), read.en.eq(moves & (channel == k)),
                ]
                with m.If(offered == k):
                    m.d.comb += self.o.payload.m[element].eq(read.data)
        return leaves

"""M = sum over channels of U . V, element by element in the Winograd domain."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import ACCUMULATE_CYCLES, WinogradConfiguration
from cortado.gateware.input_transform import transformed_layout
from cortado.gateware.pipeline import payload_register, stage
from cortado.gateware.weight_transform import transformed_kernel_layout


def sum_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """The sums of one tile and one output channel: `m[row * alpha + column]`; `last` ends a filter block.

    A pointwise tile comes in steps, each with all its channels.
    """
    return data.StructLayout({
        "m": data.ArrayLayout(signed(configuration.widths.accumulator_bits), configuration.alpha**2),
        "channel": range(configuration.pk),
        "step": range(configuration.point_steps),
        "pointwise": 1,
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

        # Room in the queue is set aside when a tile is taken for the last time, for nothing behind it can wait. Whether
        # there is room is known a cycle late, so a word is kept that only the tile of that cycle can take.
        set_aside = Signal(range(configuration.tiles + 1))
        has_room = Signal(init=1)
        leaves_queue, left_queue = Signal(), Signal()
        enters_queue = taken & tile.sum_last
        m.d.sync += [
            left_queue.eq(leaves_queue),
            set_aside.eq(set_aside + enters_queue - left_queue),
            has_room.eq(set_aside < configuration.tiles - 1),
        ]
        # A tile comes back to its accumulators only after they have been written. Counted at the end of a pass, for its
        # tiles may come late: a pass of n tiles then has n - 1 cycles behind it, counted from its first.
        since_first = Signal(range(ACCUMULATE_CYCLES + 1), init=ACCUMULATE_CYCLES)
        next_since_first = Signal.like(since_first)
        long_since = Signal(init=1)
        of_pass = Signal.like(since_first)
        of_pass_now = Signal.like(since_first)
        m.d.comb += [
            of_pass_now.eq(Mux(tile.pass_first, 1, Mux(of_pass == ACCUMULATE_CYCLES, of_pass, of_pass + 1))),
            next_since_first.eq(Mux(taken & tile.pass_last, of_pass_now,
                                    Mux(since_first == ACCUMULATE_CYCLES, since_first, since_first + 1))),
        ]
        m.d.sync += [since_first.eq(next_since_first), long_since.eq(next_since_first == ACCUMULATE_CYCLES)]
        with m.If(taken):
            m.d.sync += of_pass.eq(of_pass_now)

        may_queue = ~tile.sum_last | has_room
        is_late = ~tile.pass_first | long_since
        m.d.comb += [
            self.i.ready.eq(standing_valid & may_queue & is_late),
            self.queue_full.eq(self.i.valid & ~may_queue),
            self.weights_missing.eq(self.i.valid & may_queue & ~standing_valid),
            self.too_soon.eq(self.i.valid & may_queue & standing_valid & ~is_late),
        ]
        pass_ends = taken & tile.pass_last
        m.d.comb += self._pass_ends.eq(pass_ends)

        # The tile, products, sums over the channels, accumulation: registers that never wait. Products have two, for a
        # DSP is slow and far from what is behind it. What has been added up so far is read meanwhile, and has a
        # register of its own: a block RAM answers late in its cycle.
        steps = ("tile", "multiplied", "product", "sum", "result")
        place = [{name: Signal.like(getattr(tile, name), name=f"{name}_of_{step}", reset_less=True)
                  for name in ("index", "pass_last", "sum_first", "sum_last")} for step in steps]
        valid = [Signal(name=f"valid_{step}") for step in steps]
        for number in range(len(steps)):
            m.d.sync += valid[number].eq(valid[number - 1] if number else taken)
            for name, register in place[number].items():
                m.d.sync += register.eq(place[number - 1][name] if number else getattr(tile, name))
        values = Signal.like(tile.v, name="values", reset_less=True)
        m.d.sync += values.eq(tile.v)
        finished = [[None] * elements for _ in range(pk)]
        for k in range(pk):
            for element in range(elements):
                multiplied, products = (
                    [Signal(signed(configuration.widths.product_bits), name=f"{name}_{k}_{c}_{element}",
                            reset_less=True) for c in range(pc)] for name in ("multiplied", "product"))
                for c in range(pc):
                    m.d.sync += [multiplied[c].eq(values[c][element] * standing[k * pc + c][element]),
                                 products[c].eq(multiplied[c])]
                over_channels = Signal(signed(bits), name=f"sum_{k}_{element}", reset_less=True)
                m.d.sync += over_channels.eq(_sum(products))
                m.submodules[f"accumulators_{k}_{element}"] = words = memory.Memory(
                    shape=signed(bits), depth=configuration.tiles, init=[])
                write, read = words.write_port(), words.read_port()
                result = Signal(signed(bits), name=f"result_{k}_{element}", reset_less=True)
                before = Signal(signed(bits), name=f"before_{k}_{element}", reset_less=True)
                m.d.comb += [
                    read.addr.eq(place[1]["index"]),
                    read.en.eq(valid[1]),
                    write.addr.eq(place[4]["index"]),
                    write.data.eq(result),
                    write.en.eq(valid[4] & ~place[4]["sum_last"]),
                ]
                m.d.sync += [
                    before.eq(Mux(place[2]["sum_first"], 0, read.data)),
                    result.eq(over_channels + before),
                ]
                finished[k][element] = result
        # All tiles of a job are pointwise or none is.
        pointwise = Signal()
        with m.If(taken):
            m.d.sync += pointwise.eq(tile.pointwise)
        m.d.comb += leaves_queue.eq(
            self._queue(m, finished, valid[4] & place[4]["sum_last"], place[4]["pass_last"], pointwise))
        return m

    def _weights(self, m: Module) -> tuple[list[list[Signal]], Signal]:
        """The standing weights and whether they are valid; the arriving ones replace them at the end of a pass."""
        configuration = self._configuration
        pairs, step = configuration.pc * configuration.pk, configuration.pairs_per_step
        bits, elements = configuration.widths.u_bits, configuration.alpha**2

        def registers(name: str) -> list[list[Signal]]:
            return [[Signal(signed(bits), name=f"{name}_{pair}_{n}", reset_less=True) for n in range(elements)]
                    for pair in range(pairs)]

        arriving, standing = registers("arriving"), registers("standing")
        arrived, standing_valid, self._pass_ends = Signal(), Signal(), Signal()
        group = Signal(range(max(2, pairs // step)))
        m.d.comb += self.i_weights.ready.eq(~arrived)
        arrives, new = self.i_weights.valid & self.i_weights.ready, self.i_weights.payload
        point_step = configuration.points_per_step
        for pair in range(pairs):
            with m.If(arrives & (group == Mux(new.pointwise, pair // point_step, pair // step))):
                m.d.sync += [arriving[pair][n].eq(Mux(new.pointwise, new.points[pair % point_step],
                                                      new.u[pair % step][n])) for n in range(elements)]
        with m.If(arrives):
            m.d.sync += group.eq(Mux(new.last, 0, group + 1))
            with m.If(new.last):
                m.d.sync += arrived.eq(1)
        with m.If(self._pass_ends):
            m.d.sync += standing_valid.eq(0)
        # The last tile of a pass is multiplied in the cycle after it is taken; then the new weights stand.
        take_over = Signal()
        m.d.sync += take_over.eq(arrived & (self._pass_ends | ~standing_valid))
        with m.If(arrived & (self._pass_ends | ~standing_valid)):
            m.d.sync += [standing_valid.eq(1), arrived.eq(0)]
        with m.If(take_over):
            for pair in range(pairs):
                m.d.sync += [standing[pair][n].eq(arriving[pair][n]) for n in range(elements)]
        return standing, standing_valid

    def _queue(self, m: Module, finished: list[list[Signal]], write_valid: Signal, write_last: Signal,
               pointwise: Signal) -> Signal:
        """Queues finished tiles and offers them channel by channel; returns when a tile has left the queue."""
        configuration = self._configuration
        pk, depth, elements = configuration.pk, configuration.tiles, configuration.alpha**2
        write_index, read_index = Signal(range(depth)), Signal(range(depth))
        # The one that leaves is counted a cycle late, for that it does is known late.
        level = Signal(range(depth + 1))
        left = Signal()
        channel, offered = Signal(range(pk)), Signal(range(pk))
        # Read, then chosen among the output channels: a block RAM answers late in its cycle.
        # Both steps move at once: a wait is one signal, known early.
        read_valid = Signal()
        some = Signal()
        moves = chooses = stage(m, read_valid, self.o.valid, self.o.ready)
        with m.If(moves):
            m.d.sync += read_valid.eq(some)
        leaves = Signal()
        steps = configuration.point_steps
        step, offered_step = Signal(range(steps)), Signal(range(steps))
        last_step = Mux(pointwise, step == steps - 1, 1)
        m.d.comb += leaves.eq(moves & some & (channel == pk - 1) & last_step)

        def following(index: Signal) -> Mux:
            return Mux(index == depth - 1, 0, index + 1)

        with m.If(write_valid):
            m.d.sync += write_index.eq(following(write_index))
        with m.If(leaves):
            m.d.sync += read_index.eq(following(read_index))
        m.d.sync += [
            left.eq(leaves),
            level.eq(level + write_valid - left),
            some.eq((level > 2) | write_valid | ((level == 2) & ~(left & leaves)) | ((level == 1) & ~left & ~leaves)),
        ]
        with m.If(moves & some):
            m.d.sync += [channel.eq(Mux(channel == pk - 1, 0, channel + 1)), offered.eq(channel), offered_step.eq(step)]
            with m.If(channel == pk - 1):
                m.d.sync += step.eq(Mux(last_step, 0, step + 1))

        m.submodules.queue_last = last_words = memory.Memory(shape=1, depth=depth, init=[])
        last_write, last_read = last_words.write_port(), last_words.read_port()
        m.d.comb += [
            last_write.addr.eq(write_index), last_write.data.eq(write_last), last_write.en.eq(write_valid),
            last_read.addr.eq(read_index), last_read.en.eq(moves),
        ]
        payload = payload_register(m, self.o.payload)
        with m.If(chooses):
            m.d.sync += [
                payload.last.eq(
                    last_read.data & (offered == pk - 1) & (~pointwise | (offered_step == steps - 1))),
                payload.step.eq(offered_step),
                payload.pointwise.eq(pointwise),
                payload.channel.eq(offered),
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
                with m.If(chooses & (offered == k)):
                    m.d.sync += payload.m[element].eq(read.data)
        return leaves


def _sum(values: list[Value]) -> Value:
    """The sum of some values, as a tree."""
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return _sum(values[:half]) + _sum(values[half:])

"""The block buffer: rows of pixels in, overlapping tiles out, every block read once for each filter block."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.block_loader import write_layout
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.loop_count import LoopCount
from cortado.gateware.pipeline import StreamRegister, payload_register, stage


def reader_command_layout() -> data.StructLayout:
    """What the reader needs of a descriptor."""
    return data.StructLayout({
        **{name: unsigned(16) for name in (
            "tile_rows", "tile_columns", "channel_blocks", "filter_blocks", "buffer_base", "plane_words", "row_words")},
        **{name: unsigned(1) for name in ("pointwise", "continues", "unfinished")},
    })


def pass_layout(configuration: WinogradConfiguration) -> dict[str, object]:
    """Where a tile stands in its pass: one filter block, one channel block, all tiles of the block.

    `index` is its place in the accumulators; its sums begin with `sum_first` and are done with `sum_last`.
    """
    return {
        "index": range(configuration.tiles),
        "pass_first": 1,
        "pass_last": 1,
        "sum_first": 1,
        "sum_last": 1,
        "pointwise": 1,
    }


def tile_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """One tile of pc channels: `pixels[channel][row * alpha + column]`; pointwise, alpha * alpha pixels in a row."""
    return data.StructLayout({
        "pixels": data.ArrayLayout(
            data.ArrayLayout(signed(configuration.data_bits), configuration.alpha**2), configuration.pc),
        **pass_layout(configuration),
    })


class TileBuffer(wiring.Component):
    """Holds up to two blocks and streams their tiles: for each filter block, for each channel block, every tile.

    A word is m x m pixels of pc channels. Words lie in four memories by the parity of their row and column, so the
    four words under one (m + 2) x (m + 2) tile come out in one cycle, wherever the tile is. A pointwise tile has a
    word of as many of the memories as it takes. Latency four cycles, one tile a cycle. A channel block is read as
    soon as it is complete, while the next ones arrive.

    Members
    -------
    i : In(stream of write_layout(...))
    command : In(stream of reader_command_layout())
    o : Out(stream of tile_layout(...))
    begin : In(1)
        The loader begins a block.
    open_blocks : Out(2)
        Blocks begun and not yet read for good.
    reading : Out(1)
        A block is being read (or waited for).
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(write_layout(configuration))),
            "command": In(stream.Signature(reader_command_layout())),
            "o": Out(stream.Signature(tile_layout(configuration))),
            "begin": In(1),
            "open_blocks": Out(2),
            "reading": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration, command = self._configuration, self.command.payload
        edge, alpha, pc = configuration.m, configuration.alpha, configuration.pc
        pixel_bits = 8 * configuration.input_pixel_bytes

        # Channel blocks complete, for each of the two blocks that can be open; they alternate.
        complete = [Signal(16, name=f"complete_{block}") for block in range(2)]
        write_block = Signal()
        # The block whose tiles are asked for, and the first whose words have not all been read.
        read_block = Signal()
        oldest_block = Signal()
        plane_written = self.i.valid & self.i.payload.plane_last
        loading = Signal(init=1)  # which block the loader writes: flips at each begin, so the first block is 0
        m.d.comb += [self.i.ready.eq(1), write_block.eq(loading)]
        with m.If(self.begin):
            m.d.sync += loading.eq(~loading)
        released = Signal()
        m.d.sync += self.open_blocks.eq(self.open_blocks + self.begin - released)
        for block in range(2):
            with m.If(released & (oldest_block == block)):
                m.d.sync += complete[block].eq(0)
            with m.Elif(plane_written & (write_block == block)):
                m.d.sync += complete[block].eq(complete[block] + 1)

        # Stage 1: the address of the next tile.
        active = Signal()
        channel = Signal(16)
        odd_tile_row, odd_tile_column = Signal(), Signal()
        # The words of the tile's columns in their rows: those of even columns serve tiles t - 1 and t, those of odd
        # ones t and t + 1 for t even; of a pointwise tile the words are all at its own place.
        column_word = [Signal(16, name=f"column_word_{parity}") for parity in range(2)]
        index, index_base, pass_first = Signal(range(configuration.tiles)), Signal(range(configuration.tiles)), Signal()
        plane_base = Signal(16)
        row_base = [Signal(16, name=f"row_base_{parity}") for parity in range(2)]
        # Whether the channel block to read is complete, and the one behind it, in registers: a little late, which is
        # safe because planes only become more while a block is open. Behind its first filter block all are there.
        first_channel = Signal(init=1)
        following = Signal(16, init=1)
        present = Signal()
        next_present = Signal()
        all_present = Signal()
        planes = Mux(read_block, complete[1], complete[0])
        m.d.sync += [present.eq((planes > channel) | all_present), next_present.eq((planes > following) | all_present)]
        columns, rows, channels, filters = counts = [LoopCount(name, getattr(command, name)) for name in (
            "tile_columns", "tile_rows", "channel_blocks", "filter_blocks")]
        row_end, last_channel = columns.is_last, channels.is_last
        pass_end = row_end & rows.is_last
        block_end = pass_end & last_channel & filters.is_last

        # Between the counters and the memories, so that a wait of all that is behind them is far from the counters.
        place_layout = data.StructLayout(pass_layout(configuration))
        m.submodules.places = places = StreamRegister(data.StructLayout({
            "addresses": data.ArrayLayout(data.ArrayLayout(range(configuration.buffer_words), 2), 2),
            "odd": 2,
            "place": place_layout,
            "block_last": 1,
        }))
        issue = Signal()
        ended = Signal()
        # Blocks whose tiles have all been asked for and not all been read. The next one may begin behind one of them,
        # for it is the other of the two.
        unread = Signal(2)
        m.d.comb += [
            places.i.valid.eq(active & present),
            issue.eq(places.i.valid & places.i.ready),
            self.reading.eq(active),
            self.command.ready.eq(ended),
        ]
        # In the cycle after its last tile: what follows from the end of a block goes far.
        m.d.sync += [ended.eq(issue & block_end), unread.eq(unread + ended - released)]

        with m.If(~active):
            m.d.sync += [
                # The command that ends is still offered in the cycle behind its last tile.
                active.eq(self.command.valid & ~ended & (unread < 2)),
                *(statement for count in counts for statement in count.begins()),
                channel.eq(0), following.eq(1), first_channel.eq(1),
                odd_tile_row.eq(0), odd_tile_column.eq(0), column_word[0].eq(0), column_word[1].eq(0),
                index.eq(0), index_base.eq(0), pass_first.eq(1),
                plane_base.eq(command.buffer_base),
                row_base[0].eq(command.buffer_base),
                row_base[1].eq(command.buffer_base),
            ]
        with m.Elif(issue):
            m.d.sync += [
                odd_tile_column.eq(~odd_tile_column), index.eq(index + 1), pass_first.eq(0),
                column_word[0].eq(column_word[1] + 1),
                column_word[1].eq(Mux(command.pointwise, column_word[1] + 1, column_word[0])),
            ]
            columns.advance(m)
            with m.If(row_end):
                # Words of even rows serve tiles t - 1 and t, words of odd rows tiles t and t + 1 for t even.
                m.d.sync += [odd_tile_column.eq(0), column_word[0].eq(0), column_word[1].eq(0),
                             odd_tile_row.eq(~odd_tile_row)]
                rows.advance(m)
                with m.If(odd_tile_row):
                    m.d.sync += row_base[1].eq(row_base[1] + command.row_words)
                with m.Else():
                    m.d.sync += row_base[0].eq(row_base[0] + command.row_words)
            with m.If(pass_end):
                next_plane = Mux(last_channel, command.buffer_base, plane_base + command.plane_words)
                # Sums of several channel passes wait in the accumulators, each filter block's behind the one before.
                waits = command.continues | command.unfinished
                next_base = Mux(last_channel & waits, (index + 1)[:len(index)], index_base)
                m.d.sync += [
                    odd_tile_row.eq(0), index.eq(next_base), index_base.eq(next_base), pass_first.eq(1),
                    plane_base.eq(next_plane), row_base[0].eq(next_plane), row_base[1].eq(next_plane),
                    channel.eq(Mux(last_channel, 0, following)), following.eq(Mux(last_channel, 1, following + 1)),
                    first_channel.eq(last_channel),
                    present.eq(next_present | last_channel), next_present.eq(all_present | last_channel),
                    all_present.eq(all_present | last_channel),
                ]
                channels.advance(m)
                with m.If(last_channel):
                    filters.advance(m)
            with m.If(block_end):
                m.d.sync += active.eq(0)
        with m.If(ended):
            # By the time the next block is active, whether its first channel block is complete is known.
            m.d.sync += [read_block.eq(~read_block), present.eq(0), next_present.eq(0), all_present.eq(0)]
        with m.If(released):
            m.d.sync += oldest_block.eq(~oldest_block)

        asked = places.i.payload
        m.d.comb += [
            *(asked.addresses[row][column].eq(row_base[row] + column_word[column])
              for row in range(2) for column in range(2)),
            asked.odd.eq(Cat(odd_tile_row, odd_tile_column)),
            asked.block_last.eq(block_end),
            asked.place.index.eq(index),
            asked.place.pass_first.eq(pass_first),
            asked.place.pass_last.eq(pass_end),
            asked.place.sum_first.eq(first_channel & ~command.continues),
            asked.place.sum_last.eq(last_channel & ~command.unfinished),
            asked.place.pointwise.eq(command.pointwise),
        ]

        # Stage 2: the words. Stage 3: the words in registers, for memory answers late in its cycle. Stage 4: the tile,
        # its words picked by the parity of the tile. All steps move at once: a wait is one signal, known early.
        read_valid = Signal()
        held_valid = Signal()
        read_moves = Signal()
        m.d.comb += [read_moves.eq(stage(m, held_valid, self.o.valid, self.o.ready)), places.o.ready.eq(read_moves)]
        # Once the last words of a block have been read it may be written again.
        m.d.sync += released.eq(places.o.valid & read_moves & places.o.payload.block_last)
        read_place, place = (Signal(place_layout, name=name, reset_less=True) for name in ("read_place", "place"))
        read_odd, odd_row, odd_column = (Signal(bits, name=name, reset_less=True) for name, bits in (
            ("read_odd", 2), ("odd_row", 1), ("odd_column", 1)))
        payload = payload_register(m, self.o.payload)
        with m.If(read_moves):
            m.d.sync += [
                held_valid.eq(read_valid), place.eq(read_place), Cat(odd_row, odd_column).eq(read_odd),
                read_valid.eq(places.o.valid), read_place.eq(places.o.payload.place),
                read_odd.eq(places.o.payload.odd),
            ]

        words = {}
        for row_parity in range(2):
            for column_parity in range(2):
                for lane in range(edge):
                    name = f"pixels_{row_parity}{column_parity}_{lane}"
                    m.submodules[name] = pixels = memory.Memory(
                        shape=unsigned(edge * pixel_bits), depth=configuration.buffer_words, init=[])
                    write, read = pixels.write_port(), pixels.read_port()
                    m.d.comb += [
                        write.addr.eq(self.i.payload.address),
                        write.data.eq(self.i.payload.pixels),
                        write.en.eq(self.i.valid & (self.i.payload.lane == lane)
                                    & (self.i.payload.odd_row == row_parity)
                                    & (self.i.payload.odd_column == column_parity)),
                        read.addr.eq(places.o.payload.addresses[row_parity][column_parity]),
                        read.en.eq(read_moves),
                    ]
                    words[row_parity, column_parity, lane] = word = Signal(
                        edge * pixel_bits, name=f"word_{row_parity}{column_parity}_{lane}", reset_less=True)
                    with m.If(read_moves):
                        m.d.sync += word.eq(read.data)

        with m.If(read_moves):
            for name in pass_layout(configuration):
                m.d.sync += getattr(payload, name).eq(getattr(place, name))
            for row in range(alpha):
                lane, below = row % edge, row // edge
                for column in range(alpha):
                    pixel, right = column % edge, column // edge
                    picked = [[words[r ^ below, c ^ right, lane].word_select(pixel, pixel_bits) for c in range(2)]
                              for r in range(2)]
                    value = Mux(odd_row, Mux(odd_column, picked[1][1], picked[1][0]),
                                Mux(odd_column, picked[0][1], picked[0][0]))
                    number = row * alpha + column
                    if number < configuration.point_pixels:
                        bank, place_in_bank = divmod(number, edge)
                        memory_number, bank_lane = divmod(bank, edge)
                        point = words[memory_number >> 1, memory_number & 1, bank_lane].word_select(
                            place_in_bank, pixel_bits)
                        value = Mux(place.pointwise, point, value)
                    for channel_lane in range(pc):
                        m.d.sync += payload.pixels[channel_lane][row * alpha + column].eq(
                            value.word_select(channel_lane, configuration.data_bits))
        return m

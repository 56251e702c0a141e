"""Concats that cost nothing: their bottoms are written side by side where the top lies."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cortado.engines.engine import Engine
from cortado.gateware.map_window import MapWindow
from cortado.gateware.mapping import COPY_BYTES_PER_CYCLE, Staying
from cortado.gateware.memory_layout import MapLayout
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec

CHANNEL_AXIS = 1


@dataclass(frozen=True, kw_only=True)
class Join:
    """A Concat by address: which layer writes which channels of its top."""

    concat: str
    first_blocks: Mapping[str, int]
    """By the layer that writes there: its first block of channels."""
    channels: int
    """Of the top."""

    def whole(self, own: MapLayout) -> MapLayout:
        """How the top lies where one of its parts by itself would lie as `own`."""
        return MapLayout(batch=own.batch, channels=self.channels, height=own.height, width=own.width, lanes=own.lanes,
                         beat_bytes=own.beat_bytes, data_bits=own.data_bits)

    def window(self, layer: str, own: MapLayout) -> MapWindow:
        """Where the results of a layer lie that by themselves would lie as `own`."""
        return MapWindow(whole=self.whole(own), first_block=self.first_blocks[layer], channels=own.channels)


class StayingMaps:
    """Which maps can stay on a device with one engine, and which Concats it joins by address.

    `on_fpga` names the layers it takes, `kept` those that must run on the host; `shapes` are those of all blobs.
    """

    def __init__(self, net: NetSpec, shapes: Mapping[str, TensorShape], engine: Engine, on_fpga: Collection[str],
                 kept: Collection[str]) -> None:
        self._net, self._shapes, self._engine, self._on_fpga = net, shapes, engine, on_fpga
        self._makers = {top: layer for layer in net.layers for top in layer.tops}
        self._readers = {top: [layer for layer in net.layers if top in layer.bottoms] for top in self._makers}
        self.joins: dict[str, Join] = {}
        self.refusals: dict[str, str] = {}
        """Why a Concat between layers of the engine stays on the host, by its name."""
        for layer in net.layers:
            if layer.type == "Concat" and layer.name not in kept and self._reaches(layer):
                found = self._join(layer)
                if isinstance(found, Join):
                    self.joins[layer.name] = found
                else:
                    self.refusals[layer.name] = found

    def of(self, layer: LayerSpec) -> Staying:
        """Which maps of a layer on the engine can stay."""
        return self._staying(layer, joined=any(layer.name in join.first_blocks for join in self.joins.values()))

    def _reaches(self, concat: LayerSpec) -> bool:
        """Whether a Concat stands between layers of the engine."""
        return (any(self._makers[bottom].name in self._on_fpga for bottom in concat.bottoms)
                and any(reader.name in self._on_fpga for reader in self._readers[concat.tops[0]]))

    def _join(self, concat: LayerSpec) -> Join | str:
        """The Concat by address, or why it cannot be."""
        top = self._shapes[concat.tops[0]]
        axis = concat.parameters.along
        if top.rank != 4 or axis % top.rank != CHANNEL_AXIS:
            return f"it joins along axis {axis}; maps lie side by side along the channels alone"
        lanes, first_blocks, channels = self._engine.configuration.pk, {}, 0
        joined = {name for join in self.joins.values() for name in join.first_blocks}
        for bottom in concat.bottoms:
            maker = self._makers[bottom]
            if maker.name not in self._on_fpga or self._engine.mapping(maker, self._bottoms(maker)) is None:
                return f"'{bottom}' is not written by a convolution on the FPGA"
            if maker.name in joined or maker.name in first_blocks:
                return f"'{bottom}' lies in another place of a Concat already"
            if channels % lanes:
                return f"'{bottom}' would begin at channel {channels}, which is no multiple of pk = {lanes}"
            first_blocks[maker.name] = channels // lanes
            channels += self._shapes[bottom].dims[CHANNEL_AXIS]
        more, spared = 0, 0
        for name in first_blocks:
            maker = self._net.layer(name)
            free, bound = (self._engine.mapping(maker, self._bottoms(maker), self._staying(maker, joined=joined))
                           for joined in (False, True))
            more += bound.cycles - free.cycles
            # Without the join its results go home and come back.
            spared += 2 * bound.target.size_bytes
        if more > spared / COPY_BYTES_PER_CYCLE:
            return (f"maps that it could join by address would take {more:,} cycles more, and spare copies of "
                    f"{spared:,} bytes")
        return Join(concat=concat.name, first_blocks=first_blocks, channels=channels)

    def _staying(self, layer: LayerSpec, *, joined: bool) -> Staying:
        maker = self._makers[layer.bottoms[0]].name
        return Staying(
            source=maker in self._on_fpga or maker in self.joins,
            target=joined or any(reader.name in self._on_fpga for reader in self._readers[layer.tops[0]]),
            joined=joined)

    def _bottoms(self, layer: LayerSpec) -> tuple[TensorShape, ...]:
        return tuple(self._shapes[bottom] for bottom in layer.bottoms)

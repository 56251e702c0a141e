"""A part of a batch on its way through the network."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from cortado.device.buffer import Buffer
from cortado.executor.device_memory import DeviceMemory
from cortado.executor.run import LayerRun
from cortado.executor.synced_blob import SyncedBlob
from cortado.executor.traffic import Ledger
from cortado.gateware.memory_layout import MapLayout
from cortado.graph.spec import NetSpec


@dataclass(frozen=True, kw_only=True)
class JoinedTop:
    """Where the top of a Concat by address lies, and how."""

    buffer: Buffer
    layout: MapLayout


class Part:
    """Some pictures of a batch: their blobs as long as a layer reads them, and what each layer took.

    Blobs of `keep` come home at the end, as `values`. One thread at a time uses a part.
    """

    def __init__(self, number: int, net: NetSpec, memory: DeviceMemory, keep: Collection[str]) -> None:
        self.number = number
        self.ledger = Ledger()
        self.blobs: dict[str, SyncedBlob] = {}
        self.joined: dict[str, JoinedTop] = {}
        """Tops of Concats by address, by layer, from the first bottom that is written on until all are."""
        self.layers: dict[str, LayerRun] = {}
        self.values: dict[str, np.ndarray] = {}
        self._memory, self._keep = memory, frozenset(keep)
        self._made_by = {top: layer.name for layer in net.layers for top in layer.tops}
        self._readers = {top: {layer.name for layer in net.layers if top in layer.bottoms} for top in self._made_by}

    def done(self, run: LayerRun) -> None:
        """A layer has run: blobs that nobody else waits for leave the device, and what was copied is its traffic."""
        name = run.placement.layer
        for blob, readers in self._readers.items():
            if name in readers:
                readers.discard(name)
                if not readers and blob not in self._keep:
                    self.blobs.pop(blob).release()
        self.layers[name] = replace(run, traffic=run.traffic + self.ledger.take())

    def leave_device(self) -> None:
        """Bring home what only the device has, and give its memory back; the traffic is that of who made it."""
        for name, blob in self.blobs.items():
            blob.leave_device()
            self._charge(name)
        self._leave_joins()

    def finish(self) -> None:
        """Bring the blobs to keep home, and give the rest back."""
        self.values = {}
        for name in self._made_by:
            if name in self._keep:
                self.values[name] = self.blobs[name].values()
                self._charge(name)
        self.release()

    def release(self) -> None:
        """Give all memory of the device back."""
        while self.blobs:
            name, blob = self.blobs.popitem()
            blob.release()
            self._charge(name)
        self._leave_joins()

    def _leave_joins(self) -> None:
        while self.joined:
            self._memory.free(self.joined.popitem()[1].buffer)

    def _charge(self, blob: str) -> None:
        layer = self._made_by[blob]
        if layer in self.layers:
            run = self.layers[layer]
            self.layers[layer] = replace(run, traffic=run.traffic + self.ledger.take())

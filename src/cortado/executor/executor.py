"""Running a plan: host layers in torch, FPGA layers on a device."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

from cortado.device.buffer import Buffer
from cortado.device.device import Device
from cortado.engines.job import Job
from cortado.errors import DeviceError, GraphError
from cortado.executor.device_memory import DeviceMemory
from cortado.executor.fpga_layer import AnyJob, FpgaLayer
from cortado.executor.part import JoinedTop, Part
from cortado.executor.run import LayerRun, Run
from cortado.executor.synced_blob import Head, SyncedBlob
from cortado.executor.trace import DEVICE, HOST, Trace
from cortado.executor.traffic import NO_TRAFFIC
from cortado.graph.spec import LayerSpec
from cortado.layers.element_type import array_of
from cortado.layers.layer import is_input
from cortado.net.net import Net
from cortado.planner.plan import Placement, Plan, Target
from cortado.planner.schedule import Segment, schedule
from cortado.simulation.counters import Counters


class Executor:
    """Runs a plan on one device. `net` is the plan's network with its weights; host layers are its modules.

    Maps stay on the device from one FPGA layer to the next, weights from one run to the next. `started` is told each
    layer before it runs; `trace` gets everything with its time. A context manager: at the end weights leave the device.
    """

    def __init__(self, plan: Plan, net: Net, device: Device, *, started: Callable[[Placement], None] | None = None,
                 trace: Trace | None = None) -> None:
        self.plan = plan
        self._net = net
        self._device = device
        self._started = started
        self._trace = trace or Trace()
        self._memory = DeviceMemory(device)
        self._layers = {name: FpgaLayer(plan, name) for name in plan.cut.fpga_layers}
        # By layer and shape of its operands.
        self._jobs: dict[tuple[str, tuple[int, ...]], AnyJob] = {}
        self._job_lock = threading.Lock()
        # One host layer at a time: each takes all the processors torch gives it.
        self._host = threading.Lock()

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error the device may not answer; it is closed next, and with it its memory goes.
        if kind is None:
            self._memory.close()

    def run(self, inputs: Mapping[str, np.ndarray], *, compare: int = 0, at_once: int | None = None,
            in_flight: int = 1, keep: Collection[str] = ()) -> Run:
        """Run a batch of float32 `inputs` by blob; of its values those of inputs, outputs and `keep` come home.

        `compare` is how often an FPGA layer is held against golden, to the bit: 1 every one, N the first and every Nth
        behind it, 0 none. The batch is run in parts of `at_once` pictures (None: all), of which `in_flight` are under
        way at a time: while the device runs a layer of one, the host runs those of another. Results are the same, in
        the order of the pictures. Raises `GraphError` for parts of a network with one value for all pictures among
        those that come home, as a loss is, and what the device raises.
        """
        begin = time.perf_counter()
        if not self.plan.cut.fpga_layers and self._device.options.wave is not None:
            raise DeviceError(f"device '{self._device.name}': no layer runs on it, so there is no wave to write (see "
                              "cortado inspect)")
        values = {name: np.asarray(value, np.float32) for name, value in inputs.items()}
        batch = len(next(iter(values.values())))
        size = at_once or batch
        kept = {*values, *self._net.outputs, *keep}
        if size < batch:
            self._require_rows(kept)
        parts = []
        for first in range(0, batch, size):
            parts.append(Part(len(parts), self.plan.cut.net, self._memory, kept))
            for name, value in values.items():
                self._add(parts[-1], name, value[first:first + size])
        compared = set(self.plan.cut.fpga_layers[::compare] if compare else ())
        programmings = self._device.programmings
        try:
            for segment in schedule(self.plan.cut):
                self._program(segment, parts)
                self._run_segment(segment, parts, compared, min(in_flight, len(parts)))
            for part in parts:
                part.finish()
        finally:
            for part in parts:
                part.release()
        memory_model = self._device.memory_model if self.plan.cut.fpga_layers else None
        return Run(plan=self.plan, device=self._device.name, memory_model=str(memory_model) if memory_model else None,
                   batch=batch, parts=len(parts), in_flight=min(in_flight, len(parts)),
                   programmings=self._device.programmings - programmings,
                   layers=tuple(LayerRun.joined([part.layers[place.layer] for part in parts])
                                for place in self.plan.cut.placements),
                   values={name: np.concatenate(values) if len(parts) > 1 else values[0] for name, values in
                           ((name, [part.values[name] for part in parts]) for name in parts[0].values)},
                   seconds=time.perf_counter() - begin)

    def job(self, layer: str, dims: tuple[int, ...]) -> AnyJob:
        """The job of an FPGA layer on operands of shape (N, C, H, W); made once."""
        with self._job_lock:
            key = layer, tuple(dims)
            if key not in self._jobs:
                self._jobs[key] = self._layers[layer].joined_job(dims)
            return self._jobs[key]

    def _require_rows(self, kept: Collection[str]) -> None:
        """Raise `GraphError` unless each of these blobs has a row for each picture."""
        batch = self._net.shapes[self._net.inputs[0]].dims[0]
        for name in sorted(kept):
            dims = self._net.shapes[name].dims
            if not dims or dims[0] != batch:
                shape = "x".join(map(str, dims)) or "of a scalar"
                raise GraphError(f"blob '{name}': it must have a row for each picture to be put together from parts, "
                                 f"not shape {shape}; run all pictures at once")

    def _add(self, part: Part, name: str, values: np.ndarray) -> None:
        """Put a blob the host has made among those of a part."""
        part.blobs[name] = self._blob(part, name, values.shape, values)

    def _blob(self, part: Part, name: str, dims: tuple[int, ...], values: np.ndarray | None = None) -> SyncedBlob:
        return SyncedBlob(dims, self._memory, part.ledger, number_format=self.plan.cut.activations,
                          scale=self.plan.scales.get(name), values=values)

    def _program(self, segment: Segment, parts: list[Part]) -> None:
        """Make the device the segment's engine; what only the device has comes home before it is lost."""
        if segment.engine is None:
            return
        design = segment.engine.design()
        if self._device.configuration_hash not in (None, design.configuration_hash):
            for part in parts:
                part.leave_device()
        with self._trace.span(DEVICE, f"program {design.configuration}"):
            self._device.program(design)

    def _run_segment(self, segment: Segment, parts: list[Part], compared: set[str], in_flight: int) -> None:
        """Every layer of a segment on every part, `in_flight` of them side by side."""
        def run(part: Part) -> None:
            with torch.no_grad():
                for placement in segment.placements:
                    if stop.is_set():
                        return
                    if self._started is not None:
                        self._started(placement)
                    part.done(self._run_layer(placement, part, placement.layer in compared))

        stop = threading.Event()
        if in_flight == 1:
            for part in parts:
                run(part)
            return
        with ThreadPoolExecutor(max_workers=in_flight, thread_name_prefix="part") as pool:
            futures = [pool.submit(run, part) for part in parts]
            try:
                ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                # Of the parts that have not begun none begins; those under way end with their layer.
                stop.set()
                if not all(future.cancel() or future.done() for future in futures):
                    self._device.abort()
        for future in futures:
            if future in ended:
                future.result()

    def _run_layer(self, placement: Placement, part: Part, compare: bool) -> LayerRun:
        begin = time.perf_counter()
        if placement.target is Target.FPGA:
            return self._run_on_device(placement, part, compare)
        layer = self.plan.cut.net.layer(placement.layer)
        if not is_input(layer) and not (placement.target is Target.MEMORY and self._join(layer, part)):
            bottoms = [self._home(part, name) for name in layer.bottoms]
            with self._host, self._trace.span(HOST, layer.name, part=part.number):
                tops = self._net.stage(layer.name)(*map(torch.from_numpy, bottoms))
            for name, top in zip(layer.tops, tops, strict=True):
                self._add(part, name, array_of(top))
        return LayerRun(placement=placement, seconds=time.perf_counter() - begin)

    def _join(self, layer: LayerSpec, part: Part) -> bool:
        """Make the top of a Concat by address what its parts have become; False where they are no longer there.

        They are not where the device has been programmed in between.
        """
        top = part.joined.pop(layer.name, None)
        if top is None:
            return False
        if not all(part.blobs[bottom].lies_in(top.buffer) for bottom in layer.bottoms):
            self._memory.free(top.buffer)
            return False
        blob = self._blob(part, layer.tops[0], (top.layout.batch, top.layout.channels, top.layout.height,
                                                top.layout.width))
        blob.join(top.layout, top.buffer)
        part.blobs[layer.tops[0]] = blob
        return True

    def _run_on_device(self, placement: Placement, part: Part, compare: bool) -> LayerRun:
        begin = time.perf_counter()
        layer = self._layers[placement.layer]
        bottoms = [part.blobs[name] for name in layer.spec.bottoms]
        dims = layer.operand_dims(bottoms[0].dims)
        job = self.job(layer.name, dims)
        with ExitStack() as stack:
            with self._trace.span(f"copies of part {part.number}", f"{layer.name}: operands"):
                operands = [bottom.on_device(job.source, dims) for bottom in bottoms]
                weights, traffic = ((operands[1], NO_TRAFFIC) if len(operands) > 1 else
                                    stack.enter_context(self._memory.weights(job, packed_weights(job))))
            target = self._target(job, part)
            top = self._blob(part, layer.spec.tops[0], layer.top_dims([bottom.dims for bottom in bottoms]))
            top.place(job.target, target)
            part.blobs[layer.spec.tops[0]] = top
            ticket = self._device.enqueue(job, source=operands[0], weights=weights, target=target)
            counters = self._device.wait(ticket)
        self._trace.job(ticket.record, part.number, counters)
        equal = None
        if compare:
            golden = job.golden(*(bottom.numbers(for_check=True).reshape(dims) for bottom in bottoms))
            equal = bool(np.array_equal(top.numbers(for_check=True), golden.reshape(top.dims)))
        return LayerRun(placement=placement, seconds=time.perf_counter() - begin, counters=counters,
                        estimated_cycles=job.estimate.cycles, device_seconds=ticket.record.seconds,
                        equal_to_golden=equal, traffic=traffic)

    def _target(self, job: AnyJob, part: Part) -> Buffer:
        """A buffer for the results of a job: one of its own, or that of the Concat which takes them."""
        join = self.plan.cut.join_of(job.layer)
        if join is None:
            return self._memory.allocate(job.target_bytes)
        if join.concat not in part.joined:
            part.joined[join.concat] = JoinedTop(layout=job.target.whole,
                                                 buffer=self._memory.allocate(job.target_bytes))
        return self._memory.share(part.joined[join.concat].buffer)

    def _home(self, part: Part, name: str) -> np.ndarray:
        """The float values of a blob."""
        blob = part.blobs[name]
        if blob.head is not Head.DEVICE:
            return blob.values()
        with self._trace.span(f"copies of part {part.number}", f"{name}: home"):
            return blob.values()


def packed_weights(job: AnyJob) -> np.ndarray:
    """What a job of one operand reads beside it, uint8: its weights, or nothing."""
    return job.weights if isinstance(job, Job) else np.zeros(0, np.uint8)


def run_job(device: Device, job: AnyJob, *operands: np.ndarray) -> tuple[np.ndarray, Counters | None]:
    """Move the operands of a job, whole numbers (N, C, H, W), to the device, run, bring the result back."""
    source = job.source.pack(operands[0])
    second = job.source.pack(operands[1]) if len(operands) > 1 else packed_weights(job)
    with _buffers(device, job.source_bytes, job.weights_bytes, job.target_bytes) as (inputs, weights, outputs):
        device.write(inputs, source)
        device.write(weights, second)
        counters = device.run(job, source=inputs, weights=weights, target=outputs)
        return job.target.unpack(device.read(outputs)), counters


@contextmanager
def _buffers(device: Device, *sizes: int) -> Iterator[list]:
    """Buffers for the time of the block."""
    taken = []
    try:
        for size in sizes:
            taken.append(device.allocate(size))
        yield taken
    finally:
        for buffer in taken:
            device.free(buffer)

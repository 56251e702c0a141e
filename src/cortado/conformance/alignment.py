"""DMA at every alignment: operands and results at every beat of a page, across pages too."""

from __future__ import annotations

import numpy as np

from cortado.conformance.bench import STALE, ConformanceBench
from cortado.conformance.check import conformance_check
from cortado.conformance.registers import transport_of
from cortado.conformance.wrapped_job import ShiftedJob
from cortado.device.buffer import ALIGNMENT
from cortado.errors import MismatchError
from cortado.graph.shape import TensorShape


@conformance_check("alignment", "DMA at every beat of a page")
def check_alignment(bench: ConformanceBench) -> str:
    """A small job with each of its parts at every beat of a page once; no byte around the result changes."""
    transport_of(bench)
    beat = bench.engine.configuration.beat_bytes
    beats = ALIGNMENT // beat
    job = bench.engine.job("alignment", bench.convolution(3, 5), TensorShape((1, 3, 9, 7)))
    source, weights = job.source.pack(bench.maps((1, 3, 9, 7))).reshape(-1).view(np.uint8), job.weights
    expected = np.zeros(job.target_bytes, np.uint8)
    job.write_result(source, weights, expected)
    with bench.buffers(*(ALIGNMENT + size for size in (source.size, weights.size, 2 * ALIGNMENT + expected.size))
                       ) as (first, second, target):
        for step in range(beats):
            # Odd factors: each part comes to every beat, and each time in another company.
            shifts = [step * factor % beats * beat for factor in (1, 3, 5)]
            shifted = ShiftedJob(job=job, source_shift=shifts[0], weights_shift=shifts[1], target_shift=shifts[2])
            for buffer, data, shift in ((first, source, shifts[0]), (second, weights, shifts[1])):
                bench.device.write(buffer, np.concatenate([np.full(shift, STALE, np.uint8), data]))
            bench.device.write(target, np.full(target.size, STALE, np.uint8))
            bench.device.run(shifted, source=first, weights=second, target=target)
            found = bench.device.read(target)
            bench.require_equal(job, shifted.layer, found[shifts[2]:][:expected.size], expected)
            found[shifts[2]:][:expected.size] = STALE
            changed = np.flatnonzero(found != STALE)
            if changed.size:
                raise MismatchError(f"{shifted.layer}: {changed.size} bytes beside the result have changed, the first "
                                    f"at {target.address + int(changed[0]):#x}")
    return f"{beats} places of {beat} bytes for each of maps, weights and results"

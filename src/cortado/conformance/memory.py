"""Memory, as the host sees it."""

from __future__ import annotations

import numpy as np

from cortado.conformance.bench import ConformanceBench
from cortado.conformance.check import conformance_check
from cortado.device.buffer import ALIGNMENT
from cortado.errors import DeviceError, MismatchError

# Of the memory, as much as a march through it takes seconds.
LARGEST_MARCH = 32 * 2**20
LARGEST_ODD = 70


@conformance_check("memory-march", "every bit of the memory, up and down, and every address")
def check_march(bench: ConformanceBench) -> str:
    """March C-: each word is read before it is written, with zeros and ones, upwards and downwards; then addresses.

    Source: van de Goor, "Using March Tests to Test SRAMs", 1993.
    """
    with bench.buffers(*[ALIGNMENT * 16] * _blocks(bench)) as blocks:
        words = ALIGNMENT * 16 // 4
        zeros, ones = np.zeros(words, np.uint32), np.full(words, 2**32 - 1, np.uint32)
        for block in blocks:
            bench.device.write(block, zeros)
        for order, old, new in ((blocks, zeros, ones), (blocks, ones, zeros), (blocks[::-1], zeros, ones),
                                (blocks[::-1], ones, zeros)):
            for block in order:
                _require(bench, block, old)
                bench.device.write(block, new)
        numbers = [np.arange(words, dtype=np.uint32) + index * words for index in range(len(blocks))]
        for block, values in zip(blocks, numbers, strict=True):
            _require(bench, block, zeros)
            bench.device.write(block, values)
        for block, values in zip(blocks, numbers, strict=True):
            _require(bench, block, values)
    return f"{len(blocks) * ALIGNMENT * 16 // 2**10} KiB of {bench.device.memory_bytes // 2**10} KiB"


@conformance_check("memory-sizes", "copies of every small size, beside each other")
def check_sizes(bench: ConformanceBench) -> str:
    """Writing the start of a buffer leaves the rest as it is."""
    with bench.buffers(2 * LARGEST_ODD) as [buffer]:
        for size in range(1, LARGEST_ODD + 1):
            before, data = (bench.rng.integers(0, 256, count).astype(np.uint8) for count in (2 * LARGEST_ODD, size))
            bench.device.write(buffer, before)
            bench.device.write(buffer, data)
            found, expected = bench.device.read(buffer), np.concatenate([data, before[size:]])
            if not np.array_equal(found, expected):
                raise MismatchError(f"memory: {size} bytes written to {buffer.address:#x} must be there and nothing "
                                    f"else, byte {int(np.flatnonzero(found != expected)[0])} is not")
    return f"1 to {LARGEST_ODD} bytes"


def _blocks(bench: ConformanceBench) -> int:
    """How many blocks of 64 KiB fit, up to the largest march."""
    taken, most = [], LARGEST_MARCH // (ALIGNMENT * 16)
    try:
        while len(taken) < most:
            taken.append(bench.device.allocate(ALIGNMENT * 16))
    except DeviceError:
        # The memory is full: that is what was asked.
        pass
    finally:
        for buffer in taken:
            bench.device.free(buffer)
    return len(taken)


def _require(bench: ConformanceBench, block: object, expected: np.ndarray) -> None:
    found = bench.device.read(block).view(np.uint32)
    different = np.flatnonzero(found != expected)
    if different.size:
        word = int(different[0])
        raise MismatchError(f"memory: the word at {block.address + 4 * word:#x} must be {int(expected[word]):#010x}, "
                            f"not {int(found[word]):#010x}; {different.size} words of this block are wrong")

from __future__ import annotations

import pytest

from cortado.device.buffer import ALIGNMENT, Allocator, Buffer
from cortado.errors import DeviceError


def test_the_allocator_fills_gaps():
    allocator = Allocator(8 * ALIGNMENT)
    buffers = [allocator.allocate(ALIGNMENT + 1) for _ in range(3)]
    assert [buffer.address for buffer in buffers] == [0x1000, 0x3000, 0x5000]
    allocator.free(buffers[1])
    assert allocator.allocate(2 * ALIGNMENT) == Buffer(0x3000, 2 * ALIGNMENT)
    assert allocator.allocate(0) == Buffer(0x7000, 0)
    with pytest.raises(DeviceError):
        allocator.allocate(1)

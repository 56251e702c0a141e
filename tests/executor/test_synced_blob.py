"""A blob knows where its newest copy is, copies when it must, and counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.engines.winograd import Winograd
from cortado.executor.device_memory import DeviceMemory
from cortado.executor.synced_blob import Head, SyncedBlob
from cortado.executor.traffic import Ledger, Traffic
from cortado.gateware.memory_layout import MapLayout
from cortado.numerics.fixed_point import FixedPoint

LAYOUT = MapLayout(batch=1, channels=2, height=3, width=4, lanes=2, beat_bytes=8)
DIMS = (1, 2, 3, 4)
SCALE = 0.5


@pytest.fixture
def device(small_engine: Winograd):
    with GoldenDevice(DeviceOptions(memory_bytes=2**16)) as opened:
        opened.program(small_engine.design())
        yield opened


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def make(device: GoldenDevice, ledger: Ledger):
    """Makes a blob of `DIMS`, of the given values or of none."""
    memory = DeviceMemory(device)
    return lambda values=None: SyncedBlob(DIMS, memory, ledger, number_format=FixedPoint(width=8), scale=SCALE,
                                          values=values)


@pytest.fixture
def numbers(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(-128, 128, DIMS).astype(np.int8)


def test_from_host_to_device_once(make, device, ledger, numbers):
    blob = make((numbers * SCALE).astype(np.float32))
    assert blob.head is Head.HOST
    buffer = blob.on_device(LAYOUT, DIMS)
    assert (blob.head, device.read(buffer).tobytes()) == (Head.BOTH, LAYOUT.pack(numbers).tobytes())
    assert ledger.take() == Traffic.up(24)
    # The same bytes under another name of the layout, and a layout of its own.
    assert blob.on_device(replace(LAYOUT), DIMS) == buffer
    assert ledger.take() == Traffic.spared(24)
    other = blob.on_device(replace(LAYOUT, beat_bytes=16), DIMS)
    assert other != buffer
    assert ledger.take() == Traffic.up(48)
    # On the host it has been all the time.
    np.testing.assert_array_equal(blob.values(), numbers * np.float32(SCALE))
    blob.release()
    assert (blob.head, ledger.take()) == (Head.HOST, Traffic())


def test_from_device_to_host_once(make, device, ledger, numbers):
    blob, buffer = make(), device.allocate(24)
    device.write(buffer, LAYOUT.pack(numbers))
    blob.place(LAYOUT, buffer)
    assert blob.head is Head.DEVICE
    assert blob.on_device(LAYOUT, DIMS) == buffer
    assert ledger.take() == Traffic.spared(24)
    for _ in range(2):
        np.testing.assert_array_equal(blob.numbers(), numbers)
        np.testing.assert_array_equal(blob.values(), numbers * SCALE)
    assert (blob.values().dtype, blob.head) == (np.float32, Head.BOTH)
    assert ledger.take() == Traffic.down(24)


@pytest.mark.parametrize("read_after", [False, True])
def test_a_copy_for_a_comparison_counts_by_itself_until_somebody_needs_it(make, device, ledger, numbers, read_after):
    blob, buffer = make(), device.allocate(24)
    device.write(buffer, LAYOUT.pack(numbers))
    blob.place(LAYOUT, buffer)
    np.testing.assert_array_equal(blob.numbers(for_check=True), numbers)
    if read_after:
        blob.values()
    blob.release()
    needed = Traffic.down(24) if read_after else Traffic(checked_bytes=24) + Traffic.spared(24)
    assert ledger.take() == needed


def test_a_result_nobody_reads_is_spared(make, device, ledger):
    blob = make()
    blob.place(LAYOUT, device.allocate(24))
    blob.release()
    assert ledger.take() == Traffic.spared(24)
    device.allocate(2**16 - 4096)


def test_it_comes_home_before_the_device_is_programmed(make, device, ledger, numbers, other_engine):
    blob, buffer = make(), device.allocate(24)
    device.write(buffer, LAYOUT.pack(numbers))
    blob.place(LAYOUT, buffer)
    blob.leave_device()
    device.program(other_engine.design())
    assert blob.head is Head.HOST
    np.testing.assert_array_equal(blob.numbers(), numbers)
    assert device.read(blob.on_device(LAYOUT, DIMS)).tobytes() == LAYOUT.pack(numbers).tobytes()
    assert ledger.take() == Traffic.down(24) + Traffic.up(24)


def test_what_was_on_a_device_that_is_another_now_is_no_copy(make, device, numbers, other_engine):
    blob = make((numbers * SCALE).astype(np.float32))
    old = blob.on_device(LAYOUT, DIMS)
    device.program(other_engine.design())
    assert blob.head is Head.HOST
    new = blob.on_device(LAYOUT, DIMS)
    assert new != old
    blob.release()
    device.allocate(2**16 - 4096)

"""One interface, every device: the same calls give the same bits and the same errors."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.device.buffer import ALIGNMENT
from cortado.device.device import device_types
from cortado.errors import DeviceError
from cortado.graph.shape import TensorShape

MEMORY_BYTES = 2**20
SHAPE = TensorShape((2, 3, 9, 6))


def test_a_job(open_device, naive, load, small_engine, job, convolution, source):
    device = open_device()
    device.program(small_engine.design())
    buffers = load(device, job, source)
    counters = device.run(job, **buffers)
    assert (counters is None) == (device.name in ("golden", "csim"))
    result = job.target.unpack(device.read(buffers["target"]))
    np.testing.assert_array_equal(result, naive(convolution, source))


def test_two_jobs_and_memory_in_between(open_device, naive, load, small_engine, job, convolution, source):
    device = open_device()
    device.program(small_engine.design())
    first, second = load(device, job, source), load(device, job, ~source)
    for buffers, maps in ((first, source), (second, ~source)):
        device.run(job, **buffers)
        np.testing.assert_array_equal(job.target.unpack(device.read(buffers["target"])), naive(convolution, maps))
    # The inputs are still there.
    np.testing.assert_array_equal(job.source.unpack(device.read(first["source"])), source)


def test_memory_keeps_what_is_written(open_device, small_engine, rng):
    device = open_device()
    device.program(small_engine.design())
    data = rng.integers(0, 2**31, 300).astype(np.int32)
    first, second = device.allocate(data.nbytes + 5), device.allocate(8)
    device.write(first, data)
    device.write(second, np.arange(8, dtype=np.uint8))
    assert device.read(first)[: data.nbytes].tobytes() == data.tobytes()
    assert device.read(second).tolist() == list(range(8))
    assert (device.read(first).dtype, device.read(first).size) == (np.uint8, data.nbytes + 5)


def test_programming_the_same_again_keeps_everything(open_device, small_engine):
    device = open_device()
    device.program(small_engine.design())
    kept = device.allocate(100)
    device.write(kept, np.arange(100, dtype=np.uint8))
    generation = device.generation
    device.program(small_engine.design())
    assert (device.programmings, device.generation) == (1, generation)
    assert device.read(kept).tolist() == list(range(100))


def test_programming_another_configuration_starts_anew(open_device, small_engine, other_engine):
    device = open_device()
    device.program(small_engine.design())
    old = device.allocate(MEMORY_BYTES // 2)
    generation = device.generation
    device.program(other_engine.design())
    assert (device.programmings, device.generation) == (2, generation + 1)
    assert device.configuration_hash == other_engine.configuration.hash
    device.allocate(MEMORY_BYTES // 2)
    new = device.allocate(ALIGNMENT)
    assert new.generation == device.generation
    # The same place, but of another time.
    with pytest.raises(DeviceError):
        device.read(old)


def test_a_job_for_another_configuration(open_device, load, small_engine, other_engine, convolution, job, source):
    other = other_engine
    foreign = other.job("conv", convolution, SHAPE)
    device = open_device()
    device.program(small_engine.design())
    buffers = load(device, job, source)
    with pytest.raises(DeviceError) as caught:
        device.run(foreign, **buffers)
    assert str(caught.value) == (
        f"device '{device.name}': layer 'conv' needs configuration {other.configuration.hash}, not "
        f"{small_engine.configuration.hash}; program the device with the engine of the plan")


def test_a_job_before_a_program(open_device, job):
    device = open_device()
    buffer = device.allocate(job.source.size_bytes)
    with pytest.raises(DeviceError) as caught:
        device.run(job, source=buffer, weights=buffer, target=buffer)
    assert str(caught.value) == (f"device '{device.name}': layer 'conv' needs configuration {job.configuration_hash}, "
                                 "not none; program the device with the engine of the plan")


def test_a_job_after_closing(open_device, load, small_engine, job, source):
    device = open_device()
    with device:
        device.program(small_engine.design())
        buffers = load(device, job, source)
    with pytest.raises(DeviceError, match=r"not none; program the device with the engine of the plan$"):
        device.run(job, **buffers)


def test_out_of_memory(open_device, small_engine):
    device = open_device()
    device.program(small_engine.design())
    device.allocate(MEMORY_BYTES // 2)
    with pytest.raises(DeviceError) as caught:
        device.allocate(MEMORY_BYTES // 2)
    assert str(caught.value) == (
        "device memory: 524288 bytes do not fit; 524288 of 1048576 bytes are taken. Use a smaller batch or a device "
        "with more memory (--memory-mib)")


@pytest.mark.parametrize("call", ["free", "read", "write"])
def test_a_buffer_that_is_not_taken(open_device, small_engine, call):
    device = open_device()
    device.program(small_engine.design())
    buffer = device.allocate(100)
    device.free(buffer)
    with pytest.raises(DeviceError) as caught:
        getattr(device, call)(buffer, *([np.zeros(1, np.uint8)] if call == "write" else []))
    assert str(caught.value) == (
        "device memory: the buffer at 0x1000 of 100 bytes must be one that is taken, not one never allocated or given "
        "back already")


def test_more_than_a_buffer_holds(open_device, small_engine):
    device = open_device()
    device.program(small_engine.design())
    with pytest.raises(DeviceError) as caught:
        device.write(device.allocate(100), np.zeros(26, np.int32))
    assert str(caught.value) == (
        "device memory: the buffer at 0x1000 of 100 bytes must hold 104 bytes; allocate it that large")


@pytest.mark.parametrize("short", ["source", "weights", "target"])
def test_a_buffer_too_small_for_the_job(open_device, load, small_engine, job, source, short):
    device = open_device()
    device.program(small_engine.design())
    buffers = load(device, job, source)
    needed = buffers[short].size
    buffers[short] = device.allocate(needed - 1)
    with pytest.raises(DeviceError) as caught:
        device.run(job, **buffers)
    assert str(caught.value) == (f"device memory: the buffer at {buffers[short].address:#x} of {needed - 1} bytes must "
                                 f"hold {needed} bytes; allocate it that large")


def test_devices_by_name():
    assert list(device_types) == ["csim", "golden", "remote", "rtlsim", "transport", "uio", "xdma"]
    with pytest.raises(LookupError) as caught:
        device_types["rtl"]
    assert str(caught.value) == ("unknown device 'rtl'; did you mean 'rtlsim'? (known: csim, golden, remote, rtlsim, "
                                 "transport, uio, xdma)")

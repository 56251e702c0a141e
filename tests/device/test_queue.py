"""Jobs in a queue: order, memory they use, errors, the end. The same on every device."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest

from cortado.device.golden import GoldenDevice
from cortado.errors import DeviceError


class Gate:
    """A job that waits at a gate before it computes what another job computes."""

    def __init__(self, job) -> None:
        self._job, self.entered, self.opened = job, threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._job, name)

    def write_result(self, source: np.ndarray, weights: np.ndarray, target: np.ndarray) -> None:
        self.entered.set()
        assert self.opened.wait(20)
        self._job.write_result(source, weights, target)


class Broken(Gate):
    """A job that fails behind the gate."""

    def write_result(self, source: np.ndarray, weights: np.ndarray, target: np.ndarray) -> None:
        super().write_result(source, weights, target)
        raise DeviceError("the job broke")


@pytest.fixture
def golden(open_device_of, small_engine):
    """A programmed device whose jobs can be held back."""
    device = open_device_of("golden")
    device.program(small_engine.design())
    return device


def test_a_queue_runs_in_order(open_device, naive, load, small_engine, job, convolution, source, rng):
    device = open_device()
    device.program(small_engine.design())
    pictures = [rng.integers(-128, 128, source.shape).astype(np.int8) for _ in range(5)]
    places = [load(device, job, picture) for picture in pictures]
    tickets = [device.enqueue(job, **buffers) for buffers in places]
    assert [ticket.number for ticket in tickets] == [0, 1, 2, 3, 4]
    # Reading waits for the job that writes.
    for buffers, picture in reversed(list(zip(places, pictures, strict=True))):
        np.testing.assert_array_equal(job.target.unpack(device.read(buffers["target"])), naive(convolution, picture))
    counters = [device.wait(ticket) for ticket in tickets]
    assert all(ticket.is_done for ticket in tickets)
    # The same job on the same memory takes the same cycles, whatever the data.
    assert len(set(counters)) == 1


def test_a_job_reads_what_the_one_before_it_writes(open_device, naive, other_engine, chain, rng):
    first, second = chain
    device = open_device()
    device.program(other_engine.design())
    maps = rng.integers(-128, 128, (1, 3, 9, 6)).astype(np.int8)
    buffers = {name: device.allocate(size) for name, size in (
        ("in", first.source_bytes), ("weights1", first.weights_bytes), ("between", first.target_bytes),
        ("weights2", second.weights_bytes), ("out", second.target_bytes))}
    device.write(buffers["in"], first.source.pack(maps))
    device.write(buffers["weights1"], first.weights)
    device.write(buffers["weights2"], second.weights)
    device.enqueue(first, source=buffers["in"], weights=buffers["weights1"], target=buffers["between"])
    device.enqueue(second, source=buffers["between"], weights=buffers["weights2"], target=buffers["out"])
    between = naive(first.convolution, maps)
    np.testing.assert_array_equal(second.target.unpack(device.read(buffers["out"])),
                                  naive(second.convolution, between))


def test_memory_of_a_job_waits_for_its_end(golden, load, job, source):
    gate, buffers = Gate(job), load(golden, job, source)
    other = golden.allocate(10)
    ticket = golden.enqueue(gate, **buffers)
    assert gate.entered.wait(20)
    # What no job uses is free to use.
    golden.write(other, np.arange(10, dtype=np.uint8))
    assert golden.read(buffers["source"]).tobytes() == job.source.pack(source).tobytes()
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(golden.write, buffers["source"], np.zeros(1, np.uint8)),
                   pool.submit(golden.free, buffers["weights"]), pool.submit(golden.read, buffers["target"])]
        assert wait(waiting, timeout=0.1).done == set()
        assert not ticket.is_done
        gate.opened.set()
        assert len(wait(waiting, timeout=20).done) == 3
    expected = np.zeros(job.target_bytes, np.uint8)
    job.write_result(job.source.pack(source), job.weights, expected)
    np.testing.assert_array_equal(golden.read(buffers["target"]), expected)


def test_programming_waits_for_the_queue(golden, other_engine, load, job, source):
    gate = Gate(job)
    ticket = golden.enqueue(gate, **load(golden, job, source))
    programmer = threading.Thread(target=lambda: golden.program(other_engine.design()))
    programmer.start()
    programmer.join(0.1)
    assert golden.configuration_hash == job.configuration_hash
    gate.opened.set()
    programmer.join(20)
    assert golden.configuration_hash == other_engine.configuration.hash
    assert golden.wait(ticket) is None


def test_a_job_that_reads_the_result_of_a_failed_one(golden, load, job, source):
    broken = Broken(job)
    broken.opened.set()
    target = golden.allocate(job.source_bytes)
    buffers = {**load(golden, job, source), "target": target}
    tickets = [golden.enqueue(broken, **buffers),
               golden.enqueue(job, **{**buffers, "source": target, "target": golden.allocate(target.size)})]
    with pytest.raises(DeviceError, match=r"^the job broke$"):
        golden.wait(tickets[0])
    with pytest.raises(DeviceError) as caught:
        golden.wait(tickets[1])
    assert str(caught.value) == ("device 'golden': layer 'conv' must read the result of layer 'conv', whose job has "
                                 "failed")
    # A good job, or the host, makes the buffer right again.
    golden.run(job, **buffers)
    golden.run(job, **{**buffers, "source": target, "target": golden.allocate(target.size)})


def test_the_end_of_a_queue(golden, load, job, source):
    gate, buffers = Gate(job), load(golden, job, source)
    running, dropped = golden.enqueue(gate, **buffers), golden.enqueue(job, **buffers)
    assert gate.entered.wait(20)
    threading.Timer(0.05, gate.opened.set).start()
    golden.abort()
    assert running.is_done
    with pytest.raises(DeviceError) as caught:
        golden.wait(dropped)
    assert str(caught.value) == ("device 'golden': layer 'conv' was dropped: an earlier job or the caller ended the "
                                 "queue")
    golden.run(job, **buffers)


def test_closing_waits_for_the_queue(golden, load, job, source):
    tickets = [golden.enqueue(job, **load(golden, job, source)) for _ in range(3)]
    golden.close()
    assert [golden.wait(ticket) for ticket in tickets] == [None] * 3
    assert isinstance(golden, GoldenDevice)

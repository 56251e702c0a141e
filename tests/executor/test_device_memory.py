"""Weights stay on the device until they are in the way."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.errors import DeviceMemoryError
from cortado.executor.device_memory import DeviceMemory
from cortado.executor.traffic import Traffic

PAGES = 4


class Weights:
    """A job, as far as the memory of its weights is concerned."""


@pytest.fixture
def memory(small_engine):
    """Of four pages, the first of which stays free."""
    with GoldenDevice(DeviceOptions(memory_bytes=(PAGES + 1) * 4096)) as device:
        device.program(small_engine.design())
        yield DeviceMemory(device)


def page(value: int) -> np.ndarray:
    return np.full(4096, value, np.uint8)


def test_weights_are_copied_once(memory):
    job = Weights()
    with memory.weights(job, page(1)) as (first, traffic):
        assert traffic == Traffic.up(4096)
    with memory.weights(job, page(1)) as (second, traffic):
        assert (second, traffic) == (first, Traffic.spared(4096))
        assert (memory.device.read(second) == 1).all()


def test_a_job_without_weights_copies_nothing(memory):
    for _ in range(2):
        with memory.weights(Weights(), np.zeros(0, np.uint8)) as (_, traffic):
            assert traffic == Traffic()


def test_weights_are_loaded_again_after_the_device_was_programmed(memory, other_engine):
    job = Weights()
    with memory.weights(job, page(1)):
        pass
    memory.device.program(other_engine.design())
    with memory.weights(job, page(1)) as (buffer, traffic):
        assert traffic == Traffic.up(4096)
        assert (memory.device.read(buffer) == 1).all()


def test_those_used_longest_ago_make_room(memory):
    jobs = [Weights() for _ in range(3)]
    for number, job in enumerate(jobs):
        with memory.weights(job, page(number)):
            pass
    with memory.weights(jobs[0], page(0)):
        pass
    for _ in range(2):
        memory.allocate(4096)
    for job, traffic in ((jobs[0], Traffic.spared(4096)), (jobs[2], Traffic.spared(4096))):
        with memory.weights(job, page(0)) as (_, found):
            assert found == traffic


def test_weights_in_use_make_no_room(memory):
    job = Weights()
    with (memory.weights(job, page(7)) as (buffer, _),
          pytest.raises(DeviceMemoryError, match=r"^device memory: 16384 bytes do not fit; 4096 of 20480 bytes are ")):
        memory.allocate(PAGES * 4096)
    assert (memory.device.read(buffer) == 7).all()
    memory.allocate(PAGES * 4096)


def test_all_weights_are_given_back(memory):
    for number in range(3):
        with memory.weights(Weights(), page(number)):
            pass
    memory.close()
    memory.device.allocate(PAGES * 4096)

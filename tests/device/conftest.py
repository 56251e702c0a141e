"""A small job, and devices to run it on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest

from cortado.device.buffer import Buffer
from cortado.device.device import Device, DeviceOptions
from cortado.device.device import open_device as open_device_at
from cortado.device.remote_server import DeviceServer
from cortado.device.simulated_transport import SimulatedTransport
from cortado.engines.job import Job
from cortado.engines.winograd import Winograd
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution

MEMORY_BYTES = 2**20
SHAPE = TensorShape((2, 3, 9, 6))


@pytest.fixture
def open_device_of() -> Iterator[Callable[..., Device]]:
    """Opens a device at an address with the given options, and closes it at the end."""
    opened = []

    def open_one(address: str, **options: object) -> Device:
        opened.append(open_device_at(address, DeviceOptions(**{"memory_bytes": MEMORY_BYTES, **options})))
        return opened[-1]

    yield open_one
    for device in opened:
        device.close()


@pytest.fixture
def server(simulator_tools: None) -> Iterator[DeviceServer]:
    """A served simulation."""
    with DeviceServer("rtlsim", lambda: SimulatedTransport(MEMORY_BYTES), "127.0.0.1:0") as served:
        yield served


@pytest.fixture(params=["golden", "csim", pytest.param("rtlsim", marks=pytest.mark.rtlsim),
                        pytest.param("remote", marks=pytest.mark.rtlsim)])
def open_device(request: pytest.FixtureRequest) -> Callable[..., Device]:
    """The same for a device of each kind: every test that uses it runs on all of them."""
    address = request.param
    if address == "rtlsim":
        request.getfixturevalue("simulator_tools")
    elif address == "remote":
        # First of all, so that the devices are closed before it.
        address = f"remote://{request.getfixturevalue('server').address}"
    return partial(request.getfixturevalue("open_device_of"), address)


@pytest.fixture
def convolution(rng: np.random.Generator) -> IntegerConvolution:
    return IntegerConvolution(
        weight=rng.integers(-128, 128, (2, 3, 3, 3)).astype(np.int8), bias=np.array([-300, 4000], np.int32),
        multiplier=np.array([40000, 50000], np.uint16), shift=np.array([24, 25], np.uint8), pad=(1, 1, 1, 1), relu=True)


@pytest.fixture
def chain(other_engine: Winograd, rng: np.random.Generator) -> tuple[Job, Job]:
    """Two jobs of `other_engine`: on a map of 3 channels, and on what the first makes of it."""
    jobs = []
    for channels, filters in ((3, 4), (4, 2)):
        convolution = IntegerConvolution(
            weight=rng.integers(-128, 128, (filters, channels, 3, 3)).astype(np.int8),
            bias=rng.integers(-9999, 9999, filters).astype(np.int32), multiplier=np.full(filters, 40000, np.uint16),
            shift=np.full(filters, 24, np.uint8), pad=(1, 1, 1, 1), relu=True)
        jobs.append(other_engine.job(f"conv{len(jobs)}", convolution, TensorShape((1, channels, 9, 6))))
    first, second = jobs
    assert first.target.layout == second.source.layout
    return first, second


@pytest.fixture
def job(small_engine: Winograd, convolution: IntegerConvolution) -> Job:
    return small_engine.job("conv", convolution, SHAPE)


@pytest.fixture
def source(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(-128, 128, SHAPE.dims).astype(np.int8)


@pytest.fixture
def load() -> Callable[..., dict[str, Buffer]]:
    """Allocates the buffers of a job on a device and puts its input and weights into them."""
    return _load


@pytest.fixture
def naive() -> Callable[..., np.ndarray]:
    """A convolution with a ReLU, tap by tap."""
    return _naive


def _load(device: Device, job: Job, source: np.ndarray) -> dict[str, Buffer]:
    buffers = {"source": device.allocate(job.source.size_bytes), "weights": device.allocate(job.weights.nbytes),
               "target": device.allocate(job.target.size_bytes)}
    device.write(buffers["source"], job.source.pack(source))
    device.write(buffers["weights"], job.weights)
    return buffers


def _naive(convolution: IntegerConvolution, source: np.ndarray) -> np.ndarray:
    # Rounding half to even is that of Python.
    padded = np.pad(source.astype(int), ((0, 0), (0, 0), (1, 1), (1, 1)))
    batch, _, height, width = source.shape
    result = np.zeros((batch, len(convolution.weight), height, width), np.int8)
    for n, k, y, x in np.ndindex(result.shape):
        total = int((padded[n, :, y : y + 3, x : x + 3] * convolution.weight[k].astype(int)).sum())
        scaled = (total + int(convolution.bias[k])) * int(convolution.multiplier[k])
        result[n, k, y, x] = min(max(round(scaled / 2 ** int(convolution.shift[k])), 0), 127)
    return result

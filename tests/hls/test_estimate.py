"""Estimates of the C++ kernels against what the circuit measures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.hls.conftest import whole_range
from tests.hls.test_convolutions import constant_scale

from cortado.device.device import DeviceOptions
from cortado.device.rtlsim import RtlsimDevice
from cortado.engines.job import Job
from cortado.engines.winograd import Winograd
from cortado.executor.executor import run_job
from cortado.graph.shape import TensorShape
from cortado.hls.convolution_call import ConvolutionCalls
from cortado.hls.dsp import dsps_of

# Layers of the page of which the circuit is simulated in seconds.
QUICK = ("GoogLeNet inception_4a/3x3", "few channels", "small")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table in docs/hls.md."""

    name: str
    channels: int
    filters: int
    size: int
    group: int
    measured: int
    estimate: int

    def job(self, rng: np.random.Generator) -> Job:
        taken = Winograd.from_fields({"m": 4, "pc": 4, "pk": 4})
        return taken.job(self.name, constant_scale(rng, self.filters, self.channels, self.group),
                         TensorShape((1, self.channels, self.size, self.size)))


def rows() -> list[Row]:
    page = (Path(__file__).parents[2] / "docs" / "hls.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\S.*?) \| (\d+) \| (\d+) \| (\d+) x \4 \| (\d) \| ([\d,]+) \| ([\d,]+) \|", page,
                       re.MULTILINE)
    return [Row(name=name, **dict(zip(("channels", "filters", "size", "group", "measured", "estimate"),
                                      (int(number.replace(",", "")) for number in numbers), strict=True)))
            for name, *numbers in found]


ROWS = rows()


def test_the_page_has_every_row():
    assert len(ROWS) == 27
    assert {row.name for row in ROWS} > set(QUICK)


@pytest.mark.rtlsim
@pytest.mark.parametrize("row", [pytest.param(row, id=row.name, marks=[] if row.name in QUICK else pytest.mark.slow)
                                 for row in ROWS])
def test_cycles_of_the_winograd_kernel_are_those_of_the_circuit(simulator_tools, rng, row):
    job = row.job(rng)
    assert ConvolutionCalls(job=job).cycles == row.estimate
    with RtlsimDevice(DeviceOptions(memory_bytes=2**26)) as device:
        device.program(Winograd.from_fields({"m": 4, "pc": 4, "pk": 4}).design())
        _, counters = run_job(device, job, whole_range(rng, (1, row.channels, row.size, row.size), np.dtype(np.int8)))
    assert row.estimate == pytest.approx(counters.cycles, rel=0.1)


@pytest.mark.parametrize(("factors", "dsps"), [((8, 8), 1), ((15, 14), 1), ((20, 14), 1), ((18, 27), 1), ((27, 19), 2),
                                               ((23, 22), 2), ((28, 28), 4), ((33, 17), 2)])
def test_dsps_of_a_product(factors, dsps):
    assert dsps_of(*factors) == dsps_of(*reversed(factors)) == dsps


def test_dsps_of_the_winograd_kernel():
    taken = Winograd.from_fields({"m": 4, "pc": 4, "pk": 4})
    job = taken.job("layer", constant_scale(np.random.default_rng(0), 4, 4), TensorShape((1, 4, 8, 8)))
    # 36 products for each of 16 pairs; 16 results of a tile requantised, 33 x 17 bits by two DSPs each.
    assert ConvolutionCalls(job=job).dsps == 36 * 16 + 16 * 2

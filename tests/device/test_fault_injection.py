"""Faults on purpose: each is detected, named, and gone with the next job; docs/devices.md has the table."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from cortado.device.fault_injection import FAULTS
from cortado.errors import DeadlockError, DeviceError, EngineError

pytestmark = pytest.mark.rtlsim

SEEDS = range(12)

CODE = r"engine: the job must end without error, not with error code \d+ \(({})\) after \d+ cycles"
STUCK = r"simulation: a channel must move within \d+ cycles, not all stand still in cycle \d+\n  m_axi_ar: .*"

LOST = ("engine: an interrupt must come at the end of a job; the status register shows that the job has ended, the "
        "interrupt was lost")

# How each fault shows itself: the error and its words, or nothing but a wrong result, or a warning.
ERRORS = {
    "flipped_descriptor_bit": (EngineError, CODE.format(r"bad magic|bad checksum|wrong configuration|out of range")),
    "axi_error": (EngineError, CODE.format(r"(descriptor|activation) read failed|write failed")),
    "stuck_stream": (DeadlockError, STUCK),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", ERRORS)
def test_a_fault_that_ends_the_job(simulator_tools, open_device_of, naive, load, small_engine, job, convolution, source,
                                   fault, seed, caplog):
    device = open_device_of(f"rtlsim?fault={fault}&seed={seed}&job=1")
    device.program(small_engine.design())
    kind, words = ERRORS[fault]
    run_right(device, load, naive, job, convolution, source)
    buffers = load(device, job, source)
    with pytest.raises(kind) as caught:
        device.run(job, **buffers)
    assert re.fullmatch(words, str(caught.value), re.DOTALL)
    assert caplog.messages == [f"fault injected: {device.transport.inner.injected}"]
    run_right(device, load, naive, job, convolution, ~source)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lost_interrupt_is_found_by_the_status(simulator_tools, open_device_of, naive, load, small_engine, job,
                                                 convolution, source, seed, caplog):
    device = open_device_of(f"rtlsim?fault=lost_interrupt&seed={seed}")
    device.program(small_engine.design())
    run_right(device, load, naive, job, convolution, source)
    assert device.lost_interrupts == 1
    assert caplog.messages == ["fault injected: the interrupt of a job is lost", LOST]
    run_right(device, load, naive, job, convolution, source)
    assert device.lost_interrupts == 1


def test_a_flipped_bit_of_an_operand_shows_against_golden(simulator_tools, open_device_of, naive, load, small_engine,
                                                          job, convolution, source):
    """Only golden can tell: the engine sees a job like any other. Bits nothing depends on do no harm."""
    expected, shown = naive(convolution, source), 0
    for seed in SEEDS:
        device = open_device_of(f"rtlsim?fault=flipped_operand_bit&seed={seed}")
        device.program(small_engine.design())
        buffers = load(device, job, source)
        device.run(job, **buffers)
        flipped = [np.unpackbits(device.read(buffers[name]) ^ np.frombuffer(data.tobytes(), np.uint8)).sum()
                   for name, data in (("source", job.source.pack(source)), ("weights", job.weights))]
        assert sorted(flipped) == [0, 1], device.transport.inner.injected
        shown += not np.array_equal(job.target.unpack(device.read(buffers["target"])), expected)
        # Written anew, everything is right again.
        run_right(device, load, naive, job, convolution, source)
        device.close()
    # The others were in lanes without a channel, between two maps, or below a ReLU.
    assert shown >= len(SEEDS) // 3


def run_right(device, load, naive, job, convolution, maps):
    """A job that must come out right."""
    buffers = load(device, job, maps)
    device.run(job, **buffers)
    np.testing.assert_array_equal(job.target.unpack(device.read(buffers["target"])), naive(convolution, maps))


def cortado(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "cortado", *arguments], capture_output=True, text=True)


def test_the_golden_check_of_a_run_finds_a_flipped_bit(simulator_tools):
    """The bit is one of the weights of conv2_1, the third job; without the check nobody would know."""
    fault = ("run", "--batch", "2", "--device", "rtlsim?fault=flipped_operand_bit&seed=1&job=2")
    ended = cortado(*fault)
    assert ended.returncode == 1
    injected, error = ended.stderr.splitlines()
    assert re.fullmatch(r"fault injected: bit \d of the byte at 0x\w+ is flipped", injected)
    assert error == ("error: device 'rtlsim?fault=flipped_operand_bit&seed=1&job=2' must equal golden to the bit, "
                     "layers conv2_1 differ; cortado verify digits --layer conv2_1 says where")
    assert "golden      3 of 4 FPGA layers equal to the bit" in ended.stdout
    # Jobs 0 and 3 are checked, and right.
    ended = cortado(*fault, "--check", "3")
    assert ended.returncode == 0
    assert "golden      2 of 2 FPGA layers equal to the bit, 2 not compared" in ended.stdout


@pytest.mark.parametrize(("address", "words"), [
    ("rtlsim?fault=lightning",
     f"device 'rtlsim?fault=lightning': fault must be one of {', '.join(FAULTS)}, not lightning"),
    ("rtlsim?seed=1", f"device 'rtlsim?seed=1': fault must be one of {', '.join(FAULTS)}, not none"),
    ("rtlsim?fault=axi_error&seed=-1",
     "device 'rtlsim?fault=axi_error&seed=-1': seed must be a whole number from 0 on, not -1"),
])
def test_a_fault_nobody_knows(open_device_of, address, words):
    with pytest.raises(DeviceError) as caught:
        open_device_of(address)
    assert str(caught.value) == words

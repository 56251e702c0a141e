"""The conformance suite: right devices pass, and each check finds the device that is wrong in what it checks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cortado.conformance.check import checks
from cortado.conformance.suite import engine_of, require_known, run_suite
from cortado.device.device import DeviceOptions, open_device
from cortado.device.remote_server import DeviceServer
from cortado.device.simulated_transport import SimulatedTransport
from cortado.device.transport import Transport
from cortado.device.transport_device import TransportDevice
from cortado.errors import CortadoError
from cortado.gateware.descriptor import FIELD_NAMES
from cortado.gateware.register import Register

MEMORY_BYTES = 8 * 2**20
OPTIONS = DeviceOptions(memory_bytes=MEMORY_BYTES)
WITHOUT_REGISTERS = {"registers", "interrupt", "alignment", "error-codes", "reset"}


def test_golden_passes():
    with open_device("golden", OPTIONS) as device:
        outcomes = run_suite(device, engine_of({}))
    assert [outcome.check.name for outcome in outcomes] == list(checks)
    verdicts = {outcome.check.name: outcome.verdict for outcome in outcomes}
    assert verdicts == {name: "not applicable" if name in WITHOUT_REGISTERS else "passed" for name in checks}


@pytest.fixture
def server(simulator_tools: None) -> Iterator[DeviceServer]:
    with DeviceServer("rtlsim", lambda: SimulatedTransport(MEMORY_BYTES), "127.0.0.1:0") as served:
        yield served


@pytest.mark.rtlsim
@pytest.mark.parametrize("address", ["rtlsim", "remote"])
def test_the_simulation_passes(server, address):
    if address == "remote":
        address = f"remote://{server.address}"
    with open_device(address, OPTIONS) as device:
        outcomes = run_suite(device, engine_of({}))
    assert {outcome.verdict for outcome in outcomes} == {"passed"}
    words = {outcome.check.name: outcome.words for outcome in outcomes}
    assert words["alignment"] == "512 places of 8 bytes for each of maps, weights and results"
    assert words["reset"] == "5 of 5 jobs ended by the reset, each followed by a right job"
    assert "not taken" not in words["convolutions"]


class Wrong(SimulatedTransport):
    """A simulation with one thing wrong with it."""

    def __init__(self) -> None:
        super().__init__(MEMORY_BYTES)


class StuckRegisterBit(Wrong):
    def register_read(self, address: int) -> int:
        value = super().register_read(address)
        return value | 1 << 13 if address == Register.DESCRIPTOR_COUNT else value


class LosesInterrupts(Wrong):
    def wait_interrupt(self, timeout_s: float, cycles: int | None = None) -> bool:
        super().wait_interrupt(timeout_s, cycles)
        return False


class StuckMemoryBit(Wrong):
    def memory_read(self, address: int, size: int) -> np.ndarray:
        data = super().memory_read(address, size)
        if address <= 5_000_001 < address + size:
            data[5_000_001 - address] |= 0x10
        return data


class MissingAddressLine(Wrong):
    def memory_read(self, address: int, size: int) -> np.ndarray:
        return super().memory_read(address & ~(1 << 20), size)

    def memory_write(self, address: int, data: np.ndarray) -> None:
        super().memory_write(address & ~(1 << 20), data)


class WritesWholeWords(Wrong):
    def memory_write(self, address: int, data: np.ndarray) -> None:
        super().memory_write(address, np.concatenate([data, np.zeros(-data.size % 4, np.uint8)]))


class HidesErrors(Wrong):
    def register_read(self, address: int) -> int:
        value = super().register_read(address)
        return {Register.ERROR: 0, Register.STATUS: value & 3 or 2}.get(address, value)


class AnotherResetCode(Wrong):
    def register_read(self, address: int) -> int:
        value = super().register_read(address)
        return 9 if address == Register.ERROR and value == 10 else value


class ChangesDescriptors(Wrong):
    """What it writes for descriptors differs in a bit of one field, with a right checksum, for jobs that match."""

    matches: Callable[[np.ndarray], bool]
    word: int
    bit: int

    def memory_write(self, address: int, data: np.ndarray) -> None:
        if data.size and data.size % 128 == 0 and data[:4].tobytes() == b"WIN1":
            words = data.view(np.uint32).reshape(-1, 32).copy()
            for row in words:
                if type(self).matches(row):
                    row[self.word] ^= 1 << self.bit
                    row[-1] = 0
                    row[-1] = -int(row.sum(dtype=np.uint64)) % 2**32
            data = words.reshape(-1).view(np.uint8)
        super().memory_write(address, data)


def wrong_field(name: str, matches: Callable[[np.ndarray], bool], field: str, bit: int) -> type[Transport]:
    return type(name, (ChangesDescriptors,), {"matches": staticmethod(matches), "word": FIELD_NAMES.index(field),
                                              "bit": bit})


def field(name: str) -> int:
    return FIELD_NAMES.index(name)


# A device that is wrong, and the checks that say so at least.
WRONG = [
    (StuckRegisterBit, {"registers"}),
    (LosesInterrupts, {"interrupt"}),
    (StuckMemoryBit, {"memory-march"}),
    (MissingAddressLine, {"memory-march"}),
    (WritesWholeWords, {"memory-sizes"}),
    (HidesErrors, {"error-codes"}),
    (AnotherResetCode, {"reset"}),
    # An engine that drops the lowest bit of where results go in a page of beats.
    (wrong_field("OddBeats", lambda row: bool(row[field("output_address")] // 8 % 2), "output_address", 3),
     {"alignment"}),
    (wrong_field("OddStrides", lambda row: row[field("column_step")] == 2, "input_columns", 0), {"convolutions"}),
    (wrong_field("NoPasses", lambda row: bool(row[field("flags")] & 16), "flags", 4), {"channel-passes"}),
]


@pytest.mark.rtlsim
@pytest.mark.parametrize(("kind", "found"), WRONG, ids=lambda value: getattr(value, "__name__", None))
def test_a_wrong_device_is_found(simulator_tools, kind, found):
    with TransportDevice(OPTIONS, transport=kind()) as device:
        outcomes = run_suite(device, engine_of({}), found)
    assert {outcome.check.name for outcome in outcomes if outcome.has_failed} == found, outcomes


@pytest.mark.rtlsim
@pytest.mark.parametrize("name", ["groups", "blocks", "leaky", "pooling", "addition", "network", "reset"])
def test_a_device_that_gets_a_number_wrong_is_found(simulator_tools, monkeypatch, name):
    """One number of each result is read wrong by one."""
    def read(self, buffer, size):
        data = self.transport.memory_read(buffer.address, size)
        data[0] ^= 1
        return data

    monkeypatch.setattr(TransportDevice, "_read", read)
    with open_device("rtlsim", OPTIONS) as device:
        [outcome] = run_suite(device, engine_of({}), [name])
    assert outcome.has_failed
    assert "differ" in outcome.words


def test_a_check_nobody_knows():
    with pytest.raises(CortadoError) as caught:
        require_known(["memry"])
    assert str(caught.value) == f"selftest: unknown check 'memry' (known: {', '.join(checks)})"


def cortado(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "cortado", *arguments], capture_output=True, text=True, cwd=folder)


@pytest.mark.rtlsim
def test_selftest_of_the_documented_board(board_folder):
    ended = cortado(board_folder, "selftest", "--device", "transport:my_board.MyBoard?card=1", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    report = json.loads(ended.stdout)
    assert report["healthy"]
    assert {check["name"]: check["verdict"] for check in report["checks"]} == {
        name: "not applicable" if name == "interrupt" else "passed" for name in checks}


@pytest.mark.rtlsim
def test_the_documented_board_lacks_a_bitstream(board_folder):
    ended = cortado(board_folder, "selftest", "--device", "transport:my_board.MyBoard?bitstreams=elsewhere", "--only",
                    "registers")
    assert ended.returncode == 1
    assert "FAILED" in ended.stdout
    assert "my board: there must be a bitstream elsewhere/" in ended.stdout.replace("\n", "")
    assert ended.stderr == ("error: device 'transport:my_board.MyBoard?bitstreams=elsewhere': every check must pass, "
                            "registers fails\n")


def test_selftest_where_nothing_applies(tmp_path):
    ended = cortado(tmp_path, "selftest", "--device", "golden", "--only", "registers")
    assert ended.returncode == 1
    assert ended.stderr == "error: device 'golden': at least one check must apply, none does\n"


@pytest.mark.parametrize(("address", "words"), [
    ("transport:no_board.MyBoard", "there must be a class MyBoard in a module no_board (No module named 'no_board')"),
    ("transport:json.JSONDecoder", "JSONDecoder must be a cortado.device.transport.Transport"),
])
def test_a_class_that_is_no_transport(tmp_path, address, words):
    ended = cortado(tmp_path, "selftest", "--device", address)
    assert ended.stderr == f"error: device '{address}': {words}\n"


@pytest.mark.rtlsim
def test_the_plugin_runs_the_suite_on_the_documented_board(board_folder):
    """And tests of the user's own, with its fixtures."""
    (board_folder / "test_mine.py").write_text('''
import numpy as np


def test_device_equals_golden(device, golden, engine):
    from cortado.conformance.bench import ConformanceBench
    from cortado.graph.shape import TensorShape

    bench = ConformanceBench(device, engine)
    job = engine.job("mine", bench.convolution(3, 2), TensorShape((1, 3, 8, 8)))
    results = []
    for each in (device, golden):
        buffers = [each.allocate(size) for size in (job.source_bytes, job.weights_bytes, job.target_bytes)]
        each.write(buffers[0], job.source.pack(np.ones((1, 3, 8, 8), np.int8)))
        each.write(buffers[1], job.weights)
        each.run(job, source=buffers[0], weights=buffers[1], target=buffers[2])
        results.append(job.target.unpack(each.read(buffers[2])))
    assert np.array_equal(*results)
    assert device.name == "transport"
''')
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py", "--pyargs",
         "cortado.conformance.test_device", "--cortado-device=transport:my_board.MyBoard"],
        capture_output=True, text=True, cwd=board_folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{len(checks)} passed, 1 skipped" in ended.stdout


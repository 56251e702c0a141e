"""Wave files, read back without the code that wrote them."""

from __future__ import annotations

import re
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.simulation.conftest import Order, Sum, drive

from cortado.device.driver import Driver
from cortado.device.simulated_transport import SimulatedTransport
from cortado.errors import CycleLimitError, SimulationError
from cortado.resources import sim_root
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator
from cortado.simulation.toolchain import compiler

pytestmark = pytest.mark.rtlsim

MEMORY_BYTES = 1 << 16
NANOSECONDS_PER_CYCLE = 10


def lz4_decode(block: bytes) -> bytes:
    """The content of an LZ4 block, by the format's description."""
    output, at = bytearray(), 0

    def length(first: int) -> int:
        nonlocal at
        total = first
        while first == 15:
            total += block[at]
            at += 1
            if block[at - 1] != 255:
                break
        return total

    while True:
        token = block[at]
        at += 1
        literals = length(token >> 4)
        output += block[at:at + literals]
        at += literals
        if at == len(block):
            return bytes(output)
        offset = int.from_bytes(block[at:at + 2], "little")
        at += 2
        assert 0 < offset <= len(output)
        for _ in range(length(token & 15) + 4):
            output.append(output[-offset])


def fst_blocks(content: bytes) -> dict[int, bytes]:
    """The blocks of an FST file by type; the last of each type."""
    blocks, at = {}, 0
    while at < len(content):
        kind, size = struct.unpack_from(">BQ", content, at)
        blocks[kind] = content[at + 9:at + 1 + size]
        at += 1 + size
    assert at == len(content), "the last block must be whole"
    return blocks


def check_wave(path: Path, cycles: int) -> None:
    """The file is whole, covers that many cycles and holds the signals of top and parts."""
    blocks = fst_blocks(path.read_bytes())
    start, end = struct.unpack_from(">QQ", blocks[0])
    timescale = struct.unpack_from(">b", blocks[0], 64)[0]
    assert timescale == -9
    assert end - start == NANOSECONDS_PER_CYCLE * cycles - NANOSECONDS_PER_CYCLE // 2
    names = lz4_decode(blocks[6][8:])
    assert len(names) == int.from_bytes(blocks[6][:8], "big")
    for name in (b"results_request__payload", b"counters__busy", b"address"):
        assert name in names, name


@pytest.fixture
def simulator(library: Callable[..., Path]) -> Simulator:
    """The stand-in, built with tracing, and an order of 50 beats at address 0."""
    with Simulator(library(trace=True), MemoryModel(), MEMORY_BYTES) as simulator:
        simulator.memory_write(0, Sum(beats=50, a=0x1000, b=0x2000, total=0x3000, order=Order.LAST).words)
        yield simulator


def test_wave_of_a_job(simulator: Simulator, tmp_path: Path) -> None:
    drive(simulator, 0, 1)
    before = simulator.cycle
    simulator.open_wave(tmp_path / "job.fst")
    drive(simulator, 0, 1)
    simulator.close_wave()
    check_wave(tmp_path / "job.fst", simulator.cycle - before)


def test_wave_is_whole_after_a_reset(simulator: Simulator, tmp_path: Path) -> None:
    before = simulator.cycle
    simulator.open_wave(tmp_path / "job.fst")
    with pytest.raises(CycleLimitError):
        drive(simulator, 0, 1, max_cycles=123)
    simulator.close_wave()
    check_wave(tmp_path / "job.fst", simulator.cycle - before)


def test_a_device_writes_the_wave_of_its_first_job(simulator: Simulator, tmp_path: Path) -> None:
    """From its start to the driver's last word on it, and nothing of the next one."""
    driver, before = Driver(SimulatedTransport.over(simulator, tmp_path / "job.fst")), simulator.cycle
    cycles = driver.run(0, 1).cycles
    passed = simulator.cycle - before
    content = (tmp_path / "job.fst").read_bytes()
    start, end = struct.unpack_from(">QQ", fst_blocks(content)[0])
    # Before the start and behind that word, the driver uses other registers.
    assert cycles < (end - start) / NANOSECONDS_PER_CYCLE < passed
    driver.run(0, 1)
    assert (tmp_path / "job.fst").read_bytes() == content


def test_a_device_writes_the_cycles_asked_for(simulator: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "job.fst"
    before = simulator.cycle
    Driver(SimulatedTransport.over(simulator, path, (40, 89))).run(0, 1)
    start, end = struct.unpack_from(">QQ", fst_blocks(path.read_bytes())[0])
    first, last = start / NANOSECONDS_PER_CYCLE, end / NANOSECONDS_PER_CYCLE
    # The job began a few cycles behind `before`, in which the driver wrote its registers.
    assert before + 40 < first < before + 40 + 40
    assert last - first == pytest.approx(50, abs=1)


def test_cycles_to_the_end_of_the_job(simulator: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "job.fst"
    driver = Driver(SimulatedTransport.over(simulator, path, (40, 10**9)))
    cycles = driver.run(0, 1).cycles
    start, end = struct.unpack_from(">QQ", fst_blocks(path.read_bytes())[0])
    assert cycles - 45 < (end - start) / NANOSECONDS_PER_CYCLE < cycles + 100
    content = path.read_bytes()
    driver.run(0, 1)
    assert path.read_bytes() == content


def test_cycles_behind_the_job_are_told(simulator: Simulator, tmp_path: Path,
                                        caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "job.fst"
    Driver(SimulatedTransport.over(simulator, path, (10**8, 10**9))).run(0, 1)
    assert not path.exists()
    assert [record.getMessage() for record in caplog.records] == [
        (f"wave file '{path}': the cycles asked for must lie in the first job, not begin behind its end; nothing was "
         "written")]


def test_wave_changes_no_cycle(simulator: Simulator, tmp_path: Path) -> None:
    assert drive(simulator, 0, 1, wave=tmp_path / "job.fst") == drive(simulator, 0, 1)


def test_wave_needs_a_traced_library(library: Callable[..., Path], tmp_path: Path) -> None:
    with (Simulator(library(), MemoryModel(), MEMORY_BYTES) as simulator,
          pytest.raises(SimulationError, match=r"^wave file: the simulator must be built with tracing, not without$")):
        drive(simulator, 0, 1, wave=tmp_path / "job.fst")


def test_wave_that_cannot_be_written(simulator: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "job.fst"
    message = f"wave file '{path}': must be one that can be written, not refuse with 'No such file or directory'"
    with pytest.raises(SimulationError, match=f"^{re.escape(message)}$"):
        drive(simulator, 0, 1, wave=path)


@pytest.fixture(scope="module")
def compress(toolchain: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bytes], bytes]:
    """Runs the compression that wave files are written with: `lz4` or `zlib`."""
    folder = tmp_path_factory.mktemp("compression")
    (folder / "main.cpp").write_text("""
        #include <cstdio>
        #include <iterator>
        #include <vector>
        #include "lz4.h"
        #include "zlib.h"
        int main(int, char** arguments) {
            std::vector<char> data;
            for (int c; (c = std::getchar()) != EOF;) data.push_back(static_cast<char>(c));
            std::vector<char> packed;
            if (arguments[1][0] == 'l') {
                packed.resize(LZ4_compressBound(data.size()));
                packed.resize(LZ4_compress_default(data.data(), packed.data(), data.size(), packed.size()));
            } else {
                uLongf size = compressBound(data.size());
                packed.resize(size);
                auto* const target = reinterpret_cast<Bytef*>(packed.data());
                const auto* const source = reinterpret_cast<const Bytef*>(data.data());
                if (compress2(target, &size, source, data.size(), 9) != Z_OK) return 1;
                packed.resize(size);
            }
            std::fwrite(packed.data(), 1, packed.size(), stdout);
        }
    """)
    subprocess.run([compiler().require(), "-std=c++20", "-g", "-fsanitize=address,undefined", "-Wall", "-Werror",
                    f"-I{sim_root() / 'engine' / 'compression'}", folder / "main.cpp", "-o", folder / "main"],
                   check=True)

    def run(method: str, content: bytes) -> bytes:
        return subprocess.run([folder / "main", method], input=content, stdout=subprocess.PIPE, check=True).stdout

    return run


@pytest.fixture
def contents(rng: np.random.Generator) -> list[bytes]:
    """Data of many lengths: none, constant, random, repetitive near and far."""
    noise = rng.integers(0, 256, 70_000, np.uint8).tobytes()
    return [b"", b"a", b"abcd" * 3, bytes(11), bytes(12), bytes(13), bytes(18), bytes(19), bytes(20), bytes(300),
            bytes(100_000), b"ab" * 1000, b"abc" * 7 + b"x", noise[:13], noise, noise[:1000] * 5,
            noise + noise[:3000], rng.integers(0, 3, 50_000, np.uint8).tobytes()]


def test_lz4_is_undone_by_the_format(compress: Callable[[str, bytes], bytes], contents: list[bytes]) -> None:
    for content in contents:
        assert lz4_decode(compress("lz4", content)) == content


def test_lz4_keeps_the_end_as_the_format_demands(compress: Callable[[str, bytes], bytes]) -> None:
    # The last five bytes are literals: token, then the five.
    assert compress("lz4", bytes(1000))[-6:] == b"\x50" + bytes(5)


def test_lz4_compresses(compress: Callable[[str, bytes], bytes]) -> None:
    assert len(compress("lz4", b"0123456789abcdef" * 1000)) < 200


def test_zlib_is_undone_by_zlib(compress: Callable[[str, bytes], bytes], contents: list[bytes]) -> None:
    for content in contents:
        assert zlib.decompress(compress("zlib", content)) == content

"""Boards under Linux, on plain files: what is read and written, and whole jobs with a simulated register file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cortado.device.address import DeviceAddress
from cortado.device.device import DeviceOptions, parse_address
from cortado.device.linux_board import (
    REGISTER_BYTES,
    LinuxBoard,
    MappedFile,
    SharedMemory,
    StreamedMemory,
    open_uio,
    open_xdma,
)
from cortado.device.transport_device import TransportDevice
from cortado.errors import DeviceError
from cortado.gateware.register import Control, Register
from cortado.gateware.winograd_engine import IDENTITY
from cortado.simulation.build import build_library
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator
from cortado.simulation.verilog import to_verilog

BASE, SIZE = 0x10000, 2**20


@pytest.fixture
def files(tmp_path: Path, small_engine) -> Path:
    """A folder with the files of a board whose FPGA is `small_engine`."""
    words = np.zeros(REGISTER_BYTES // 4, np.uint32)
    number = int(small_engine.configuration.hash, 16)
    words[Register.IDENTITY // 4] = IDENTITY
    words[Register.HASH_LOW // 4], words[Register.HASH_HIGH // 4] = number % 2**32, number >> 32
    for name in ("uio0", "xdma0_user"):
        words.tofile(tmp_path / name)
    for name, size in (("udmabuf0", SIZE), ("card", BASE + SIZE)):
        (tmp_path / name).write_bytes(bytes(size))
    for name in ("xdma0_h2c_0", "xdma0_c2h_0"):
        (tmp_path / name).symlink_to("card")
    os.mkfifo(tmp_path / "xdma0_events_0")
    folder = tmp_path / "class" / "u-dma-buf" / "udmabuf0"
    folder.mkdir(parents=True)
    (folder / "size").write_text(f"{SIZE}\n")
    (folder / "phys_addr").write_text(f"{BASE:#018x}\n")
    return tmp_path


def opened(kind: str, files: Path) -> LinuxBoard:
    if kind == "uio":
        return open_uio(parse_address(f"uio:{files}/uio0?memory={files}/udmabuf0&interrupts=no"), files / "class")
    return open_xdma(parse_address(f"xdma:{files}/xdma0?memory_bytes={SIZE}&memory_base={BASE:#x}"))


@pytest.mark.parametrize("kind", ["uio", "xdma"])
def test_registers_and_memory_are_the_files(files, kind, rng, small_engine):
    board = opened(kind, files)
    registers, memory, first = {"uio": ("uio0", "udmabuf0", 0), "xdma": ("xdma0_user", "card", BASE)}[kind]
    assert (board.memory_base, board.memory_bytes, board.interrupts) == (BASE, SIZE, kind == "xdma")
    assert board.register_read(Register.IDENTITY) == IDENTITY
    board.register_write(Register.DESCRIPTOR_ADDRESS, 0x89ABCDEF)
    data = rng.integers(0, 256, 70_001).astype(np.uint8)
    board.memory_write(BASE + 4099, data)
    np.testing.assert_array_equal(board.memory_read(BASE + 4099, data.size), data)
    board.memory_write(BASE + SIZE - 1, np.array([7], np.uint8))
    board.program(small_engine.design())
    board.close()
    written = np.fromfile(files / registers, np.uint32)
    assert written[Register.DESCRIPTOR_ADDRESS // 4] == 0x89ABCDEF
    content = np.fromfile(files / memory, np.uint8)[first:]
    np.testing.assert_array_equal(content[4099:][:data.size], data)
    assert (content.size, content[-1], np.count_nonzero(content)) == (SIZE, 7, np.count_nonzero(data) + 1)


@pytest.mark.parametrize(("address", "size"), [(BASE - 1, 1), (BASE + SIZE, 1), (BASE + SIZE - 4, 5)])
def test_memory_that_is_not_there(files, address, size):
    board = opened("uio", files)
    words = (rf"device 'uio:.*': the memory has {SIZE} bytes at {BASE:#x}, not {size} bytes at {address:#x}")
    with pytest.raises(DeviceError, match=f"^{words}$"):
        board.memory_read(address, size)
    with pytest.raises(DeviceError, match=f"^{words}$"):
        board.memory_write(address, np.zeros(size, np.uint8))
    board.close()


@pytest.mark.parametrize("identity", [IDENTITY, 0])
def test_another_bitstream(files, other_engine, small_engine, identity):
    board = opened("uio", files)
    board.register_write(Register.IDENTITY, identity)
    with pytest.raises(DeviceError) as caught:
        board.program(other_engine.design())
    holds = f"configuration {small_engine.configuration.hash}" if identity else "no engine (identity 0x00000000)"
    assert str(caught.value) == (
        f"device 'uio:{files}/uio0?memory={files}/udmabuf0&interrupts=no': the FPGA must be loaded with configuration "
        f"{other_engine.configuration.hash}, and it holds {holds}. Build the Verilog that 'cortado generate --engine "
        f"...' writes for {other_engine.configuration}, load its bitstream with the board's own tool, and try again")
    board.close()


class SimulatedRegisters:
    """The registers of a simulation in place of a mapped file; its memory is that of the board while a job runs."""

    def __init__(self, simulator: Simulator, memory: object, interrupt: Path | None) -> None:
        self._simulator, self._memory = simulator, memory
        self._interrupt = os.open(interrupt, os.O_RDWR) if interrupt else None
        self.words = self

    def __getitem__(self, index: int) -> int:
        return self._simulator.register_read(4 * index)

    def __setitem__(self, index: int, value: int) -> None:
        starts = 4 * index == Register.CONTROL and value & Control.START
        if starts:
            self._simulator.memory_write(BASE, self._memory.read(0, SIZE))
        self._simulator.register_write(4 * index, value)
        if starts:
            assert self._simulator.wait_interrupt(60)
            self._memory.write(0, self._simulator.memory_read(BASE, SIZE))
            if self._interrupt is not None:
                os.write(self._interrupt, bytes(4))

    def close(self) -> None:
        if self._interrupt is not None:
            os.close(self._interrupt)


@pytest.fixture(params=["uio", "xdma"])
def board(request, files: Path, simulator_tools, small_engine) -> Iterator[LinuxBoard]:
    """A board of each kind, with and without interrupts, whose engine is simulated."""
    design = small_engine.design()
    library = build_library(design.configuration_hash, lambda: to_verilog(design.component()), design.beat_bits)
    events = files / "xdma0_events_0" if request.param == "xdma" else None
    memory = (SharedMemory(files / "udmabuf0", SIZE) if request.param == "uio" else
              StreamedMemory(files / "xdma0_h2c_0", files / "xdma0_c2h_0", BASE))
    with Simulator(library, MemoryModel(beat_bits=design.beat_bits), BASE + SIZE) as simulator:
        yield LinuxBoard("board", SimulatedRegisters(simulator, memory, events), memory, SIZE, BASE, events)


@pytest.mark.rtlsim
def test_jobs(board, load, naive, small_engine, job, convolution, source):
    with TransportDevice(DeviceOptions(), transport=board) as device:
        device.program(small_engine.design())
        for maps in (source, ~source):
            buffers = load(device, job, maps)
            assert BASE <= min(buffer.address for buffer in buffers.values())
            device.run(job, **buffers)
            np.testing.assert_array_equal(job.target.unpack(device.read(buffers["target"])), naive(convolution, maps))
        assert device.lost_interrupts == 0


def test_an_interrupt_is_asked_for_again(tmp_path):
    """UIO gives one interrupt for each 1 that is written; a pipe keeps what was asked."""
    (tmp_path / "registers").write_bytes(bytes(REGISTER_BYTES))
    (tmp_path / "memory").write_bytes(bytes(4096))
    os.mkfifo(tmp_path / "events")
    board = LinuxBoard("board", MappedFile(tmp_path / "registers", REGISTER_BYTES),
                       SharedMemory(tmp_path / "memory", 4096), 4096, 0, tmp_path / "events", rearms=True)
    # The pipe hands the request itself back, which reads like an interrupt.
    assert board.wait_interrupt(0.0)
    board._rearms = False
    assert not board.wait_interrupt(0.0)
    board.close()


@pytest.mark.parametrize(("address", "words"), [
    ("uio", "device 'uio': it must name a file of the board, as in uio:/dev/uio0?memory=/dev/udmabuf0"),
    ("uio:/dev/uio0", "device 'uio:/dev/uio0': it must name the memory, as in uio:/dev/uio0?memory=/dev/udmabuf0"),
    ("uio:/dev/uio0?memory=/x&speed=9",
     "device 'uio:/dev/uio0?memory=/x&speed=9': unknown field 'speed' (known: memory, interrupts)"),
    ("uio:/dev/uio0?memory=/x&interrupts=3",
     "device 'uio:/dev/uio0?memory=/x&interrupts=3': interrupts can be no, not 3"),
    ("xdma:/x", "device 'xdma:/x': it must say how much memory the card has, as in xdma:/x?memory_bytes=1073741824"),
    ("xdma:/x?memory_bytes=1G",
     "device 'xdma:/x?memory_bytes=1G': memory_bytes: it must be a whole number, as in 65536 or 0x10000, not '1G'"),
    ("transport:MyBoard",
     "device 'transport:MyBoard': it must name a class in a module, as in transport:my_board.MyBoard"),
    ("ftp://somewhere",
     "unknown device 'ftp' (known: csim, golden, remote, rtlsim, transport, uio, xdma)"),
    ("golden:here", "device 'golden:here': golden takes nothing behind its name"),
    ("remote://here", "'here': it must be HOST:PORT, as in 127.0.0.1:7000"),
    ("rtlsim?x", "device 'rtlsim?x': behind the ? there must be fields, as in ?memory=/dev/udmabuf0, not 'x'"),
    ("/x", "device '/x': it must begin with the name of a kind of device, as in rtlsim or remote://HOST:PORT"),
])
def test_addresses_that_are_none(address, words):
    with pytest.raises(DeviceError) as caught:
        parse_address(address)
    assert str(caught.value) == words


def test_an_address_and_its_text():
    address = DeviceAddress.parse("uio:/dev/uio0?memory=/dev/udmabuf0&interrupts=no")
    assert (address.scheme, address.place) == ("uio", "/dev/uio0")
    assert address.fields == {"memory": "/dev/udmabuf0", "interrupts": "no"}
    assert str(address) == "uio:/dev/uio0?memory=/dev/udmabuf0&interrupts=no"


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DeviceError, match=re.escape(
            f"'{tmp_path}/class/u-dma-buf/udmabuf0/size': it must say where the memory is, not refuse with 'No such "
            "file or directory'; is the u-dma-buf driver loaded?")):
        open_uio(parse_address(f"uio:{tmp_path}/uio0?memory={tmp_path}/udmabuf0"), tmp_path / "class")
    with pytest.raises(DeviceError, match=re.escape(
            f"'{tmp_path}/xdma0_user': it must be a file of the board that can be opened, not refuse with 'No such "
            "file or directory'")):
        open_xdma(parse_address(f"xdma:{tmp_path}/xdma0?memory_bytes=4096"))


def test_a_card_with_less_memory_than_it_says(files):
    memory = StreamedMemory(files / "xdma0_h2c_0", files / "xdma0_c2h_0", BASE)
    with pytest.raises(DeviceError) as caught:
        memory.read(SIZE - 2, 4)
    assert str(caught.value) == (f"board memory: byte {SIZE} must be read, not lie behind the end; is memory_bytes "
                                 "right?")
    memory.close()


@pytest.mark.parametrize(("base", "size"), [(1, 4096), (2**32 - 4096, 8192), (0, 0)])
def test_memory_the_engine_cannot_address(tmp_path, base, size):
    (tmp_path / "registers").write_bytes(bytes(REGISTER_BYTES))
    registers = MappedFile(tmp_path / "registers", REGISTER_BYTES)
    with pytest.raises(DeviceError) as caught:
        LinuxBoard("board", registers, None, size, base)
    assert str(caught.value) == ("board: the memory must start at a multiple of 4096 and end below 2**32, as the "
                                 f"engine addresses it, not be {size} bytes at {base:#x}")
    registers.close()

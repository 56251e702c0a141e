"""A served device: handshake, limits, two clients, and what happens when either side is gone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest

from cortado.device import remote, remote_message, remote_server
from cortado.device.device import DeviceOptions, open_device
from cortado.device.remote import RemoteTransport
from cortado.device.remote_message import CHUNK_BYTES, SERVICE, Message
from cortado.device.remote_server import DeviceServer
from cortado.device.simulated_transport import SimulatedTransport
from cortado.errors import (
    ConfigurationError,
    ConnectionLostError,
    DeadlockError,
    DeviceError,
    EngineError,
    SimulationError,
)
from cortado.gateware.register import Control, Register
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution

pytestmark = pytest.mark.rtlsim

MEMORY_BYTES = 2**20
TOKEN = "0123456789abcdef"
PATIENCE = 60


@contextmanager
def served_elsewhere(*arguments: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """`cortado device serve` in a process of its own, and the address it says."""
    process = subprocess.Popen([sys.executable, "-m", "cortado", "device", "serve", *arguments], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        line = process.stdout.readline()
        yield process, re.fullmatch(r"serving rtlsim at (remote://\S+); Ctrl-C ends it\n", line).group(1)
    finally:
        process.kill()
        process.communicate()


def options(**fields: object) -> DeviceOptions:
    return DeviceOptions(**fields)


def test_memory_goes_over_in_pieces(simulator_tools, open_device_of, small_engine, rng):
    size = 2 * CHUNK_BYTES + 12345
    with DeviceServer("rtlsim", lambda: SimulatedTransport(8 * 2**20), "127.0.0.1:0") as server:
        with open_device(f"remote://{server.address}", options()) as device:
            device.program(small_engine.design())
            assert (device.memory_bytes, device.memory_model.beat_bits) == (8 * 2**20, 64)
            data, buffer = rng.integers(0, 256, size).astype(np.uint8), device.allocate(size)
            device.write(buffer, data)
            np.testing.assert_array_equal(device.read(buffer), data)


def test_the_memory_of_a_client_is_not_seen_by_the_next(server, small_engine):
    for _ in range(2):
        with open_device(f"remote://{server.address}", options()) as device:
            device.program(small_engine.design())
            buffer = device.allocate(1000)
            assert not device.read(buffer).any()
            device.write(buffer, np.full(1000, 7, np.uint8))


def test_more_memory_than_the_server_has(server, open_device_of):
    transport = RemoteTransport(server.address)
    try:
        with pytest.raises(DeviceError) as caught:
            transport.memory_write(MEMORY_BYTES - 4, np.zeros(8, np.uint8))
        assert str(caught.value) == ("device server: the device has 1048576 bytes of memory at 0x0, not 8 bytes at "
                                     "0xffffc")
    finally:
        transport.close()


@pytest.mark.parametrize(("call", "request_", "words"), [
    ("read_memory", {"address": 0, "size": CHUNK_BYTES + 1},
     f"message: size must be a whole number from 0 to {CHUNK_BYTES}, not {CHUNK_BYTES + 1}"),
    ("read_memory", {"address": "0", "size": 1},
     "message: address must be a whole number from 0 to 4294967296, not '0'"),
    ("write_register", {"address": 0x18, "value": -1},
     "message: value must be a whole number from 0 to 4294967295, not -1"),
    ("read_registers", {"addresses": [0, None]}, "message: addresses must be a list of whole numbers, not [0, None]"),
    ("program", {"engine": "winnograd", "hash": ""},
     "device server: unknown engine 'winnograd'; did you mean 'winograd'? (known: winograd)"),
    ("reset", {"session": "guessed"}, "device server: the session has ended; open the device anew"),
])
def test_a_request_outside_the_rules(server, call, request_, words):
    transport = RemoteTransport(server.address)
    try:
        with grpc.insecure_channel(server.address) as channel:
            answer = Message.decode(channel.unary_unary(f"/{SERVICE}/{call}")(
                Message(fields={"session": transport._session, **request_}).encode()))
        assert answer.fields == {"error": "DeviceError", "words": words}
    finally:
        transport.close()


def test_bytes_that_are_no_message_or_too_many(server):
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary(f"/{SERVICE}/reset")
        assert Message.decode(call(b"\x00\x01")).fields["words"] == "message: it must begin with a line of JSON"
        with pytest.raises(grpc.RpcError) as caught:
            call(bytes(CHUNK_BYTES + 2**20))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_another_protocol(server, monkeypatch):
    monkeypatch.setattr(remote, "PROTOCOL", 99)
    with pytest.raises(DeviceError) as caught:
        RemoteTransport(server.address)
    assert re.fullmatch(r"device server: cortado \S+ speaks protocol 1, not 99 of the client's cortado \S+; use the "
                        r"same version on both sides", str(caught.value))


def test_another_configuration_hash(server, small_engine, monkeypatch):
    monkeypatch.setattr(remote, "__version__", "9.9")
    design = small_engine.design()
    impostor = type(design)(**{**vars(design), "configuration_hash": "0123456789abcdef"})
    with open_device(f"remote://{server.address}", options()) as device, pytest.raises(DeviceError) as caught:
        device.program(impostor)
    assert re.fullmatch(rf"device server: cortado \S+ here makes configuration {design.configuration_hash} of these "
                        r"fields, the client's 9\.9 makes 0123456789abcdef; use the same version on both sides",
                        str(caught.value))


def test_a_token(simulator_tools, small_engine):
    with DeviceServer("rtlsim", lambda: SimulatedTransport(MEMORY_BYTES), "127.0.0.1:0", token=TOKEN) as server:
        for token, came in ((None, "none"), ("f" * 16, "another one")):
            with pytest.raises(DeviceError) as caught:
                open_device(f"remote://{server.address}", options(token=token))
            assert str(caught.value) == ("device server: the client must show the server's token (--token-file), not "
                                         f"{came}")
        with open_device(f"remote://{server.address}", options(token=TOKEN)) as device:
            device.program(small_engine.design())


@pytest.mark.parametrize(("listen", "token", "words"), [
    ("0.0.0.0:0", None, (
        "device server: beyond this machine a token is required, and there is none; give a file with one "
        "(--token-file) or listen at 127.0.0.1 instead of 0.0.0.0")),
    ("127.0.0.1:0", "short",
     "device server: the token must have at least 16 characters, not 5; 'openssl rand -hex 16' makes one"),
    ("7000", None, "'7000': it must be HOST:PORT, as in 127.0.0.1:7000"),
    ("localhost:70000", None, "'localhost:70000': it must be HOST:PORT, as in 127.0.0.1:7000"),
])
def test_where_a_server_may_not_listen(listen, token, words):
    with pytest.raises(DeviceError) as caught:
        DeviceServer("rtlsim", lambda: SimulatedTransport(MEMORY_BYTES), listen, token=token)
    assert str(caught.value) == words


def test_a_port_that_is_taken(server):
    with pytest.raises(DeviceError, match=rf"^device server: '{server.address}' must be an address to listen at, not "
                                          r"refuse; is another server there\? \(.*\)$"):
        DeviceServer("rtlsim", lambda: SimulatedTransport(MEMORY_BYTES), server.address)


def test_a_second_client_waits_for_its_turn(server, naive, load, small_engine, job, convolution, source, caplog):
    first = open_device(f"remote://{server.address}", options())
    first.program(small_engine.design())
    results = []

    def second() -> None:
        with open_device(f"remote://{server.address}", options()) as device:
            device.program(small_engine.design())
            buffers = load(device, job, source)
            device.run(job, **buffers)
            results.append(job.target.unpack(device.read(buffers["target"])))

    thread = threading.Thread(target=second)
    thread.start()
    end = time.monotonic() + PATIENCE
    while not caplog.messages and time.monotonic() < end:
        time.sleep(0.01)
    assert re.fullmatch(rf"device remote://{server.address}: in use by ipv4:127\.0\.0\.1:\d+; waiting for it, at most "
                        r"60 s", caplog.messages[0])
    # The first one is not disturbed.
    buffers = load(first, job, ~source)
    first.run(job, **buffers)
    np.testing.assert_array_equal(job.target.unpack(first.read(buffers["target"])), naive(convolution, ~source))
    assert not results
    first.close()
    thread.join(PATIENCE)
    np.testing.assert_array_equal(results[0], naive(convolution, source))


def test_a_second_client_that_does_not_wait(server):
    transport = RemoteTransport(server.address)
    with pytest.raises(DeviceError, match=r"^device server: the device is in use by ipv4:127\.0\.0\.1:\d+; try later$"):
        open_device(f"remote://{server.address}?patience_s=0", options())
    transport.close()


def test_a_client_that_is_killed_makes_room(server):
    program = ("import sys, time; from cortado.device.remote import RemoteTransport; "
               "transport = RemoteTransport(sys.argv[1]); print('in', flush=True); time.sleep(600)")
    client = subprocess.Popen([sys.executable, "-c", program, server.address], stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout.readline() == "in\n"
    finally:
        client.kill()
        client.communicate()
    RemoteTransport(server.address, patience_s=PATIENCE).close()


def test_errors_come_over_as_what_they_are(server, load, small_engine, job, source):
    with open_device(f"remote://{server.address}", options()) as device:
        device.program(small_engine.design())
        transport = device.transport
        with pytest.raises(SimulationError, match=r"^register 0x28: must be one that can be read, not refuse with "
                                                  r"'SLVERR'$"):
            transport.register_read(0x28)
        # A list without descriptors in memory.
        transport.register_write(Register.DESCRIPTOR_ADDRESS, 2**30)
        with pytest.raises(EngineError) as caught:
            device._driver.run(2**30, 1)
        assert str(caught.value).endswith("not read 16 beats at 0x40000000")
        assert caught.value.code == 6
        device.run(job, **load(device, job, source))


@pytest.mark.parametrize("error", [
    DeviceError("plain"), ConfigurationError("m must be"), DeadlockError("stuck", streams={
        "m_axi_r": {"valid": 0, "ready": 1, "transfers": 3}})])
def test_every_error_survives_the_way(error):
    with pytest.raises(type(error)) as caught:
        remote_message.raise_error(Message.decode(remote_message.error_message(error).encode()))
    assert (type(caught.value), str(caught.value)) == (type(error), str(error))


def test_an_error_nobody_knows_is_a_device_error():
    with pytest.raises(DeviceError, match=r"^disk full$"):
        remote_message.raise_error(remote_message.error_message(OSError("disk full")))


def test_nobody_serves_there():
    with DeviceServer("rtlsim", lambda: SimulatedTransport(MEMORY_BYTES), "127.0.0.1:0") as server:
        address = server.address
    with pytest.raises(ConnectionLostError) as caught:
        open_device(f"remote://{address}", options())
    assert str(caught.value).startswith(f"device remote://{address}: the server must be there until the device is "
                                        "closed, not break off or refuse (")
    assert str(caught.value).endswith("); what the device held is lost. Start it (cortado device serve) and connect "
                                      "anew")


def test_a_server_killed_in_mid_job(simulator_tools, naive, load, small_engine, job, convolution, source, rng,
                                    caplog):
    """The job ends with an error that names the server; nothing is left of it, and a new server does the next job."""
    with served_elsewhere("--listen", "127.0.0.1:0") as (process, address):
        device = open_device(address, options(progress=lambda cycles: process.kill()))
        device.program(small_engine.design())
        # Seconds of simulation: the server is killed at the driver's first look.
        long = small_engine.job("long", long_convolution(rng), TensorShape((1, 24, 96, 96)))
        buffers = load(device, long, np.zeros((1, 24, 96, 96), np.int8))
        with pytest.raises(ConnectionLostError, match=r"the server must be there until the device is closed, not break "
                                                      r"off"):
            device.run(long, **buffers)
        # Said once, not again by whoever tries to reset the engine.
        assert caplog.messages == []
        assert device.configuration_hash is None
        with pytest.raises(DeviceError, match=r"needs configuration \w+, not none"):
            device.run(long, **buffers)
        with pytest.raises(DeviceError, match=r"^device 'remote': it must be programmed first"):
            device.read(buffers["target"])
    with served_elsewhere("--listen", address.removeprefix("remote://")):
        device.program(small_engine.design())
        with pytest.raises(DeviceError, match=r"must be one that is taken"):
            device.read(buffers["target"])
        buffers = load(device, job, source)
        device.run(job, **buffers)
        np.testing.assert_array_equal(job.target.unpack(device.read(buffers["target"])), naive(convolution, source))
        device.close()


def long_convolution(rng: np.random.Generator) -> IntegerConvolution:
    return IntegerConvolution(
        weight=rng.integers(-128, 128, (64, 24, 3, 3)).astype(np.int8), bias=np.zeros(64, np.int32),
        multiplier=np.full(64, 40000, np.uint16), shift=np.full(64, 24, np.uint8), pad=(1, 1, 1, 1), relu=True)


def test_ctrl_c_ends_the_server_and_its_session(simulator_tools, small_engine):
    with served_elsewhere("--listen", "127.0.0.1:0") as (process, address):
        device = open_device(address, options())
        device.program(small_engine.design())
        device.transport.register_write(Register.CONTROL, Control.RESET)
        buffer = device.allocate(10)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        assert (out, err, process.returncode) == ("", "stopped\n", 0)
        with pytest.raises(ConnectionLostError):
            device.read(buffer)
        device.close()


def test_run_on_a_served_device(simulator_tools, tmp_path: Path):
    """The command line, end to end: the same numbers as on the simulation itself."""
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    found = {}
    with served_elsewhere("--listen", "127.0.0.1:0", "--token-file", str(token)) as (_, address):
        for device in ("rtlsim", address):
            ended = subprocess.run([sys.executable, "-m", "cortado", "run", "--batch", "2", "--json", "--device",
                                    device, "--token-file", str(token)], capture_output=True, text=True, env=os.environ)
            assert (ended.returncode, ended.stderr) == (0, "")
            report = json.loads(ended.stdout)
            assert report["golden"] == {"compared": 4, "equal": 4, "fpga_layers": 4}
            found[device] = [(layer["layer"], layer["counters"]) for layer in report["layers"]]
    assert found["rtlsim"] == found[address]


def test_what_the_command_refuses():
    ended = subprocess.run([sys.executable, "-m", "cortado", "device", "serve", "--device", "golden"],
                           capture_output=True, text=True)
    assert ended.stderr == "error: device 'golden': it has no registers to serve; serve rtlsim or a board\n"
    assert ended.returncode == 1
    assert remote_server.is_loopback("::1")
    assert not remote_server.is_loopback("example.org")

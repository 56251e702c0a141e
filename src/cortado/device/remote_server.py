"""Serving a device: one client at a time gets registers and memory of it, over gRPC."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import grpc
import numpy as np

from cortado import __version__
from cortado.device.remote_message import CHUNK_BYTES, HEADER_BYTES, PROTOCOL, SERVICE, Message, error_message
from cortado.device.transport import SerialTransport, Transport
from cortado.engines.engine import engine_types
from cortado.errors import CortadoError, DeviceError

logger = logging.getLogger(__name__)

# Clients that may wait for the device at the same time; each holds a thread.
MOST_WAITING = 8
# Longest time one call waits for the engine; the client calls again.
LONGEST_WAIT_SECONDS = 1.0
SHORTEST_TOKEN = 16
OPTIONS = (
    ("grpc.max_receive_message_length", CHUNK_BYTES + HEADER_BYTES),
    ("grpc.max_send_message_length", CHUNK_BYTES + HEADER_BYTES),
    ("grpc.so_reuseport", 0),
    # A client whose machine is gone does not say good-bye.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)


class DeviceServer:
    """Serves what `open_transport` opens, anew for every client; memory of one is never seen by the next.

    `listen` is HOST:PORT, port 0 for any free one; beyond this machine a `token` is required, at least 16 characters
    that every client must show. Raises `DeviceError` for an address that cannot be served. A context manager.
    """

    def __init__(self, name: str, open_transport: Callable[[], Transport], listen: str, *,
                 token: str | None = None) -> None:
        host, port = parse_listen(listen)
        if token is not None and len(token) < SHORTEST_TOKEN:
            raise DeviceError(f"device server: the token must have at least {SHORTEST_TOKEN} characters, not "
                              f"{len(token)}; 'openssl rand -hex 16' makes one")
        if token is None and not is_loopback(host):
            raise DeviceError(f"device server: beyond this machine a token is required, and there is none; give a file "
                              f"with one (--token-file) or listen at 127.0.0.1 instead of {host}")
        self._name, self._open_transport, self._token = name, open_transport, token
        self._free = threading.Condition()
        self._waiting: list[object] = []
        self._session: _Session | None = None
        self._stopping = False
        self._pool = ThreadPoolExecutor(MOST_WAITING + 8, thread_name_prefix="device server")
        self._server = grpc.server(self._pool, options=OPTIONS)
        self._server.add_generic_rpc_handlers((self._handlers(),))
        try:
            bound = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise DeviceError(f"device server: '{listen}' must be an address to listen at, not refuse; is another "
                              f"server there? ({error})") from None
        self.address = f"{host}:{bound}"
        self._server.start()

    def close(self) -> None:
        """End the session and every call."""
        with self._free:
            self._stopping = True
            self._free.notify_all()
        self._server.stop(grace=0.5).wait()
        self._pool.shutdown()
        if self._session is not None:
            self._session.transport.close()

    def __enter__(self) -> DeviceServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _handlers(self) -> grpc.GenericRpcHandler:
        calls = {name: grpc.unary_unary_rpc_method_handler(self._answer(operation))
                 for name, operation in _OPERATIONS.items()}
        calls["open"] = grpc.unary_stream_rpc_method_handler(self._open)
        return grpc.method_handlers_generic_handler(SERVICE, calls)

    def _open(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """A client's session lasts as long as this call: it ends with the client, however that ends."""
        try:
            hello = Message.decode(request)
            self._require_welcome(hello, context)
            session = yield from self._queue(hello, context)
        except DeviceError as error:
            yield error_message(error).encode()
            return
        if session is None:
            return
        logger.info("session of %s begins", session.client)
        try:
            transport = session.transport
            yield Message(fields={
                "session": session.key, "device": self._name, "memory_bytes": transport.memory_bytes,
                "memory_base": transport.memory_base, "interrupts": transport.interrupts,
                "timeout_s": transport.timeout_s}).encode()
            while context.is_active() and not self._stopping:
                session.ended.wait(0.5)
                if session.ended.is_set():
                    break
        finally:
            transport.close()
            with self._free:
                self._session = None
                self._free.notify_all()
            logger.info("session of %s ends", session.client)

    def _require_welcome(self, hello: Message, context: grpc.ServicerContext) -> None:
        metadata = dict(context.invocation_metadata())
        if self._token is not None and not hmac.compare_digest(metadata.get("token", "").encode(),
                                                               self._token.encode()):
            raise DeviceError("device server: the client must show the server's token (--token-file), not "
                              f"{'another one' if metadata.get('token') else 'none'}")
        protocol = hello.fields.get("protocol")
        if protocol != PROTOCOL:
            raise DeviceError(f"device server: cortado {__version__} speaks protocol {PROTOCOL}, not {protocol} of the "
                              f"client's cortado {hello.fields.get('version')}; use the same version on both sides")

    def _queue(self, hello: Message, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Wait for the turn of a client, telling it so; its session, or None when it has gone away."""
        patience = time.monotonic() + hello.whole("patience_s", 0, 86400)
        me, told = object(), False
        with self._free:
            if len(self._waiting) >= MOST_WAITING:
                raise DeviceError(f"device server: {len(self._waiting)} clients wait for the device already; try later")
            self._waiting.append(me)
        try:
            while True:
                with self._free:
                    if self._waiting[0] is me and self._session is None and not self._stopping:
                        # While the lock is held: a transport opens in no time, it is programming that takes long.
                        self._session = _Session(context.peer(), SerialTransport(self._open_transport()))
                        context.add_callback(self._session.ended.set)
                        return self._session
                    holder = self._session.client if self._session else "another client"
                    if self._stopping or not context.is_active():
                        return None
                    if time.monotonic() >= patience:
                        raise DeviceError(f"device server: the device is in use by {holder}; try later")
                if not told:
                    told = True
                    yield Message(fields={"waiting": holder}).encode()
                with self._free:
                    self._free.wait(max(min(0.2, patience - time.monotonic()), 0.0))
        finally:
            with self._free:
                self._waiting.remove(me)
                self._free.notify_all()

    def _answer(self, operation: Callable[[_Session, Message], Message]) -> Callable[..., bytes]:
        """One call of a session, its errors as an answer."""
        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                message = Message.decode(request)
                session = self._session
                if session is None or not hmac.compare_digest(message.text("session").encode(), session.key.encode()):
                    raise DeviceError("device server: the session has ended; open the device anew")
                return operation(session, message).encode()
            except (CortadoError, OSError) as error:
                return error_message(error).encode()

        return answer


class _Session:
    """The client whose turn it is, and the transport opened for it."""

    def __init__(self, client: str, transport: SerialTransport) -> None:
        self.client = client
        self.transport = transport
        self.key = secrets.token_hex(16)
        self.ended = threading.Event()


def _program(session: _Session, message: Message) -> Message:
    fields: Any = message.fields.get("configuration")
    name, wanted = message.text("engine"), message.text("hash")
    if name not in engine_types:
        raise DeviceError(f"device server: {engine_types.unknown(name)}")
    if not isinstance(fields, dict):
        raise DeviceError(f"message: configuration must be fields by name, not {fields!r}")
    design = engine_types[name].from_fields(fields).design()
    if design.configuration_hash != wanted:
        raise DeviceError(f"device server: cortado {__version__} here makes configuration {design.configuration_hash} "
                          f"of these fields, the client's {message.text('version')} makes {wanted}; use the same "
                          "version on both sides")
    session.transport.program(design)
    model = session.transport.memory_model
    return Message(fields={"memory_model": asdict(model) if model else None})


def _read_registers(session: _Session, message: Message) -> Message:
    addresses = message.fields.get("addresses")
    if not isinstance(addresses, list) or not all(isinstance(address, int) for address in addresses):
        raise DeviceError(f"message: addresses must be a list of whole numbers, not {addresses!r}")
    return Message(fields={"values": [int(value) for value in session.transport.registers_read(addresses)]})


def _write_register(session: _Session, message: Message) -> Message:
    session.transport.register_write(message.whole("address", 0, 2**32 - 1), message.whole("value", 0, 2**32 - 1))
    return Message()


def _range(session: _Session, address: int, size: int) -> int:
    transport = session.transport
    if address < transport.memory_base or address + size > transport.memory_base + transport.memory_bytes:
        raise DeviceError(f"device server: the device has {transport.memory_bytes} bytes of memory at "
                          f"{transport.memory_base:#x}, not {size} bytes at {address:#x}")
    return address


def _read_memory(session: _Session, message: Message) -> Message:
    size = message.whole("size", 0, CHUNK_BYTES)
    address = _range(session, message.whole("address", 0, 2**32), size)
    return Message(payload=session.transport.memory_read(address, size).tobytes())


def _write_memory(session: _Session, message: Message) -> Message:
    address = _range(session, message.whole("address", 0, 2**32), len(message.payload))
    session.transport.memory_write(address, np.frombuffer(message.payload, np.uint8))
    return Message()


def _wait_interrupt(session: _Session, message: Message) -> Message:
    cycles = None if message.fields.get("cycles") is None else message.whole("cycles", 0, 2**63)
    seconds = message.whole("milliseconds", 0, 2**31) / 1000
    came = session.transport.wait_interrupt(min(seconds, LONGEST_WAIT_SECONDS), cycles)
    return Message(fields={"came": came})


def _reset(session: _Session, message: Message) -> Message:
    session.transport.reset()
    return Message()


def _diagnosis(session: _Session, message: Message) -> Message:
    return Message(fields={"words": session.transport.diagnosis()})


_OPERATIONS = {"program": _program, "read_registers": _read_registers, "write_register": _write_register,
               "read_memory": _read_memory, "write_memory": _write_memory, "wait_interrupt": _wait_interrupt,
               "reset": _reset, "diagnosis": _diagnosis}


def parse_listen(text: str) -> tuple[str, int]:
    """HOST and PORT of HOST:PORT; `DeviceError` for anything else."""
    host, mark, port = text.rpartition(":")
    if not mark or not host or not port.isdecimal() or int(port) > 65535:
        raise DeviceError(f"'{text}': it must be HOST:PORT, as in 127.0.0.1:7000")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

"""The device of somebody who serves one: a transport over gRPC."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import grpc
import numpy as np

from cortado import __version__
from cortado.device.address import DeviceAddress
from cortado.device.device import DeviceOptions, device_types
from cortado.device.remote_message import CHUNK_BYTES, HEADER_BYTES, PROTOCOL, SERVICE, Message, raise_error
from cortado.device.remote_server import parse_listen
from cortado.device.transport import Transport
from cortado.device.transport_device import TransportDevice
from cortado.engines.design import Design
from cortado.errors import ConnectionLostError, DeviceError, DeviceTimeoutError
from cortado.simulation.memory_model import MemoryModel

logger = logging.getLogger(__name__)

# Of a call that only moves bytes.
CALL_SECONDS = 30.0
# Of programming: a simulator may have to be built.
PROGRAM_SECONDS = 900.0
# How long to wait for a device that somebody else uses, unless the address says otherwise.
PATIENCE_SECONDS = 60
OPTIONS = (
    ("grpc.max_receive_message_length", CHUNK_BYTES + HEADER_BYTES),
    ("grpc.max_send_message_length", CHUNK_BYTES + HEADER_BYTES),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # A channel is never shared with another client of this process, so that each session has a connection of its own.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
)


class RemoteTransport(Transport):
    """Registers and memory of a device served at `server`, HOST:PORT.

    Connects at once, waiting at most `patience_s` seconds for a device that another client uses. After a broken
    connection `program` connects anew. Raises `ConnectionLostError` when the server cannot be reached or breaks off,
    `DeviceTimeoutError` when it does not answer in time, and what its device raises.
    """

    def __init__(self, server: str, *, token: str | None = None, patience_s: int = PATIENCE_SECONDS) -> None:
        self._server, self._token, self._patience_s = server, token, patience_s
        self._channel: grpc.Channel | None = None
        self._connect()

    def _connect(self) -> None:
        self._channel = grpc.insecure_channel(self._server, options=OPTIONS)
        hello = Message(fields={"protocol": PROTOCOL, "version": __version__, "patience_s": self._patience_s})
        metadata = (("token", self._token),) if self._token else ()
        try:
            self._life = self._channel.unary_stream(f"/{SERVICE}/open")(hello.encode(), metadata=metadata)
            welcome = self._next()
            while "waiting" in welcome.fields:
                logger.warning("device remote://%s: in use by %s; waiting for it, at most %d s", self._server,
                               welcome.fields["waiting"], self._patience_s)
                welcome = self._next()
            raise_error(welcome)
        except BaseException:
            self.close()
            raise
        self._session = welcome.text("session")
        self.memory_bytes, self.memory_base = welcome.fields["memory_bytes"], welcome.fields["memory_base"]
        self.interrupts, self.timeout_s = welcome.fields["interrupts"], welcome.fields["timeout_s"]
        self.memory_model = None

    def _next(self) -> Message:
        try:
            return Message.decode(next(self._life))
        except StopIteration:
            raise self._lost("it ended the session") from None
        except grpc.RpcError as error:
            raise self._lost(error.details() or error.code().name) from None

    def program(self, design: Design) -> None:
        if self._channel is None:
            self._connect()
        answer = self._call("program", {"engine": design.engine, "configuration": asdict(design.configuration),
                                        "hash": design.configuration_hash, "version": __version__},
                            seconds=PROGRAM_SECONDS)
        model = answer.fields["memory_model"]
        self.memory_model = MemoryModel(**model) if model else None

    def register_read(self, address: int) -> int:
        return self.registers_read([address])[0]

    def registers_read(self, addresses: Sequence[int]) -> list[int]:
        return self._call("read_registers", {"addresses": [int(address) for address in addresses]}).fields["values"]

    def register_write(self, address: int, value: int) -> None:
        self._call("write_register", {"address": int(address), "value": int(value)})

    def memory_read(self, address: int, size: int) -> np.ndarray:
        data = np.empty(size, np.uint8)
        for first in range(0, size, CHUNK_BYTES):
            count = min(CHUNK_BYTES, size - first)
            answer = self._call("read_memory", {"address": address + first, "size": count})
            data[first:first + count] = np.frombuffer(answer.payload, np.uint8)
        return data

    def memory_write(self, address: int, data: np.ndarray) -> None:
        for first in range(0, data.size, CHUNK_BYTES):
            self._call("write_memory", {"address": address + first}, data[first:first + CHUNK_BYTES].tobytes())

    def wait_interrupt(self, timeout_s: float, cycles: int | None = None) -> bool:
        answer = self._call("wait_interrupt", {"milliseconds": int(timeout_s * 1000), "cycles": cycles},
                            seconds=timeout_s + CALL_SECONDS)
        return answer.fields["came"]

    def reset(self) -> None:
        self._call("reset", {})

    def diagnosis(self) -> str:
        return self._call("diagnosis", {}).text("words")

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel = None

    def _call(self, name: str, fields: dict[str, Any], payload: bytes = b"", *,
              seconds: float = CALL_SECONDS) -> Message:
        channel = self._channel
        if channel is None:
            raise self._lost("the connection has ended")
        request = Message(fields={**fields, "session": self._session}, payload=payload)
        try:
            answer = channel.unary_unary(f"/{SERVICE}/{name}")(request.encode(), timeout=seconds)
        except grpc.RpcError as error:
            self.close()
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise DeviceTimeoutError(f"device remote://{self._server}: the server must answer within {seconds:g} "
                                         f"seconds ({name}), not stay silent; look at it and connect anew") from None
            raise self._lost(error.details() or error.code().name) from None
        except ValueError as error:
            # Another thread has closed the channel.
            raise self._lost(str(error)) from None
        message = Message.decode(answer)
        raise_error(message)
        return message

    def _lost(self, words: str) -> ConnectionLostError:
        return ConnectionLostError(f"device remote://{self._server}: the server must be there until the device is "
                                   f"closed, not break off or refuse ({words}); what the device held is lost. Start it "
                                   "(cortado device serve) and connect anew")


@device_types.register("remote")
class RemoteDevice(TransportDevice):
    """The driver over a device that somebody serves: `remote://HOST:PORT`, with `?patience_s=N` behind it.

    Raises `DeviceError` when a wave or a memory model is asked of it: these are of the server's device.
    """

    name = "remote"

    @classmethod
    def require_address(cls, address: DeviceAddress) -> None:
        parse_listen(address.place)
        address.require_fields("patience_s")
        patience = address.fields.get("patience_s", "0")
        if not patience.isdecimal() or int(patience) > 86400:
            raise DeviceError(f"device '{address}': patience_s must be from 0 to 86400 seconds, not {patience}")

    @classmethod
    def open_transport(cls, options: DeviceOptions, address: DeviceAddress | None) -> RemoteTransport:
        if address is None:
            raise DeviceError("device 'remote': it must have an address, as in remote://HOST:PORT")
        if options.wave is not None:
            raise DeviceError(f"device '{address}': a wave is written where the simulation runs; use --device rtlsim")
        return RemoteTransport(address.place, token=options.token,
                               patience_s=int(address.fields.get("patience_s", PATIENCE_SECONDS)))

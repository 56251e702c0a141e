"""A board of the user's: a transport in a Python module of theirs."""

from __future__ import annotations

import importlib
import sys

from cortado.device.address import DeviceAddress
from cortado.device.device import DeviceOptions, device_types
from cortado.device.transport import Transport
from cortado.device.transport_device import TransportDevice
from cortado.errors import DeviceError


@device_types.register("transport")
class UserDevice(TransportDevice):
    """The driver over any transport: `transport:my_board.MyBoard?field=value` is `my_board.MyBoard(field="value")`.

    The module is looked for in the current folder too.
    """

    name = "transport"

    @classmethod
    def require_address(cls, address: DeviceAddress) -> None:
        module, _, name = address.place.rpartition(".")
        if not all(part.isidentifier() for part in (*module.split("."), name)):
            raise DeviceError(f"device '{address}': it must name a class in a module, as in transport:my_board.MyBoard")

    @classmethod
    def open_transport(cls, options: DeviceOptions, address: DeviceAddress | None) -> Transport:
        if address is None:
            raise DeviceError("device 'transport': it must have an address, as in transport:my_board.MyBoard")
        module, _, name = address.place.rpartition(".")
        if "" not in sys.path:
            sys.path.insert(0, "")
        try:
            kind = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise DeviceError(f"device '{address}': there must be a class {name} in a module {module} ({error})"
                              ) from None
        if not (isinstance(kind, type) and issubclass(kind, Transport)):
            raise DeviceError(f"device '{address}': {name} must be a cortado.device.transport.Transport")
        try:
            return kind(**address.fields)
        except TypeError as error:
            raise DeviceError(f"device '{address}': the fields must be those {name} takes ({error})") from None

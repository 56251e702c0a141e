"""`cortado device`."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from cortado.cli.group import Commands, cli
from cortado.cli.options import device_option, memory_option, token_option
from cortado.cli.pipeline import read_token

DEFAULT_LISTEN = "127.0.0.1:7000"


@cli.group(cls=Commands)
def device() -> None:
    """Devices for others (docs/devices.md)."""


@device.command()
@device_option("What to serve")
@click.option("--listen", default=DEFAULT_LISTEN, show_default=True, metavar="HOST:PORT",
              help="Where to listen; port 0 takes any free one. Beyond this machine a token is required.")
@token_option
@memory_option
def serve(device_name: str, listen: str, token_file: Path | None, memory_mib: int) -> None:
    """Serve a device until Ctrl-C; clients use it with --device remote://HOST:PORT.

    One client at a time has the device, the others wait for it; memory of one is never seen by the next. The token
    and all data travel in clear: use a private network or a tunnel.
    """
    from cortado.device.device import DeviceOptions, device_types, parse_address
    from cortado.device.remote_server import DeviceServer
    from cortado.device.transport_device import TransportDevice
    from cortado.errors import DeviceError

    address = parse_address(device_name)
    kind = device_types[address.scheme]
    if not issubclass(kind, TransportDevice):
        raise DeviceError(f"device '{device_name}': it has no registers to serve; serve rtlsim or a board")
    options = DeviceOptions(memory_bytes=memory_mib * 2**20)
    with DeviceServer(str(address), lambda: kind.open_transport(options, address), listen,
                      token=read_token(token_file)) as server:
        click.echo(f"serving {address} at remote://{server.address}; Ctrl-C ends it")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)

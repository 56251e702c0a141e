"""The pytest plugin: a device for tests, and the conformance suite as tests.

    pytest --pyargs cortado.conformance.test_device --cortado-device=transport:my_board.MyBoard

runs the suite on a board; tests of one's own get `device`, `engine` and `golden` by naming them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

# pytest loads the plugin in every project of an environment: what takes time is imported when a test asks for it.
if TYPE_CHECKING:
    from cortado.device.device import Device
    from cortado.engines.winograd import Winograd

DEFAULT_DEVICE = "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("cortado", "CNN layers on an FPGA")
    group.addoption("--cortado-device", default=DEFAULT_DEVICE, metavar="NAME|URL",
                    help="device of the fixture `device`, as cortado run --device takes it (default: golden)")
    group.addoption("--cortado-engine", default="", metavar="FIELD=N,...",
                    help="fields of the engine of the fixture `engine`, over those of a small one with every unit")
    group.addoption("--cortado-memory-mib", type=int, default=256, help="memory of a simulated device (default: 256)")
    group.addoption("--cortado-token-file", default=None, metavar="FILE", help="a file with the token of a served "
                                                                               "device")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Winograd:
    """The engine of `--cortado-engine`."""
    from cortado.conformance.suite import engine_of

    text = request.config.getoption("--cortado-engine")
    try:
        fields = {name.strip(): int(value) for name, _, value in (item.partition("=") for item in text.split(",")
                                                                  if item)}
    except ValueError:
        raise pytest.UsageError(f"--cortado-engine={text}: it must be fields and whole numbers, as in m=4,pc=2"
                                ) from None
    return engine_of(fields)


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest, engine: Winograd) -> Iterator[Device]:
    """The device of `--cortado-device`, programmed with `engine`; open as long as the session."""
    from pathlib import Path

    from cortado.device.device import DeviceOptions, open_device

    option = request.config.getoption
    file = option("--cortado-token-file")
    options = DeviceOptions(memory_bytes=option("--cortado-memory-mib") * 2**20,
                            token=Path(file).read_text().strip() if file else None)
    with open_device(option("--cortado-device"), options) as opened:
        opened.program(engine.design())
        yield opened


@pytest.fixture(scope="session")
def golden(engine: Winograd) -> Iterator[Device]:
    """The golden device, programmed with `engine`: what `device` must equal to the bit."""
    from cortado.device.device import DeviceOptions
    from cortado.device.golden import GoldenDevice

    with GoldenDevice(DeviceOptions()) as opened:
        opened.program(engine.design())
        yield opened

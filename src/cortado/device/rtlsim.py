"""The simulated device."""

from __future__ import annotations

from cortado.device.address import DeviceAddress
from cortado.device.device import DeviceOptions, device_types
from cortado.device.fault_injection import FAULTS, FaultyTransport
from cortado.device.simulated_transport import SimulatedTransport
from cortado.device.transport_device import TransportDevice
from cortado.errors import DeviceError


@device_types.register("rtlsim")
class RtlsimDevice(TransportDevice):
    """The driver over a simulated engine: the generated Verilog, cycle by cycle.

    `rtlsim?fault=NAME&seed=N&job=N` is one in which a job meets a fault of `fault_injection.FAULTS`.
    """

    name = "rtlsim"

    @classmethod
    def require_address(cls, address: DeviceAddress) -> None:
        if address.place:
            raise DeviceError(f"device '{address}': rtlsim takes nothing behind its name but fields, as in "
                              "rtlsim?fault=axi_error")
        address.require_fields("fault", "seed", "job")
        if address.fields and address.fields.get("fault") not in FAULTS:
            raise DeviceError(f"device '{address}': fault must be one of {', '.join(FAULTS)}, not "
                              f"{address.fields.get('fault', 'none')}")
        for name in ("seed", "job"):
            if not address.fields.get(name, "0").isdecimal():
                raise DeviceError(f"device '{address}': {name} must be a whole number from 0 on, not "
                                  f"{address.fields[name]}")

    @classmethod
    def open_transport(cls, options: DeviceOptions, address: DeviceAddress | None) -> SimulatedTransport:
        memory = options.memory_bytes, options.memory, options.wave, options.wave_cycles
        fields = address.fields if address else {}
        if "fault" not in fields:
            return SimulatedTransport(*memory)
        return FaultyTransport(*memory, fault=fields["fault"], seed=int(fields.get("seed", 0)),
                               job=int(fields.get("job", 0)))

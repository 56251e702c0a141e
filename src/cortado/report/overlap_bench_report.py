"""`cortado bench overlap`: what it gains to have several parts under way."""

from __future__ import annotations

from cortado.bench.overlap_bench import OverlapTime
from cortado.report.figures import percent
from cortado.report.report import Report


def overlap_bench_report(network: str, device: str, time: OverlapTime, *, repeats: int) -> Report:
    """Seconds of both ways, and the bound."""
    return Report(
        command="bench overlap",
        title=f"{network} on host and {device}, {time.pictures} pictures in {time.parts} parts",
        data={"network": network, "device": device, "pictures": time.pictures, "parts": time.parts,
              "in_flight": time.in_flight, "repeats": repeats, "serial_seconds": time.serial,
              "host_seconds": time.host, "device_seconds": time.device, "overlapped_seconds": time.overlapped,
              "share_of_bound": time.share, "device_busy": time.device_busy},
        lines=(f"one by one  {time.serial:.2f} s: device {time.device:.2f} s, host {time.host:.2f} s",
               (f"overlapped  {time.overlapped:.2f} s with {time.in_flight} parts in flight, the device busy "
                f"{percent(time.device_busy)} of it"),
               (f"bound       {time.bound:.2f} s, what the slower of the two takes alone: {percent(time.share)} of its "
                "throughput")))

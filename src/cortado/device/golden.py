"""The golden device: exact integers on the host, without a clock."""

from __future__ import annotations

from cortado.device.device import JobRecord, device_types
from cortado.device.host_memory import HostMemoryDevice


@device_types.register("golden")
class GoldenDevice(HostMemoryDevice):
    """Runs the integer arithmetic of a job on its packed maps; what every other device must equal to the bit.

    Any circuit will do for it: the jobs say what to compute. Raises `DeviceError` when a wave is asked of it.
    """

    name = "golden"

    def _execute(self, prepared: tuple, record: JobRecord) -> None:
        job, source, weights, target = prepared
        job.write_result(source[: job.source_bytes], weights[: job.weights_bytes], target)

"""`cortado bench device`: what the driver and the way to a served device cost."""

from __future__ import annotations

from cortado.bench.device_bench import DeviceTime, Seconds
from cortado.engines.engine import Engine
from cortado.report.figures import count
from cortado.report.report import Column, Report, Table


def device_bench_report(engine: Engine, times: tuple[DeviceTime, ...], *, repeats: int) -> Report:
    """Seconds of each way by layer and over all, and what each adds to the one before it."""
    rows = [_figures(time.layer.name, time.cycles, time.bare, time.driver, time.remote) for time in times]
    none = Seconds(wall=0.0, cpu=0.0)
    total = _figures("all", sum(time.cycles for time in times),
                     *(sum((getattr(time, way) for time in times), none) for way in ("bare", "driver", "remote")))
    return Report(
        command="bench device", title=f"{times[0].layer.network}: the driver and a served device, {engine.name}",
        data={"network": times[0].layer.network, "configuration_hash": engine.design().configuration_hash,
              "repeats": repeats, "layers": rows, "total": total},
        tables=(Table(columns=(
            Column(title="layer"), Column(title="cycles", number=True),
            *(Column(title=title, number=True) for title in (
                "bare CPU s", "wall s", "driver CPU s", "wall s", "adds", "served CPU s", "wall s", "adds"))),
            rows=tuple((row["layer"], count(row["cycles"]),
                        *(f"{row[f'bare_{kind}seconds']:.3f}" for kind in ("cpu_", "")),
                        *(f"{row[f'driver_{kind}seconds']:.3f}" for kind in ("cpu_", "")),
                        f"{row['driver_overhead']:+.1%}",
                        *(f"{row[f'remote_{kind}seconds']:.3f}" for kind in ("cpu_", "")),
                        f"{row['remote_overhead']:+.1%}")
                       for row in (*rows, total))),),
        lines=("", f"the least of {repeats} runs of each, in turns; bare is the simulator without the driver",
               "adds is in processor time: the driver over bare, serving (both ends of it) over the driver",
               f"engine      {engine.configuration}"))


def _figures(name: str, cycles: int, bare: Seconds, driver: Seconds, remote: Seconds) -> dict[str, object]:
    return {"layer": name, "cycles": cycles,
            "bare_seconds": bare.wall, "driver_seconds": driver.wall, "remote_seconds": remote.wall,
            "bare_cpu_seconds": bare.cpu, "driver_cpu_seconds": driver.cpu, "remote_cpu_seconds": remote.cpu,
            "driver_overhead": driver.cpu / bare.cpu - 1, "remote_overhead": remote.cpu / driver.cpu - 1}

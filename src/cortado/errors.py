"""Everything cortado raises on purpose.

Wording: *who: what must hold, not what came*, then the way out. `CortadoError` is what a caller catches;
the command line prints its text as one message and exits with 1.

    CortadoError
    ├── ModelFileError        a prototxt, caffemodel or model name: file, line and column where known
    ├── GraphError            the network does not fit together: layer, bottom, shape
    │   ├── FieldError        one parameter of a layer type outside its range
    │   └── LayerError        one layer's own fields or shapes
    ├── WeightsError          weights and network disagree: layer, expected shape, found shape
    ├── PictureError          an input that is no picture or has the wrong size
    ├── DataError             a data file that is not here, cannot be fetched, stored or trusted
    ├── WorkloadError         a workload that cannot run as asked: its setting, dataset, folder
    ├── ConfigurationError    an engine configuration outside its legal range
    ├── PlanError             the cut between host and FPGA cannot be made as asked
    ├── ToolError             a missing or failing outside tool: command, exit code, last lines
    ├── CacheError            the build cache cannot be read or written
    ├── DeviceError           a device refused or failed
    │   ├── EngineError           the engine ended a job with an error code
    │   ├── DeviceMemoryError     no gap of a device's memory is large enough
    │   ├── CycleLimitError       a job took more cycles than allowed
    │   ├── DeviceTimeoutError    a device did not answer in time
    │   ├── ConnectionLostError   the way to the device broke off
    │   └── SimulationError       a simulation that did not end as it should
    │       └── DeadlockError         no stream moved: the state of every stream
    └── MismatchError         two rungs of the ladder differ: layer, rung, where, by how much
"""

from __future__ import annotations

from pathlib import Path


class CortadoError(Exception):
    """Base of every error cortado raises on purpose."""


class ModelFileError(CortadoError):
    """A model file that cannot be read: carries file, line and column (1-based) where they are known."""

    def __init__(self, message: str, *, file: str | Path | None = None, line: int | None = None,
                 column: int | None = None) -> None:
        self.file, self.line, self.column = file, line, column
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)


class GraphError(CortadoError):
    """The network does not fit together."""


class FieldError(GraphError):
    """A parameter of a layer type is outside its range.

    `field` is its name and `index` says which value of a repeated field; a front end finds its place in the file
    by them.
    """

    def __init__(self, field: str, message: str, *, index: int | None = None) -> None:
        self.field, self.message, self.index = field, message, index
        super().__init__(f"{field} {message}")


class LayerError(GraphError):
    """One layer's own fields or shapes are wrong; `layer` is its name, `position` its place in the model file."""

    def __init__(self, layer: str, message: str, *, position: object = None) -> None:
        self.layer, self.position = layer, position
        text = f"layer '{layer}': {message}"
        super().__init__(text if position is None else f"{position}: {text}")


class WeightsError(CortadoError):
    """Weights and network disagree."""


class PictureError(CortadoError):
    """An input that is no picture, or a picture of the wrong size or mode."""


class DataError(CortadoError):
    """A data file that is not here, or cannot be fetched, stored or trusted."""


class WorkloadError(CortadoError):
    """A workload cannot run as asked: a setting, a dataset, a folder of another run, a user's data."""


class ConfigurationError(CortadoError):
    """An engine configuration outside its legal range."""


class PlanError(CortadoError):
    """The cut between host and FPGA cannot be made as asked."""


class ToolError(CortadoError):
    """A missing or failing outside tool: `command`, `exit_code` and the `last_lines` it printed."""

    def __init__(self, message: str, *, command: str = "", exit_code: int | None = None, last_lines: str = "") -> None:
        self.command, self.exit_code, self.last_lines = command, exit_code, last_lines
        text = message
        if exit_code is not None:
            text += f" (exit code {exit_code})"
        if last_lines:
            text += "\n" + last_lines
        super().__init__(text)


class CacheError(CortadoError):
    """The build cache cannot be read or written."""


class DeviceError(CortadoError):
    """A device refused a request or failed."""


class EngineError(DeviceError):
    """The engine ended a job with an error; `code` is a value of `gateware.descriptor.ErrorCode`."""

    def __init__(self, message: str, *, code: int) -> None:
        self.code = code
        super().__init__(message)


class DeviceMemoryError(DeviceError):
    """No gap of a device's memory is large enough for a buffer."""


class CycleLimitError(DeviceError):
    """The cycle limit was reached before the job ended."""


class DeviceTimeoutError(DeviceError):
    """A device did not answer in time."""


class ConnectionLostError(DeviceError):
    """The way to the device broke off; what the device holds is lost."""


class SimulationError(DeviceError):
    """A simulation that did not end as it should."""


class DeadlockError(SimulationError):
    """No stream moved for too long; `streams` maps each stream to its valid, ready and transfer count."""

    def __init__(self, message: str, *, streams: dict[str, dict[str, int]]) -> None:
        self.streams = streams
        lines = [
            f"  {name}: valid={state['valid']} ready={state['ready']} transfers={state['transfers']}"
            for name, state in streams.items()
        ]
        super().__init__("\n".join([message, *lines]))


class MismatchError(CortadoError):
    """Two rungs of the ladder differ where they must be equal to the bit."""

"""Layers that run from map to map, without the multipliers: which ones an engine takes, and their jobs."""

from __future__ import annotations

from cortado.engines.add_job import AddJob
from cortado.engines.pooling_job import PoolingJob
from cortado.gateware.configuration import AVERAGE_POOLING, MAX_POOLING, WinogradConfiguration
from cortado.gateware.map_checks import LARGEST_SIDE
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.pooling_command import LARGEST_AVERAGE, OPEN_WINDOWS
from cortado.gateware.pooling_mapping import PoolingMapping
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.eltwise import EltwiseOperation
from cortado.layers.pooling import PoolMethod, RoundMode
from cortado.numerics.elementwise_add import IntegerAdd
from cortado.numerics.pooling import IntegerPooling, PoolingKind

MAP_TYPES = ("Pooling", "Eltwise")

MapOperation = IntegerPooling | IntegerAdd


def map_rejection(configuration: WinogradConfiguration, layer: LayerSpec, bottom: TensorShape) -> str | None:
    """Why an engine cannot take a layer of `MAP_TYPES`, in words that name the limit; None when it can."""
    if configuration.pc != configuration.pk:
        return (f"the engine's pc is {configuration.pc} and its pk {configuration.pk}; it takes {layer.type} where "
                "they are equal, so that what a convolution wrote can be read again")
    if len(bottom.dims) != 4:
        return f"bottom has shape {bottom}; the engine takes maps (N, C, H, W)"
    if layer.fused:
        return f"'{layer.fused[0].name}' ({layer.fused[0].type}) is fused into it; the engine takes it alone"
    if layer.type == "Eltwise":
        return _add_rejection(layer)
    if len(layer.tops) > 1:
        return "it has a second top, the places of the maxima; the engine has the maxima only"
    if layer.parameters.pool is PoolMethod.STOCHASTIC:
        return "pool is STOCHASTIC; the engine takes MAX and AVE"
    return _pooling_rejection(configuration, integer_pooling(layer), bottom)


def missing_unit(configuration: WinogradConfiguration, layer: LayerSpec) -> str | None:
    """The field of the configuration, with the value it must have, that the layer lacks; None where none does."""
    if layer.type == "Eltwise":
        return None if configuration.elementwise_add else "elementwise_add=1"
    needed = MAX_POOLING if layer.parameters.pool is PoolMethod.MAX else AVERAGE_POOLING
    return None if configuration.pooling >= needed else f"pooling={needed}"


def _add_rejection(layer: LayerSpec) -> str | None:
    if layer.parameters.operation is not EltwiseOperation.SUM:
        return f"operation is {layer.parameters.operation.name}; the engine takes SUM"
    if len(layer.bottoms) != 2:
        return f"there are {len(layer.bottoms)} bottoms; the engine adds 2"
    return None


def _pooling_rejection(configuration: WinogradConfiguration, pooling: IntegerPooling,
                       bottom: TensorShape) -> str | None:
    size = bottom.dims[2:]
    mapping = _pooling_mapping(configuration, pooling, bottom)
    if mapping.source.row_beats > configuration.pooling_row_beats:
        return (f"a row of the map is {mapping.source.row_beats} beats; the engine takes at most "
                f"{configuration.pooling_row_beats} (pooling_row_beats of the configuration)")
    for side, lines, kernel, stride, windows in zip(
            ("height", "width"), size, pooling.kernel_over(size), pooling.stride, pooling.output_size(size),
            strict=True):
        if max(lines, kernel, stride) > LARGEST_SIDE:
            return f"{side} is {max(lines, kernel, stride)}; the engine takes at most {LARGEST_SIDE}"
        open_windows = min(-(-kernel // stride), windows)
        if open_windows > OPEN_WINDOWS:
            return (f"{open_windows} windows overlap along the {side} (kernel {kernel}, stride {stride}); the engine "
                    f"takes at most {OPEN_WINDOWS}")
        if pooling.kind is PoolingKind.AVERAGE and kernel > LARGEST_AVERAGE:
            return f"the window's {side} is {kernel}; the engine averages at most {LARGEST_AVERAGE}"
    return None


def integer_pooling(layer: LayerSpec, factor: float = 1.0) -> IntegerPooling:
    """The integer form of a Pooling layer; `factor` as in `IntegerPooling`."""
    parameters = layer.parameters
    return IntegerPooling(
        kind=PoolingKind.MAX if parameters.pool is PoolMethod.MAX else PoolingKind.AVERAGE,
        kernel=None if parameters.global_pooling else parameters.kernel_or_bottom((1, 1)), stride=parameters.strides,
        pad=parameters.pads, round_up=parameters.round_mode is RoundMode.CEIL, factor=factor)


def map_job(configuration: WinogradConfiguration, layer: str, operation: MapOperation,
            bottom: TensorShape) -> PoolingJob | AddJob:
    """The job of an operation on maps of shape `bottom`."""
    if isinstance(operation, IntegerPooling):
        return PoolingJob(layer=layer, mapping=_pooling_mapping(configuration, operation, bottom))
    batch, channels, height, width = bottom.dims
    return AddJob(layer=layer, configuration=configuration, addition=operation, source=MapLayout(
        batch=batch, channels=channels, height=height, width=width, lanes=configuration.pk,
        beat_bytes=configuration.beat_bytes))


def _pooling_mapping(configuration: WinogradConfiguration, pooling: IntegerPooling,
                     bottom: TensorShape) -> PoolingMapping:
    batch, channels, height, width = bottom.dims
    return PoolingMapping(configuration=configuration, pooling=pooling, batch=batch, channels=channels, height=height,
                          width=width)

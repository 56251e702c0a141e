"""The Winograd overlay engine, seen from the graph: which layers, what they cost, which circuit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache

from cortado.engines.add_job import AddJob
from cortado.engines.design import Design
from cortado.engines.engine import Engine, engine_types
from cortado.engines.estimate import Estimate
from cortado.engines.job import Job
from cortado.engines.map_layer import MAP_TYPES, MapOperation, integer_pooling, map_job, map_rejection, missing_unit
from cortado.engines.pooling_job import PoolingJob
from cortado.errors import ConfigurationError, LayerError
from cortado.gateware.axi_engine import AxiEngine, axi_engine_signature
from cortado.gateware.configuration import LARGEST_FILTER_BLOCKS, LARGEST_STRIDE, WinogradConfiguration
from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.mapping import NOTHING_STAYS, Mapping, Staying, choose_mapping
from cortado.gateware.winograd_engine import WinogradEngine
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.convolution_view import CONVOLUTION_TYPES, ConvolutionView
from cortado.numerics.convolution import IntegerConvolution
from cortado.numerics.elementwise_add import IntegerAdd
from cortado.numerics.leaky_relu import nearest_slope


@engine_types.register("winograd")
@dataclass(frozen=True, kw_only=True)
class Winograd(Engine):
    """Convolutions and inner products in exact int8 or int16: F(m x m, 3 x 3) (Lavin & Gray 2015) on pieces of the
    kernel, and 1 x 1 kernels on the same multipliers.
    """

    configuration: WinogradConfiguration = field(default_factory=WinogradConfiguration)

    name = "winograd"

    @classmethod
    def from_fields(cls, values: dict[str, object]) -> Winograd:
        known = [entry.name for entry in fields(WinogradConfiguration)]
        for name in values:
            if name not in known:
                raise ConfigurationError(f"engine configuration: unknown field '{name}' (known: {', '.join(known)})")
        return cls(configuration=WinogradConfiguration(**values))

    @property
    def multipliers(self) -> int:
        """Products in one cycle."""
        return self.configuration.multipliers

    @property
    def data_bits(self) -> int:
        """Of an activation."""
        return self.configuration.data_bits

    @property
    def weight_bits(self) -> int:
        """Of a weight."""
        return self.configuration.weight_bits

    def rejects(self, layer: LayerSpec, bottoms: tuple[TensorShape, ...]) -> str | None:
        if layer.type in MAP_TYPES:
            missing = missing_unit(self.configuration, layer)
            return (map_rejection(self.configuration, layer, bottoms[0]) if missing is None else
                    f"type is {layer.type}; the engine takes {' and '.join(CONVOLUTION_TYPES)}, and {layer.type} with "
                    f"{missing}")
        if layer.type not in CONVOLUTION_TYPES:
            return f"type is {layer.type}; the engine takes {' and '.join(CONVOLUTION_TYPES)}"
        shape = layer_shape(layer, bottoms[0])
        for limit in legal_range(self.configuration):
            value = limit.of(shape)
            if not limit.least <= value <= limit.most:
                return f"{limit.name} is {value}; the engine takes {limit.least} to {limit.most}{limit.why}"
        for fused in layer.fused:
            refusal = self._refuses_fused(fused)
            if refusal is not None:
                return f"'{fused.name}' ({fused.type}) is fused into it; the engine takes {refusal}"
        try:
            self._mapping(shape, layer.name)
        except LayerError as error:
            return str(error)
        return None

    def estimate(self, layer: LayerSpec, bottoms: tuple[TensorShape, ...],
                 staying: Staying = NOTHING_STAYS) -> Estimate:
        if layer.type in MAP_TYPES:
            # What it costs does not depend on its factors.
            operation = integer_pooling(layer) if layer.type == "Pooling" else IntegerAdd(multipliers=(1, 1), shift=0)
            return map_job(self.configuration, layer.name, operation, bottoms[0]).estimate
        shape = layer_shape(layer, bottoms[0])
        return Estimate(cycles=self._mapping(shape, layer.name, staying).cycles, macs=shape.macs,
                        multipliers=self.multipliers)

    def mapping(self, layer: LayerSpec, bottoms: tuple[TensorShape, ...],
                staying: Staying = NOTHING_STAYS) -> Mapping | None:
        """How the convolution runs, with what else was weighed; only for a layer that is not rejected."""
        if layer.type in MAP_TYPES:
            return None
        return self._mapping(layer_shape(layer, bottoms[0]), layer.name, staying)

    def map_job(self, layer: str, operation: MapOperation, bottom: TensorShape) -> PoolingJob | AddJob:
        return map_job(self.configuration, layer, operation, bottom)

    def job(self, layer: str, convolution: IntegerConvolution, bottom: TensorShape,
            staying: Staying = NOTHING_STAYS) -> Job:
        configuration = self.configuration
        if (convolution.data_bits, convolution.weight_bits) != (configuration.data_bits, configuration.weight_bits):
            raise LayerError(layer, f"its maps are int{convolution.data_bits} and its weights "
                                    f"int{convolution.weight_bits}; the engine takes maps of "
                                    f"int{configuration.data_bits} and weights of int{configuration.weight_bits}")
        batch, channels, height, width = bottom.dims
        shape = ConvolutionShape(
            batch=batch, channels=channels, filters=convolution.out_channels, height=height, width=width,
            pad=convolution.pad, kernel=convolution.kernel, stride=convolution.stride, dilation=convolution.dilation,
            group=convolution.group)
        return Job(layer=layer, convolution=convolution, mapping=self._mapping(shape, layer, staying))

    def design(self) -> Design:
        configuration, beat_bits = self.configuration, self.configuration.beat_bits
        return Design(engine=self.name, configuration=configuration, configuration_hash=configuration.hash,
                      beat_bits=beat_bits, multipliers=self.multipliers, multiplier_unit="core.mac_array",
                      factor_bits=(configuration.widths.v_bits, configuration.widths.u_bits),
                      signature=axi_engine_signature(beat_bits),
                      component=lambda: AxiEngine(WinogradEngine(configuration), beat_bits=beat_bits))

    def _refuses_fused(self, fused: LayerSpec) -> str | None:
        """What the engine takes instead of a fused layer it does not take."""
        if fused.type != "ReLU":
            return "ReLU"
        slope = nearest_slope(fused.parameters.negative_slope)
        if slope is None:
            return "a ReLU of slope 0 to 255/256"
        if slope and not self.configuration.leaky:
            return "a ReLU of slope 0 (and leaky ones with leaky=1)"
        return None

    def _mapping(self, shape: ConvolutionShape, layer: str, staying: Staying = NOTHING_STAYS) -> Mapping:
        return _cached_mapping(self.configuration, shape, layer, staying)


# Choosing takes tens of milliseconds, and a plan, a run and a report all ask.
_cached_mapping = lru_cache(maxsize=4096)(choose_mapping)


@dataclass(frozen=True)
class Limit:
    """The legal range of one number of a layer's shape."""

    name: str
    of: Callable[[ConvolutionShape], int]
    least: int
    most: int
    why: str = ""


def legal_range(configuration: WinogradConfiguration) -> tuple[Limit, ...]:
    """What an engine of this configuration takes: the one place that says it."""
    return (
        Limit("kernel height", lambda shape: shape.kernel[0], 1, LARGEST_KERNEL),
        Limit("kernel width", lambda shape: shape.kernel[1], 1, LARGEST_KERNEL),
        Limit("vertical stride", lambda shape: shape.stride[0], 1, LARGEST_STRIDE),
        Limit("horizontal stride", lambda shape: shape.stride[1], 1, LARGEST_STRIDE),
        Limit("vertical dilation", lambda shape: shape.dilation[0], 1, LARGEST_DILATION),
        Limit("horizontal dilation", lambda shape: shape.dilation[1], 1, LARGEST_DILATION),
        Limit("pad", lambda shape: max(shape.pad), 0, LARGEST_PAD),
        Limit("C * kernel height * kernel width",
              lambda shape: shape.channels // shape.group * shape.kernel[0] * shape.kernel[1], 1,
              configuration.largest_taps, " (largest_taps of the configuration)"),
        Limit("output channels", lambda shape: shape.filters, 1, LARGEST_FILTER_BLOCKS * configuration.pk,
              f" ({LARGEST_FILTER_BLOCKS} blocks of pk)"),
        Limit("map height", lambda shape: shape.height, 1, LARGEST_EDGE),
        Limit("map width", lambda shape: shape.width, 1, LARGEST_EDGE),
    )


LARGEST_KERNEL = 11
LARGEST_DILATION = 16
LARGEST_PAD = 16
LARGEST_EDGE = 4096


def layer_shape(layer: LayerSpec, bottom: TensorShape) -> ConvolutionShape:
    """The convolution a layer is; an inner product is a 1 x 1 one over the batch, its values all channels."""
    view = ConvolutionView(layer=layer, bottom=bottom)
    batch, channels, height, width = view.maps.dims
    return ConvolutionShape(batch=batch, channels=channels, filters=view.filters, height=height, width=width,
                            pad=view.pad, kernel=view.kernel, stride=view.stride, dilation=view.dilation,
                            group=view.group)

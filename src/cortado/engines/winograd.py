"""The Winograd overlay engine, seen from the graph: which layers, what they cost, which circuit."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from cortado.engines.design import Design
from cortado.engines.engine import Engine, engine_types
from cortado.engines.estimate import Estimate
from cortado.engines.job import Job
from cortado.errors import ConfigurationError, LayerError
from cortado.gateware.blocking import LARGEST_EDGE, LARGEST_PAD, Blocking, ConvolutionShape, choose_blocking
from cortado.gateware.configuration import LARGEST_FILTER_BLOCKS, WinogradConfiguration
from cortado.gateware.winograd_engine import WinogradEngine, engine_signature
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.convolution import Convolution
from cortado.numerics.convolution import IntegerConvolution


@engine_types.register("winograd")
@dataclass(frozen=True, kw_only=True)
class Winograd(Engine):
    """3 x 3 convolutions, stride 1, by F(m x m, 3 x 3) in exact int8 (Lavin & Gray 2015)."""

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

    def rejects(self, layer: LayerSpec, bottoms: tuple[TensorShape, ...]) -> str | None:
        if layer.type != "Convolution":
            return f"type is {layer.type}; the engine takes Convolution"
        parameters, shape, configuration = layer.parameters, bottoms[0], self.configuration
        most_filters = LARGEST_FILTER_BLOCKS * configuration.pk
        limits = (
            ("kernel", _by(parameters.kernel), parameters.kernel == (3, 3), "3x3"),
            ("stride", _by(parameters.strides), parameters.strides == (1, 1), "1x1"),
            ("dilation", _by(parameters.dilations), parameters.dilations == (1, 1), "1x1"),
            ("group", parameters.group, parameters.group == 1, "1"),
            ("pad", _by(parameters.pads), max(parameters.pads) <= LARGEST_PAD, f"at most {LARGEST_PAD}"),
            ("input channels", shape.dims[1], shape.dims[1] <= configuration.largest_channels,
             f"at most {configuration.largest_channels} (largest_channels)"),
            ("output channels", parameters.num_output, parameters.num_output <= most_filters,
             f"at most {most_filters} ({LARGEST_FILTER_BLOCKS} blocks of pk)"),
            ("map", _by(shape.dims[2:]), max(shape.dims[2:]) <= LARGEST_EDGE, f"at most {LARGEST_EDGE} a side"),
        )
        for what, value, fits, limit in limits:
            if not fits:
                return f"{what} is {value}; the engine takes {limit}"
        for fused in layer.fused:
            if fused.type != "ReLU" or fused.parameters.negative_slope != 0:
                return f"'{fused.name}' ({fused.type}) is fused into it; the engine takes ReLU of slope 0"
        try:
            self._blocking(layer, shape)
        except LayerError as error:
            return str(error)
        return None

    def estimate(self, layer: LayerSpec, bottoms: tuple[TensorShape, ...]) -> Estimate:
        blocking = self._blocking(layer, bottoms[0])
        return Estimate(cycles=blocking.cycles, macs=blocking.shape.macs, multipliers=self.multipliers)

    def job(self, layer: str, convolution: IntegerConvolution, bottom: TensorShape) -> Job:
        batch, channels, height, width = bottom.dims
        shape = ConvolutionShape(batch=batch, channels=channels, filters=convolution.out_channels, height=height,
                                 width=width, pad=convolution.pad)
        return Job(layer=layer, convolution=convolution, blocking=choose_blocking(self.configuration, shape, layer))

    def design(self) -> Design:
        return Design(engine=self.name, configuration=self.configuration, configuration_hash=self.configuration.hash,
                      beat_bits=self.configuration.beat_bits, signature=engine_signature(self.configuration),
                      component=lambda: WinogradEngine(self.configuration))

    def _blocking(self, layer: LayerSpec, bottom: TensorShape) -> Blocking:
        batch, channels, height, width = bottom.dims
        vertical, horizontal = layer.parameters.pads
        _, filters, _, _ = Convolution.top_shapes(layer, (bottom,))[0].dims
        shape = ConvolutionShape(batch=batch, channels=channels, filters=filters, height=height, width=width,
                                 pad=(vertical, vertical, horizontal, horizontal))
        return choose_blocking(self.configuration, shape, layer.name)


def _by(pair: tuple[int, ...]) -> str:
    return "x".join(str(value) for value in pair)

"""What every engine answers, and the registry that finds it by name."""

from __future__ import annotations

from abc import ABC, abstractmethod

from cortado.engines.add_job import AddJob
from cortado.engines.design import Design
from cortado.engines.estimate import Estimate
from cortado.engines.job import Job
from cortado.engines.map_layer import MapOperation
from cortado.engines.pooling_job import PoolingJob
from cortado.gateware.mapping import NOTHING_STAYS, Mapping, Staying
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.numerics.convolution import IntegerConvolution
from cortado.registry import Registry

engine_types: Registry[type[Engine]] = Registry("engine")


class Engine(ABC):
    """A generator of hardware for some layers, with one configuration."""

    name: str
    multipliers: int
    data_bits: int
    """Of an activation: 8 or 16."""
    weight_bits: int
    """Of a weight: 8, or 16 where activations have them."""

    @classmethod
    @abstractmethod
    def from_fields(cls, fields: dict[str, object]) -> Engine:
        """The engine with the given fields of its configuration, the rest by default.

        Raises `ConfigurationError` for an unknown field or a value outside the legal range.
        """

    @abstractmethod
    def rejects(self, layer: LayerSpec, bottoms: tuple[TensorShape, ...]) -> str | None:
        """Why this engine cannot take the layer, in words that name the limit; None when it can."""

    @abstractmethod
    def estimate(self, layer: LayerSpec, bottoms: tuple[TensorShape, ...],
                 staying: Staying = NOTHING_STAYS) -> Estimate:
        """What the layer costs on the device; only for a layer that is not rejected."""

    @abstractmethod
    def mapping(self, layer: LayerSpec, bottoms: tuple[TensorShape, ...],
                staying: Staying = NOTHING_STAYS) -> Mapping | None:
        """How the layer runs, with what else was weighed; only for a layer that is not rejected.

        None for one that runs from map to map, without the multipliers.
        """

    @abstractmethod
    def job(self, layer: str, convolution: IntegerConvolution, bottom: TensorShape,
            staying: Staying = NOTHING_STAYS) -> Job:
        """The layer with its integer weights, on maps of shape `bottom`, ready for a device."""

    @abstractmethod
    def map_job(self, layer: str, operation: MapOperation, bottom: TensorShape) -> PoolingJob | AddJob:
        """A pooling or addition with its integer factors, on maps of shape `bottom`, ready for a device."""

    @abstractmethod
    def design(self) -> Design:
        """The circuit."""

"""The fields of a network and of any layer, as the binder reads them. A layer type's own fields are in its file.

Source: `caffe.proto` of BVLC/caffe, messages NetParameter, LayerParameter and ParamSpec.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cortado.frontends.netstate import NetState, NetStateRule, Phase
from cortado.frontends.textformat import Message
from cortado.frontends.v1_layer import ShareMode
from cortado.graph.spec import BlobSettings
from cortado.layers.input import BlobShape


@dataclass(frozen=True, kw_only=True)
class NetFields:
    """Caffe's NetParameter; layers are read one by one, once it is known which are in the network."""

    name: str = ""
    input: tuple[str, ...] = ()
    input_shape: tuple[BlobShape, ...] = ()
    input_dim: tuple[int, ...] = ()
    force_backward: bool = False
    state: NetState = field(default_factory=NetState)
    debug_info: bool = False
    layer: tuple[Message, ...] = ()
    layers: tuple[Message, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ParamFields:
    """Caffe's ParamSpec."""

    name: str = ""
    share_mode: ShareMode = ShareMode.STRICT
    lr_mult: float = 1.0
    decay_mult: float = 1.0


@dataclass(frozen=True, kw_only=True)
class LayerFields:
    """The fields of Caffe's LayerParameter that do not depend on the type, and `ocl_enable` of the paper's fork."""

    name: str = ""
    type: str
    bottom: tuple[str, ...] = ()
    top: tuple[str, ...] = ()
    phase: Phase | None = None
    include: tuple[NetStateRule, ...] = ()
    exclude: tuple[NetStateRule, ...] = ()
    loss_weight: tuple[float, ...] = ()
    param: tuple[ParamFields, ...] = ()
    propagate_down: tuple[bool, ...] = ()
    ocl_enable: bool | None = None
    blobs: tuple[Message, ...] = ()

    @property
    def blob_settings(self) -> tuple[BlobSettings, ...]:
        """What `param` says, blob by blob."""
        return tuple(BlobSettings(name=param.name, lr_mult=param.lr_mult, decay_mult=param.decay_mult)
                     for param in self.param)


@dataclass(frozen=True, kw_only=True)
class TypeFields:
    """What decides which other fields a layer may have."""

    type: str


@dataclass(frozen=True, kw_only=True)
class RuleFields:
    """What decides whether a layer is in the network."""

    include: tuple[NetStateRule, ...] = ()
    exclude: tuple[NetStateRule, ...] = ()

"""Caffe's V1 layers (`layers { type: CONVOLUTION ... }`), as the layers they became.

Source: `caffe.proto`, message V1LayerParameter, and `upgrade_proto.cpp`, UpgradeV1LayerParameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest
from typing import ClassVar

from cortado.frontends.netstate import NetStateRule
from cortado.frontends.textformat import Message
from cortado.graph.spec import BlobSettings


class V1LayerType(Enum):
    """V1LayerParameter.LayerType, with its numbers."""

    NONE = 0
    ACCURACY = 1
    BNLL = 2
    CONCAT = 3
    CONVOLUTION = 4
    DATA = 5
    DROPOUT = 6
    EUCLIDEAN_LOSS = 7
    FLATTEN = 8
    HDF5_DATA = 9
    HDF5_OUTPUT = 10
    IM2COL = 11
    IMAGE_DATA = 12
    INFOGAIN_LOSS = 13
    INNER_PRODUCT = 14
    LRN = 15
    MULTINOMIAL_LOGISTIC_LOSS = 16
    POOLING = 17
    RELU = 18
    SIGMOID = 19
    SOFTMAX = 20
    SOFTMAX_LOSS = 21
    SPLIT = 22
    TANH = 23
    WINDOW_DATA = 24
    ELTWISE = 25
    POWER = 26
    SIGMOID_CROSS_ENTROPY_LOSS = 27
    HINGE_LOSS = 28
    MEMORY_DATA = 29
    ARGMAX = 30
    THRESHOLD = 31
    DUMMY_DATA = 32
    SLICE = 33
    MVN = 34
    ABSVAL = 35
    SILENCE = 36
    CONTRASTIVE_LOSS = 37
    EXP = 38
    DECONVOLUTION = 39

    @property
    def modern_name(self) -> str:
        """The type string of today: CONVOLUTION became "Convolution"."""
        return _IRREGULAR_NAMES.get(self.name) or "".join(word.capitalize() for word in self.name.split("_"))


# The names that are not their V1 words in capitalised form.
_IRREGULAR_NAMES = {
    "ABSVAL": "AbsVal",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "LRN": "LRN",
    "MVN": "MVN",
    "RELU": "ReLU",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "TANH": "TanH",
}


class ShareMode(Enum):
    """How strictly shared blobs must agree in shape; this reader always asks for equal shapes."""

    STRICT = 0
    PERMISSIVE = 1


@dataclass(frozen=True, kw_only=True)
class V1LayerFields:
    """The fields of a V1 layer that do not depend on its type."""

    name: str = ""
    type: V1LayerType
    bottom: tuple[str, ...] = ()
    top: tuple[str, ...] = ()
    include: tuple[NetStateRule, ...] = ()
    exclude: tuple[NetStateRule, ...] = ()
    loss_weight: tuple[float, ...] = ()
    param: tuple[str, ...] = ()
    blob_share_mode: tuple[ShareMode, ...] = ()
    blobs_lr: tuple[float, ...] = ()
    weight_decay: tuple[float, ...] = ()
    blobs: tuple[Message, ...] = ()

    # What came after V1, as a file without it has it.
    ocl_enable: ClassVar[None] = None
    propagate_down: ClassVar[tuple[bool, ...]] = ()

    @property
    def blob_settings(self) -> tuple[BlobSettings, ...]:
        """What V1 writes in three lists, blob by blob."""
        rows = zip_longest(self.param, self.blobs_lr, self.weight_decay)
        return tuple(
            BlobSettings(name=name or "", lr_mult=1.0 if lr is None else lr, decay_mult=1.0 if decay is None else decay)
            for name, lr, decay in rows
        )

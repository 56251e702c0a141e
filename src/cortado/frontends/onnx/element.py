"""Element types in ONNX's words, and which layer types compute with which. No operator lives here."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from cortado.layers.element_type import ElementType

FLOAT = ElementType.FLOAT
ALL = tuple(ElementType)
# What is computed with: small types are only moved and cast.
COMPUTED = tuple(element for element in ElementType if not element.is_small)
REAL = tuple(element for element in COMPUTED if element.is_real)
# Torch computes with them; a layer type that does not takes FLOAT instead.
HALVES = (ElementType.FLOAT16, ElementType.BFLOAT16)
NUMBERS = tuple(element for element in COMPUTED if element is not ElementType.BOOL)
# What torch computes with; of the wider types without a sign it only moves values.
COMPUTABLE = tuple(element for element in NUMBERS
                   if element not in (ElementType.UINT16, ElementType.UINT32, ElementType.UINT64))

# ONNX's element type of a NumPy type.
CONVERTED: Mapping[np.dtype, ElementType] = {element.numpy: element for element in ElementType}

# Layer types that take other values than float32.
TAKES_ANY: Mapping[str, tuple[ElementType, ...]] = {
    **dict.fromkeys(("Cast", "Concat", "DequantizeLinear", "Expand", "Flatten", "Gather", "Permute", "Reshape", "Slice",
                     "Split", "StridedSlice", "Where"), ALL),
    "Binary": COMPUTED,
    **dict.fromkeys(("AbsVal", "ArgExtreme", "Clip", "MatMul", "Pad", "Resize", "WindowPooling"), COMPUTABLE),
    "Reduce": (*COMPUTABLE, ElementType.BOOL),
    **dict.fromkeys(("Bias", "ELU", "Exp", "Gelu", "Log", "LogSoftmax", "Power", "QuantizeLinear", "ReLU", "Sigmoid",
                     "Softmax", "TanH"), REAL),
    # Its trained blobs become what its bottom is.
    "Convolution": (FLOAT, ElementType.DOUBLE),
    "Unary": (*COMPUTABLE, ElementType.BOOL),
}


def element_words(elements: Collection[ElementType]) -> str:
    """Their names."""
    return ", ".join(element.name for element in elements)

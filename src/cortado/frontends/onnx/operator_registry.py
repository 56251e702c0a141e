"""The registries of operators. No operator lives here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cortado.frontends.onnx.node import Node
from cortado.registry import Registry

if TYPE_CHECKING:
    from cortado.frontends.onnx.translation import Translation, Value

# What an operator makes of values that depend on the network's input: it adds layers to the translation and gives the
# node's outputs. `ModelFileError` (`node.error`) or `GraphError` for what no layer can express.
operators: Registry[Callable[[Node, Translation], Value | tuple[Value, ...]]] = Registry("operator")

# What an operator makes of constants alone.
foldings: Registry[Callable[[Node, Translation], np.ndarray]] = Registry("operator")


def supported_operators() -> tuple[str, ...]:
    """Names of all of them."""
    return tuple(sorted({*operators, *foldings}))

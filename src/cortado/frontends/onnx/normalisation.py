"""Normalisation of batches, channels and layers; Dropout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cortado.frontends.onnx.element import FLOAT
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.repeated import on_distinct
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.graph.shape import TensorShape
from cortado.layers.batch_norm import BatchNormParameters
from cortado.layers.bias import BiasParameters
from cortado.layers.binary import BinaryOperation, BinaryParameters
from cortado.layers.dropout import DropoutParameters
from cortado.layers.element_type import ElementType
from cortado.layers.lrn import LRNParameters
from cortado.layers.power import PowerParameters
from cortado.layers.reduce import ReduceOperation, ReduceParameters
from cortado.layers.scale import ScaleParameters


@operators.register("BatchNormalization")
def batch_normalization(node: Node, net: Translation) -> Value | tuple[Value, ...]:
    """Two layers, as Caffe has it: BatchNorm, then Scale."""
    bottom = net.blob(node, 0)
    node.choice("spatial", 1, 1)
    if node.integer("training_mode", 0):
        return _batch_statistics(node, net, bottom)
    node.ignore("momentum")
    gamma, beta, mean, variance = (net.numbers(node, index) for index in range(1, 5))
    parameters = BatchNormParameters(use_global_stats=True, eps=node.number("epsilon", 1e-5))
    normal = net.add(node, "BatchNorm", (bottom,), parameters, (mean, variance, np.ones(1, np.float32)), part="normal")
    return net.add(node, "Scale", (normal,), ScaleParameters(bias_term=True), (gamma, beta))


def _batch_statistics(node: Node, net: Translation, bottom: Blob) -> tuple[Value, ...]:
    """Normalised by the batch itself, which moves the stored mean and variance."""
    rank, momentum = bottom.shape.rank, node.number("momentum", 0.9)
    if rank < 2:
        raise node.error(f"input 0 must have at least two dimensions, not {bottom.shape}")
    axes = (0, *range(2, rank))
    normal, mean, variance = _standardised(node, net, bottom, axes, node.number("epsilon", 1e-5))
    result = net.add(node, "Scale", (normal,), ScaleParameters(bias_term=True),
                     (net.numbers(node, 1), net.numbers(node, 2)))
    moved = []
    for output, (seen, stored) in enumerate(((mean, 3), (variance, 4)), start=1):
        if output >= len(node.outputs) or not node.outputs[output]:
            break
        flat = net.add(node, "Reduce", (seen,), ReduceParameters(operation=ReduceOperation.SUM, axis=axes,
                                                                 keep_dims=False), part="flat", output=output)
        share = net.add(node, "Power", (flat,), PowerParameters(scale=1 - momentum), part="share", output=output)
        kept = on_distinct(lambda distinct: distinct * np.float32(momentum), net.numbers(node, stored))
        moved.append(net.add(node, "Bias", (share,), BiasParameters(axis=0), (kept,), output=output))
    return (result, *moved)


@operators.register("InstanceNormalization")
def instance_normalization(node: Node, net: Translation) -> Value:
    """Every channel of every picture by itself."""
    bottom = net.blob(node, 0)
    if bottom.shape.rank < 3:
        raise node.error(f"input 0 must have at least three dimensions, not {bottom.shape}")
    normal, _, _ = _standardised(node, net, bottom, tuple(range(2, bottom.shape.rank)), node.number("epsilon", 1e-5))
    return net.add(node, "Scale", (normal,), ScaleParameters(bias_term=True),
                   (net.numbers(node, 1), net.numbers(node, 2)))


@operators.register("LayerNormalization")
def layer_normalization(node: Node, net: Translation) -> Value | tuple[Value, ...]:
    """All axes from one on together. Source: Ba et al. 2016, equation 3."""
    bottom = net.blob(node, 0)
    node.choice("stash_type", 1, 1)
    axis = node.axis(-1, bottom.shape.rank)
    normal, mean, variance = _standardised(node, net, bottom, tuple(range(axis, bottom.shape.rank)),
                                           node.number("epsilon", 1e-5))
    operands = [(BinaryOperation.MUL, net.blob(node, 1))]
    if node.reads(2):
        operands.append((BinaryOperation.ADD, net.blob(node, 2)))
    result = normal
    for index, (operation, operand) in enumerate(operands):
        result = net.add(node, "Binary", (result, operand), BinaryParameters(operation=operation),
                         part="" if index == len(operands) - 1 else "scaled")
    outputs = [result]
    if len(node.outputs) > 1 and node.outputs[1]:
        outputs.append(net.add(node, "Power", (mean,), PowerParameters(), output=1))
    if len(node.outputs) > 2 and node.outputs[2]:
        epsilon = node.number("epsilon", 1e-5)
        outputs.append(net.add(node, "Power", (variance,), PowerParameters(power=-0.5, shift=epsilon), output=2))
    return tuple(outputs)


@operators.register("MeanVarianceNormalization")
def mean_variance_normalization(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    axes = tuple(node.front_axis(axis, bottom.shape.rank) for axis in node.integers("axes", (0, 2, 3)))
    normal, _, _ = _standardised(node, net, bottom, axes, 1e-9)
    return net.add(node, "Power", (normal,), PowerParameters())


def _standardised(node: Node, net: Translation, bottom: Blob, axes: Sequence[int],
                  epsilon: float) -> tuple[Blob, Blob, Blob]:
    """(x - mean) / sqrt(variance + epsilon) over the axes, the mean and the variance, which keep the axes."""
    if bottom.element is not FLOAT:
        raise node.error(f"input 0 must be FLOAT, not {bottom.element.name}")
    average = ReduceParameters(operation=ReduceOperation.MEAN, axis=tuple(axes))
    mean = net.add(node, "Reduce", (bottom,), average, part="mean")
    centred = net.add(node, "Binary", (bottom, mean), BinaryParameters(operation=BinaryOperation.SUB), part="centred")
    squares = net.add(node, "Power", (centred,), PowerParameters(power=2.0), part="squares")
    variance = net.add(node, "Reduce", (squares,), average, part="variance")
    deviation = net.add(node, "Power", (variance,), PowerParameters(power=0.5, shift=epsilon), part="deviation")
    normal = net.add(node, "Binary", (centred, deviation), BinaryParameters(operation=BinaryOperation.DIV),
                     part="normal")
    return normal, mean, variance


@operators.register("LRN")
def local_response_normalization(node: Node, net: Translation) -> Value:
    parameters = LRNParameters(local_size=node.integer("size"), alpha=node.number("alpha", 1e-4),
                               beta=node.number("beta", 0.75), k=node.number("bias", 1.0))
    return net.add(node, "LRN", (net.blob(node, 0),), parameters)


@operators.register("Dropout")
def dropout(node: Node, net: Translation) -> Value | tuple[Value, ...]:
    """The layer, which is the identity outside training; `drop_dropout` takes it out. Its mask lets everything pass."""
    node.ignore("seed")
    ratio, training = 0.5, 0.0
    if net.opset < 12:
        ratio = node.number("ratio", ratio)
    elif node.reads(1):
        ratio = float(net.constant(node, 1).reshape(-1)[0]) if net.constant(node, 1).size == 1 else None
    if node.reads(2):
        training = float(net.constant(node, 2).any())
    if ratio is None or (training and ratio):
        raise node.error("training_mode must be the constant false, or ratio the constant 0: values that are dropped "
                         "at random are not supported")
    bottom = net.blob(node, 0)
    result = net.add(node, "Dropout", (bottom,), DropoutParameters(dropout_ratio=ratio))
    if len(node.outputs) < 2:
        return result
    return result, _mask(bottom.shape)


def _mask(shape: TensorShape) -> np.ndarray:
    # One value, as often as there are values.
    return np.broadcast_to(np.array(True, ElementType.BOOL.numpy), shape.dims)

"""BatchNormalization, LRN, Dropout."""

from __future__ import annotations

import numpy as np

from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.translation import Translation, Value
from cortado.layers.batch_norm import BatchNormParameters
from cortado.layers.dropout import DropoutParameters
from cortado.layers.lrn import LRNParameters
from cortado.layers.scale import ScaleParameters


@operators.register("BatchNormalization")
def batch_normalization(node: Node, net: Translation) -> Value:
    """Two layers, as Caffe has it: BatchNorm, then Scale."""
    bottom = net.blob(node, 0)
    node.choice("training_mode", 0, 0)
    node.choice("spatial", 1, 1)
    node.ignore("momentum")
    gamma, beta, mean, variance = (net.numbers(node, index) for index in range(1, 5))
    parameters = BatchNormParameters(use_global_stats=True, eps=node.number("epsilon", 1e-5))
    normal = net.add(node, "BatchNorm", (bottom,), parameters, (mean, variance, np.ones(1, np.float32)), part="normal")
    return net.add(node, "Scale", (normal,), ScaleParameters(bias_term=True), (gamma, beta))


@operators.register("LRN")
def local_response_normalization(node: Node, net: Translation) -> Value:
    parameters = LRNParameters(local_size=node.integer("size"), alpha=node.number("alpha", 1e-4),
                               beta=node.number("beta", 0.75), k=node.number("bias", 1.0))
    return net.add(node, "LRN", (net.blob(node, 0),), parameters)


@operators.register("Dropout")
def dropout(node: Node, net: Translation) -> Value:
    """The layer, which is the identity outside training; `drop_dropout` takes it out."""
    node.ignore("seed")
    ratio, training = 0.5, 0.0
    if net.opset < 12:
        ratio = node.number("ratio", ratio)
    elif node.reads(1):
        ratio = net.scalar(node, 1)
    if node.reads(2):
        training = net.scalar(node, 2)
    if training != 0 or ratio is None:
        raise node.error("training_mode must be the constant false, and ratio a constant: nothing else is supported")
    return net.add(node, "Dropout", (net.blob(node, 0),), DropoutParameters(dropout_ratio=ratio))

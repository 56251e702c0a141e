from __future__ import annotations

import numpy as np

from cortado.graph.spec import LayerSpec
from cortado.layers.evaluation import evaluate
from cortado.layers.power import PowerParameters
from cortado.layers.scale import ScaleParameters


def test_layers_after_one_another():
    layers = (LayerSpec(name="a", type="Power", bottoms=("x",), tops=("y",), parameters=PowerParameters(scale=2.0)),
              LayerSpec(name="b", type="Scale", bottoms=("y",), tops=("z",), parameters=ScaleParameters()))
    x = np.ones((1, 2), np.float32)
    x.flags.writeable = False
    found = evaluate(layers, {"b": (np.array([3.0, 4.0]),)}, {"x": x})
    np.testing.assert_array_equal(found["z"], [[6, 8]])

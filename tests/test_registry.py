"""The registry: what workloads add is found when it is asked for, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cortado.registry import Registry


def test_workloads_add_entries_when_an_unknown_name_is_asked_for():
    program = ("import sys\n"
               "from cortado.layers.layer import layer_types\n"
               "import cortado.layers\n"
               "layer_types['ReLU']\n"
               "before = any(name.startswith('cortado.workloads') for name in sys.modules)\n"
               "print(before, layer_types['LogDifferenceData'].__name__)")
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert printed.stdout == "False LogDifferenceData\n"


def test_without_workloads_a_registry_has_what_was_registered():
    registry = Registry("thing")
    registry.register("a", "b")(1)
    assert (list(registry), len(registry), registry["b"], "c" in registry) == (["a", "b"], 2, 1, False)
    with pytest.raises(LookupError) as caught:
        registry["c"]
    assert str(caught.value) == "unknown thing 'c' (known: a, b)"
    with pytest.raises(ValueError, match=r"^thing 'a' is already registered by 1$"):
        registry.register("a")(2)

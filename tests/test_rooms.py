"""The house rules: rooms import only themselves and rooms above them, and an outside package has its owners."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "src" / "cortado"

# In the order data flows. `__init__` is the package's own module, `__main__` is `python -m cortado`.
ROOMS = ("__init__", "errors", "registry", "resources", "whole_file", "graph", "numerics", "datasets", "messages",
         "layers", "frontends", "passes", "net", "solver", "pycaffe", "winograd", "gateware", "engines", "simulation",
         "synthesis", "boards", "hls", "device", "planner", "executor", "workloads", "bench", "conformance", "report",
         "cli", "__main__")

# The rooms that may import a package; None is every room. A package that is not here has no place in the house yet.
OWNERS = {
    "numpy": None,
    "torch": {"layers", "net", "solver", "pycaffe", "planner", "executor", "workloads"},
    "amaranth": {"gateware", "engines", "simulation", "boards"},
    # The executor speaks onnx's own interface for running models.
    "onnx": {"frontends", "executor"},
    # Element types that NumPy lacks.
    "ml_dtypes": {"layers", "frontends"},
    # Protobuf, which onnx reads its files with, and the messages that pycaffe gives its users.
    "google": {"frontends", "pycaffe"},
    "PIL": {"frontends", "layers", "pycaffe"},
    # Files and data bases that data layers read; the last two only where they are installed. Snapshots are HDF5 too.
    "h5py": {"messages", "layers"},
    "lmdb": {"layers"},
    "plyvel": {"layers"},
    "pooch": {"frontends"},
    "requests": {"frontends"},
    "sklearn": {"datasets", "workloads"},
    # Pictures of what a workload found.
    "matplotlib": {"workloads"},
    "filelock": {"simulation"},
    "grpc": {"device"},
    "pytest": {"conformance"},
    # Texts that are mostly text: benches to start from, C++ for HLS, files for a board.
    "jinja2": {"simulation", "boards", "hls"},
    "cocotb_tools": {"simulation"},
    "rich": {"report", "cli"},
    "click": {"cli"},
}

SLOW_PACKAGES = ("torch", "amaranth", "sklearn", "PIL", "onnx", "grpc", "rich", "matplotlib")


def imported_modules(source: str) -> list[str]:
    """Dotted names of everything a module imports, wherever in it the import stands."""
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "cortado":
            # `from cortado import errors` is the module, `from cortado import __version__` a name of the package.
            modules.extend(f"cortado.{alias.name}" if alias.name in ROOMS else "cortado" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            modules.append("." * node.level + (node.module or ""))
    return modules


def offences(room: str, source: str) -> list[str]:
    """What a module of `room` imports against the rules, in words."""
    found = []
    for module in imported_modules(source):
        top, _, rest = module.partition(".")
        if not top:
            found.append(f"{room} imports {module}, which must be written as cortado.{module.lstrip('.')}")
        elif top == "cortado":
            other = rest.partition(".")[0] or "__init__"
            if other not in ROOMS:
                found.append(f"{room} imports {module}, which is in no room")
            elif ROOMS.index(other) > ROOMS.index(room):
                found.append(f"{room} imports {module}, a later room")
        elif top not in sys.stdlib_module_names:
            if top not in OWNERS:
                found.append(f"{room} imports {top}, which no room owns")
            elif OWNERS[top] is not None and room not in OWNERS[top]:
                found.append(f"{top} belongs to {sorted(OWNERS[top])}, not {room}")
    return found


def room_of(path: Path) -> str:
    """The room a module is in."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_room_may(path):
    assert offences(room_of(path), path.read_text(encoding="utf-8")) == []


def test_every_room_has_its_place():
    assert {room_of(path) for path in MODULES} == set(ROOMS)


@pytest.mark.parametrize(("room", "source", "expected"), [
    ("graph", "from cortado.layers.layer import Layer", ["graph imports cortado.layers.layer, a later room"]),
    ("graph", "import cortado.layers", ["graph imports cortado.layers, a later room"]),
    ("graph", "from cortado import cli", ["graph imports cortado.cli, a later room"]),
    ("graph", "from cortado import errors", []),
    ("graph", "from cortado import __version__", []),
    ("graph", "from cortado.errors import GraphError\nfrom cortado.graph.shape import TensorShape", []),
    ("graph", "def f():\n    from cortado.net.net import Net", ["graph imports cortado.net.net, a later room"]),
    ("graph", "from .shape import TensorShape", ["graph imports .shape, which must be written as cortado.shape"]),
    ("graph", "from cortado.attic import old", ["graph imports cortado.attic, which is in no room"]),
    ("graph", "import torch.nn", [
        "torch belongs to ['executor', 'layers', 'net', 'planner', 'pycaffe', 'solver', 'workloads'], not graph"]),
    ("layers", "from torch import Tensor\nimport numpy as np\nimport math", []),
    ("layers", "import pandas", ["layers imports pandas, which no room owns"]),
])
def test_the_rules_catch(room, source, expected):
    assert offences(room, source) == expected


def test_help_waits_for_no_slow_package():
    program = f"import sys, cortado.cli; print([name for name in {SLOW_PACKAGES!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert printed.stdout == "[]\n"


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_the_rooms_are_listed_in_the_order_of_the_flow(page):
    table = re.search(r"^\| room \|.*\n((?:\|.*\n)+)", (CHECKOUT / page).read_text(encoding="utf-8"), re.MULTILINE)
    listed = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", table.group(1), re.MULTILINE)
    assert tuple(listed) == tuple(room for room in ROOMS if not room.startswith("__"))

"""Does a network file run: read, built, and run forward once with weights and inputs drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from cortado.errors import CortadoError, LayerError, ModelFileError
from cortado.frontends.file import read_text
from cortado.frontends.model import load_model
from cortado.frontends.prototxt import SOLVER_FIELDS
from cortado.frontends.solver_file import read_solver
from cortado.frontends.textformat import parse_text
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec, Weights
from cortado.layers.data_source import DataSource
from cortado.layers.input import BlobShape, InputParameters
from cortado.layers.layer import layer_types
from cortado.net.net import Net

SUFFIXES = (".prototxt", ".onnx")

PHASES = ("TEST", "TRAIN")


@dataclass(frozen=True, kw_only=True)
class NetworkCheck:
    """What became of one network of a file: `refused` says in one line why it did not run, or is None.

    `role` is the phase, or what the network is to a solver file. `stand_ins` are the data layers whose source is not
    here and in whose place random values ran. `outputs` has the shape of every output, `not_finite` the names of those
    with a value that is no finite number.
    """

    file: str
    role: str
    network: str = ""
    layers: int = 0
    stand_ins: tuple[str, ...] = ()
    outputs: Mapping[str, TensorShape] = field(default_factory=dict)
    not_finite: tuple[str, ...] = ()
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class NetworkChecker:
    """Checks files with `batch` items in every input; `data_shape` is that of the items of data layers whose source is
    not here: without it, such layers are refused.
    """

    batch: int = 1
    seed: int = 0
    data_shape: tuple[int, ...] = ()

    def check(self, path: Path) -> Iterator[NetworkCheck]:
        """Of a file all its networks, both phases of a prototxt one by one; of a folder those of all files in it.

        Raises `ModelFileError` for a path that is neither.
        """
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES)
            if not files:
                raise ModelFileError(f"a folder must hold networks ({', '.join(SUFFIXES)}), it holds none", file=path)
        elif path.is_file():
            files = [path]
        else:
            raise ModelFileError("the file cannot be read: No such file or directory", file=path)
        for file in files:
            yield from self._file(file)

    def _file(self, path: Path) -> Iterator[NetworkCheck]:
        try:
            if path.suffix != ".onnx" and _is_solver(path):
                yield from self._solver(path)
                return
        except CortadoError as error:
            yield NetworkCheck(file=str(path), role="file", refused=str(error))
            return
        for phase in PHASES if path.suffix != ".onnx" else PHASES[:1]:
            try:
                model = load_model(path, phase=phase)
                yield self._run(path, phase, model.spec, model.weights)
            except CortadoError as error:
                yield NetworkCheck(file=str(path), role=phase, refused=str(error))

    def _solver(self, path: Path) -> Iterator[NetworkCheck]:
        try:
            solver = read_solver(path)
        except CortadoError as error:
            yield NetworkCheck(file=str(path), role="solver", refused=str(error))
            return
        for role, spec in (("solver, training", solver.training),
                           *((f"solver, test {index}", test) for index, test in enumerate(solver.tests))):
            try:
                yield self._run(path, role, spec, None)
            except CortadoError as error:
                yield NetworkCheck(file=str(path), role=role, network=spec.name, refused=str(error))

    def _run(self, path: Path, role: str, spec: NetSpec, weights: Weights | None) -> NetworkCheck:
        # A check leaves no file behind.
        kept = tuple(layer for layer in spec.layers if layer.type != "HDF5Output")
        layers = tuple(self._with_data(layer) for layer in kept)
        stand_ins = tuple(layer.name for layer, given in zip(kept, layers, strict=True) if layer is not given)
        net = Net(replace(spec, layers=layers), weights, batch=self.batch, seed=self.seed)
        generator = torch.Generator().manual_seed(self.seed)
        # Labels are of one dimension, and 0 is a label of every network.
        inputs = {name: torch.randn(net.shapes[name].dims, generator=generator) if net.shapes[name].rank > 1
                  else torch.zeros(net.shapes[name].dims) for name in net.inputs}
        with torch.no_grad():
            values = net(inputs)
        return NetworkCheck(
            file=str(path), role=role, network=spec.name, layers=len(spec.layers), stand_ins=stand_ins,
            outputs={name: TensorShape(tuple(values[name].shape)) for name in net.outputs},
            not_finite=tuple(name for name in net.outputs if not torch.isfinite(values[name]).all()))

    def _with_data(self, layer: LayerSpec) -> LayerSpec:
        """The layer, or an Input layer in the place of one whose data is not here."""
        layer_type = layer_types[layer.type]
        if not self.data_shape or not issubclass(layer_type, DataSource):
            return layer
        try:
            layer_type.shapes(layer, ())
        except LayerError:
            shapes = [(self.batch, *self.data_shape), *[(self.batch,)] * (len(layer.tops) - 1)]
            return replace(layer, type="Input", parameters=InputParameters(
                shape=tuple(BlobShape(dim=shape) for shape in shapes)))
        return layer


def _is_solver(path: Path) -> bool:
    tree = parse_text(read_text(path), str(path))
    return any(tree.named(name) for name in SOLVER_FIELDS)

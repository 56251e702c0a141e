"""A solver file (solver.prototxt) -> how to train, and the networks it trains and tests.

Source: `caffe.proto`, message SolverParameter, and `solver.cpp`, Solver::InitTrainNet and InitTestNets, of BVLC/caffe.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from cortado.errors import ModelFileError
from cortado.frontends.binding import bind
from cortado.frontends.file import read_text
from cortado.frontends.netstate import NetState
from cortado.frontends.prototxt import network_of, parse_prototxt
from cortado.frontends.text_token import error_at
from cortado.frontends.textformat import Field, Message, parse_text
from cortado.graph.solver_spec import SolverSpec
from cortado.graph.spec import NetSpec
from cortado.layers.source_path import source_path

WHO = "solver"

TRAINING_NETWORKS = ("net", "net_param", "train_net", "train_net_param")


@dataclass(frozen=True, kw_only=True)
class SolverFile:
    """`tests` has one network for each `test_iter`; `path` is the file it all was read from."""

    spec: SolverSpec
    training: NetSpec
    tests: tuple[NetSpec, ...]
    path: Path

    def with_fields(self, **fields: Any) -> SolverFile:
        """The file with other fields of SolverParameter; raises `FieldError`."""
        return replace(self, spec=replace(self.spec, **fields))

    def with_parameters(self, layer: str, **fields: Any) -> SolverFile:
        """The file with other parameters in a layer of every network that has it; `LookupError` where none has."""
        networks = (self.training, *self.tests)
        having = [any(entry.name == layer for entry in net.layers) for net in networks]
        if not any(having):
            # Says what layers there are.
            self.training.layer(layer)
        training, *tests = (net.with_parameters(layer, **fields) if has else net
                            for net, has in zip(networks, having, strict=True))
        return replace(self, training=training, tests=tuple(tests))

    def with_loss_weight(self, layer: str, weight: float) -> SolverFile:
        """The file with another weight for the loss of a layer of the training network; `LookupError` without it."""
        return replace(self, training=self.training.with_loss_weight(layer, weight))


@dataclass(frozen=True, kw_only=True)
class _NetworkFields:
    """The fields of SolverParameter that name networks and the states they are built for."""

    net: str = ""
    net_param: Message | None = None
    train_net: str = ""
    train_net_param: Message | None = None
    test_net: tuple[str, ...] = ()
    test_net_param: tuple[Message, ...] = ()
    train_state: NetState = field(default_factory=NetState)
    test_state: tuple[NetState, ...] = ()


def read_solver(path: str | Path, *, stages: tuple[str, ...] = (), level: int | None = None) -> SolverFile:
    """The solver of a file; `stages` and `level` go to the training network, over those of `train_state`.

    Networks it names are found as `source_path` says. Raises `ModelFileError` for a file that cannot be read as a
    solver, and what `read_prototxt` raises for its networks.
    """
    return parse_solver(read_text(path), path, stages=stages, level=level)


def parse_solver(text: str, path: str | Path, *, stages: tuple[str, ...] = (), level: int | None = None) -> SolverFile:
    """As `read_solver`, from text; `path` is where it would be."""
    tree = parse_text(text, str(path))
    names = {entry.name for entry in fields(_NetworkFields)}
    spec = bind(_part(tree, lambda given: given.name not in names), SolverSpec, WHO, also_known=names)
    networks = bind(_part(tree, lambda given: given.name in names), _NetworkFields, WHO)
    state = networks.train_state
    state = replace(state, stage=(*state.stage, *stages), level=state.level if level is None else level)
    return SolverFile(spec=spec, training=_training(tree, networks, state, Path(path)),
                      tests=_tests(tree, spec, networks, Path(path)), path=Path(path))


def _part(tree: Message, wanted: object) -> Message:
    return Message(tuple(filter(wanted, tree.fields)), tree.position)


def _training(tree: Message, networks: _NetworkFields, state: NetState, path: Path) -> NetSpec:
    given = [named for name in TRAINING_NETWORKS for named in tree.named(name)]
    if len(given) != 1:
        place = given[1].position if given else tree.position
        raise error_at(place, f"{WHO}: the training network must be given by one of {', '.join(TRAINING_NETWORKS)}, "
                              f"not by {len(given)} of them")
    return _network(given[0], networks.net or networks.train_net, state, "TRAIN", path)


def _tests(tree: Message, spec: SolverSpec, networks: _NetworkFields, path: Path) -> tuple[NetSpec, ...]:
    """Those of test_net_param, of test_net, and for the rest of test_iter the network that is trained too."""
    given: list[tuple[Field, str]] = [(named, "") for named in tree.named("test_net_param")]
    given += zip(tree.named("test_net"), networks.test_net, strict=True)
    shared = [named for name in ("net_param", "net") for named in tree.named(name)]
    rest = len(spec.test_iter) - len(given)
    if rest < 0 or (rest and not shared):
        place = (tree.named("test_iter") or tree.named("test_net") or tree.named("test_net_param"))[0].position
        raise error_at(place, f"{WHO}: test_iter must be given once for each test network, {len(spec.test_iter)} are "
                              f"given for {len(given)}")
    given += [(shared[0], networks.net)] * rest if rest else []
    states = networks.test_state or (NetState(),) * len(given)
    if len(states) != len(given):
        raise error_at(tree.named("test_state")[0].position,
                       f"{WHO}: test_state must be given once for each test network or not at all, {len(states)} are "
                       f"given for {len(given)}")
    return tuple(_network(named, name, state, "TEST", path)
                 for (named, name), state in zip(given, states, strict=True))


def _network(named: Field, name: str, state: NetState, phase: str, path: Path) -> NetSpec:
    """The network a field of the solver holds or names. What `state` says goes over what the network's own says."""
    level = state.level or None
    if isinstance(named.value, Message):
        return network_of(named.value, file=str(path), phase=phase, level=level, stages=state.stage)
    file = source_path(name, path)
    if not file.is_file():
        raise ModelFileError(f"{WHO}: field '{named.name}' must name a network file, there is no '{name}' here nor in "
                             "the folders from the solver's upwards", file=named.value.position.file,
                             line=named.value.position.line, column=named.value.position.column)
    return parse_prototxt(read_text(file), file=str(file), phase=phase, level=level, stages=state.stage)

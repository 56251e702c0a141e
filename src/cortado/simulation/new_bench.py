"""What `cortado bench-new` writes: a cocotb bench of any component, from its signature."""

from __future__ import annotations

import gc
import importlib
import inspect
import pkgutil
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

import jinja2
from amaranth.hdl import Fragment, Shape, UnusedElaboratable, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In

import cortado.gateware
from cortado.errors import ConfigurationError, CortadoError
from cortado.gateware.configuration import WinogradConfiguration
from cortado.resources import sim_root
from cortado.whole_file import write_whole

# A small engine, so that a first bench builds in seconds.
SMALL = {"m": 2, "pc": 1, "pk": 1, "beat_bits": 64, "tiles": 8, "block_columns": 4, "buffer_words": 32,
         "largest_taps": 72}
# What an argument may be made of beside literals.
SHAPES = {"signed": signed, "unsigned": unsigned, "range": range}


@dataclass(frozen=True, kw_only=True)
class Port:
    """A stream, by its payload, or a port of its own."""

    name: str
    """A dot goes into an interface."""
    shape: str
    """In words."""
    width: int
    is_input: bool

    @property
    def variable(self) -> str:
        """As a name in Python."""
        return re.sub(r"\W", "_", self.name)


@dataclass(frozen=True, kw_only=True)
class NewBench:
    """A component's class with the arguments, Python expressions by name, it is made with.

    Raises `ConfigurationError` when it cannot be made with them, naming the argument.
    """

    component: type[wiring.Component]
    arguments: Mapping[str, str]

    @property
    def takes_configuration(self) -> bool:
        """Whether it is made from an engine's configuration; the arguments then are fields of that."""
        return list(self._parameters) == ["configuration"]

    @cached_property
    def part(self) -> wiring.Component:
        """One of it, elaborated."""
        part = self._make({name: self._value(name, text) for name, text in self.fields.items()})
        try:
            Fragment.get(part, None)
        except Exception as error:
            raise ConfigurationError(f"component '{self.component.__name__}': it must elaborate, not end with "
                                     f"{type(error).__name__}: {error}") from error
        return part

    @property
    def fields(self) -> dict[str, str]:
        """The arguments, over those of a small engine where it is made from a configuration."""
        base = {name: str(value) for name, value in SMALL.items()} if self.takes_configuration else {}
        return {**base, **self.arguments}

    @property
    def ports(self) -> dict[str, Port]:
        """The streams and, in no stream, the other ports, by name."""
        ports: dict[str, Port] = {}
        self._collect(self.part.signature, (), ports)
        return ports

    @property
    def streams(self) -> dict[str, Port]:
        """Those that are streams."""
        return {name: port for name, port in self.ports.items() if name in self._stream_names}

    @property
    def file_stem(self) -> str:
        """Its name as files have it: `StreamReader` is stream_reader."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", self.component.__name__).lower()

    def render(self, file: str) -> str:
        """The text of the bench; `file` is what it will be called."""
        streams = self.streams
        plain = [port for name, port in self.ports.items() if name not in streams]
        inputs = [port for port in streams.values() if port.is_input]
        outputs = [port for port in streams.values() if not port.is_input]
        name = self.component.__name__
        imports = [f"from {self.component.__module__} import {name}"]
        if self.takes_configuration:
            imports.insert(0, "from cortado.gateware.configuration import WinogradConfiguration")
        shapes = [shape for shape in ("signed", "unsigned") if any(shape + "(" in text
                                                                    for text in self.arguments.values())]
        if shapes:
            imports.insert(0, f"from amaranth.hdl import {', '.join(shapes)}")
        cases = ", ".join(f'"{name}": {text}' for name, text in self.fields.items())
        environment = jinja2.Environment(loader=jinja2.FileSystemLoader(sim_root() / "benches"),
                                         undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
                                         keep_trailing_newline=True)
        return environment.get_template("new_bench.py.j2").render(
            component=name, file=file, imports=sorted(imports), streams=bool(streams), inputs=inputs, outputs=outputs,
            plain_inputs=[port for port in plain if port.is_input],
            plain_outputs=[port for port in plain if not port.is_input],
            passes=len(inputs) == len(outputs) == 1 and inputs[0].shape == outputs[0].shape,
            cases=f'{{"first": {{{cases}}}}}',
            construction=(f"{name}(WinogradConfiguration(**case))" if self.takes_configuration else f"{name}(**case)"))

    def _make(self, values: Mapping[str, object]) -> wiring.Component:
        with warnings.catch_warnings():
            # Half a part, which nobody elaborates, is left where the arguments are refused.
            warnings.simplefilter("ignore", UnusedElaboratable)
            try:
                if self.takes_configuration:
                    return self.component(WinogradConfiguration(**values))
                return self.component(**values)
            except (TypeError, ValueError, AssertionError) as error:
                # A component says by an assertion what it demands of a caller in this package.
                refused = str(error) or type(error).__name__
            gc.collect()
        raise ConfigurationError(f"component '{self.component.__name__}': its arguments must be those of "
                                 f"{self._call}, not refused with '{refused}'; give them by --with NAME=VALUE")

    @property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.component).parameters

    @property
    def _call(self) -> str:
        names = ", ".join(str(parameter) for parameter in self._parameters.values())
        return f"{self.component.__name__}({names})"

    def _value(self, name: str, text: str) -> object:
        try:
            return eval(text, {"__builtins__": {"True": True, "False": False}}, SHAPES)
        except Exception as error:
            raise ConfigurationError(f"component '{self.component.__name__}': argument {name} must be a number, a "
                                     f"text in quotes, a tuple or a shape such as signed(8), not {text}") from error

    @cached_property
    def _stream_names(self) -> set[str]:
        names: set[str] = set()
        self._collect(self.part.signature, (), {}, names)
        return names

    def _collect(self, signature: wiring.Signature, path: tuple[str, ...], ports: dict[str, Port],
                 streams: set[str] | None = None) -> None:
        """Adds the ports of an interface, and the names of those that are streams."""
        for name, member in signature.members.items():
            is_input = member.flow is In
            for index in _indices(member.dimensions):
                place = ".".join((*path, name, *index))
                if member.is_port:
                    shape = member.shape
                elif "payload" in member.signature.members and member.signature in (
                        _stream_of(member), _stream_of(member).flip()):
                    shape = member.signature.members["payload"].shape
                    if streams is not None:
                        streams.add(place)
                else:
                    # The signature of an interface that goes in has its members turned round already.
                    self._collect(member.signature, (*path, name, *index), ports, streams)
                    continue
                ports[place] = Port(name=place, shape=words(shape), width=Shape.cast(shape).width, is_input=is_input)


def _stream_of(member: wiring.Member) -> wiring.Signature:
    """The stream with the payload of an interface."""
    return stream.Signature(member.signature.members["payload"].shape)


def _indices(dimensions: tuple[int, ...]) -> list[tuple[str, ...]]:
    """The places in an array of ports; one without a name where it is none."""
    places: list[tuple[str, ...]] = [()]
    for size in dimensions:
        places = [(*place, str(index)) for place in places for index in range(size)]
    return places


def words(shape: object) -> str:
    """A shape as its fields read: `{y: 4 of signed(8), last: unsigned(1)}`."""
    if isinstance(shape, data.StructLayout):
        return "{" + ", ".join(f"{name}: {words(member)}" for name, member in shape.members.items()) + "}"
    if isinstance(shape, data.ArrayLayout):
        return f"{shape.length} of {words(shape.elem_shape)}"
    return repr(Shape.cast(shape))


def save(bench: NewBench, path: Path, *, force: bool) -> None:
    """Write a bench to a file that is not there, or with `force` is replaced.

    Raises `CortadoError` when there is one or it cannot be written.
    """
    if path.exists() and not force:
        raise CortadoError(f"'{path}': the file must be new; give another one (-o) or --force")
    text = bench.render(path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise CortadoError(f"'{path}': the file cannot be written: {error.strerror}; give another one (-o)") from error


def components_of(package: ModuleType) -> dict[str, type[wiring.Component]]:
    """Every component that the modules of a package define, by the name of its class."""
    found = {}
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        found.update({name: value for name, value in vars(module).items() if _is_component_of(value, module.__name__)})
    return found


def find_component(name: str) -> type[wiring.Component]:
    """The component called `Relu` or `relu` in the engine, or `package.module:Class`, also from the current folder.

    Raises `ConfigurationError` where there is none.
    """
    module, _, member = name.partition(":")
    if member:
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))
        try:
            value = getattr(importlib.import_module(module), member, None)
        except ImportError as error:
            raise ConfigurationError(f"component '{name}': its module must be one that can be imported from here, not "
                                     f"refused with '{error}'") from error
        if not (inspect.isclass(value) and issubclass(value, wiring.Component)):
            raise ConfigurationError(f"component '{name}': {member} must be a class of "
                                     f"amaranth.lib.wiring.Component in {module}, not {value!r}")
        return value
    known = components_of(cortado.gateware)
    wanted = name.replace("_", "").lower()
    for found, value in known.items():
        if found.lower() == wanted:
            return value
    raise ConfigurationError(f"component '{name}': must be one of {', '.join(sorted(known))}, or package.module:Class "
                             "for one of your own")


def _is_component_of(value: object, module: str) -> bool:
    return inspect.isclass(value) and issubclass(value, wiring.Component) and value.__module__ == module

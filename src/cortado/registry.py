"""One generic registry: a room's files announce what they add, a name finds it."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

T = TypeVar("T")

_WORKLOADS = "cortado.workloads"


class Registry(Generic[T]):
    """Maps names to things of one kind; `kind` is the word used in errors.

    Raises `LookupError` for an unknown name, listing the known ones, and `ValueError` for a second registration:
    two files that claim one name are a bug in the house, not in a user's input.

    Workloads may add entries: `workload_part` is the module or package of that name in the folder of each. They are
    imported when the registry is first asked for a name it does not know, or for all it knows, so that whoever needs no
    workload does not wait for them, and so that the rooms they build on need not import them.
    """

    def __init__(self, kind: str, *, workload_part: str | None = None) -> None:
        self.kind = kind
        self._workload_part = workload_part
        self._entries: dict[str, T] = {}

    def register(self, *names: str) -> Callable[[T], T]:
        """Decorate a class or function with every name it answers to."""

        def decorate(entry: T) -> T:
            for name in names:
                if name in self._entries:
                    raise ValueError(f"{self.kind} '{name}' is already registered by {self._entries[name]!r}")
                self._entries[name] = entry
            return entry

        return decorate

    def __getitem__(self, name: str) -> T:
        if name not in self:
            raise LookupError(self.unknown(name))
        return self._entries[name]

    def unknown(self, name: str) -> str:
        """The words for an unknown name: the closest known names, then all of them."""
        self._complete()
        close = difflib.get_close_matches(name, self._entries, n=3)
        hint = f"; did you mean {' or '.join(repr(entry) for entry in close)}?" if close else ""
        return f"unknown {self.kind} '{name}'{hint} (known: {', '.join(sorted(self._entries))})"

    def __contains__(self, name: object) -> bool:
        if name not in self._entries:
            self._complete()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._complete()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._complete()
        return len(self._entries)

    def _complete(self) -> None:
        """Have workloads add their entries, once."""
        part, self._workload_part = self._workload_part, None
        if part is None:
            return
        for folder in sorted((Path(__file__).parent / "workloads").iterdir()):
            if (folder / part).is_dir() or (folder / f"{part}.py").is_file():
                importlib.import_module(f"{_WORKLOADS}.{folder.name}.{part}")


def import_room(package: ModuleType) -> None:
    """Import every module of a package so that each registers itself; a broken module fails here, not later."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")

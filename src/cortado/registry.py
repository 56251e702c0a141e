"""One generic registry: a room's files announce what they add, a name finds it."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps names to things of one kind; `kind` is the word used in errors.

    Raises `LookupError` for an unknown name, listing the known ones, and `ValueError` for a second registration:
    two files that claim one name are a bug in the house, not in a user's input.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
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
        try:
            return self._entries[name]
        except KeyError:
            raise LookupError(self.unknown(name)) from None

    def unknown(self, name: str) -> str:
        """The words for an unknown name: the closest known names, then all of them."""
        close = difflib.get_close_matches(name, self._entries, n=3)
        hint = f"; did you mean {' or '.join(repr(entry) for entry in close)}?" if close else ""
        return f"unknown {self.kind} '{name}'{hint} (known: {', '.join(sorted(self._entries))})"

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)


def import_room(package: ModuleType) -> None:
    """Import every module of a package so that each registers itself; a broken module fails here, not later."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")

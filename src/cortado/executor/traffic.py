"""Copies between host and device."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Copies that were made and copies that were spared, in bytes of device memory; they add up.

    Spared is what a job would have needed if its operands came from the host and its result went there: a map that the
    device still had, weights that had stayed, a result that nobody asked for.
    """

    to_device_bytes: int = 0
    from_device_bytes: int = 0
    copies: int = 0
    checked_bytes: int = 0
    """Results that came to the host only to be compared with golden; not in the others."""
    spared_bytes: int = 0
    spared_copies: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(**{entry.name: getattr(self, entry.name) + getattr(other, entry.name)
                          for entry in fields(self)})

    @classmethod
    def up(cls, size: int) -> Traffic:
        """One copy to the device."""
        return cls(to_device_bytes=size, copies=1)

    @classmethod
    def down(cls, size: int) -> Traffic:
        """One copy from the device."""
        return cls(from_device_bytes=size, copies=1)

    @classmethod
    def spared(cls, size: int) -> Traffic:
        """One copy that was not needed."""
        return cls(spared_bytes=size, spared_copies=1)


NO_TRAFFIC = Traffic()


class Ledger:
    """Adds traffic up until somebody takes it."""

    def __init__(self) -> None:
        self._traffic = NO_TRAFFIC

    def add(self, traffic: Traffic) -> None:
        """Some more."""
        self._traffic += traffic

    def take(self) -> Traffic:
        """What was added since the last time."""
        traffic, self._traffic = self._traffic, NO_TRAFFIC
        return traffic

"""Which layers of a network file are in the network: phase, level, stage, include, exclude.

Source: Caffe's `net.cpp`, Net::FilterNet and Net::StateMeetsRule.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cortado.errors import FieldError


class Phase(Enum):
    """What the network is built for."""

    TRAIN = 0
    TEST = 1


@dataclass(frozen=True, kw_only=True)
class NetState:
    """Caffe's NetState: the circumstances rules are judged by."""

    phase: Phase = Phase.TEST
    level: int = 0
    stage: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NetStateRule:
    """Caffe's NetStateRule; a rule without fields is always met."""

    phase: Phase | None = None
    min_level: int | None = None
    max_level: int | None = None
    stage: tuple[str, ...] = ()
    not_stage: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.min_level is not None and self.max_level is not None and self.min_level > self.max_level:
            raise FieldError("min_level", f"must be at most max_level {self.max_level}, not {self.min_level}")

    def met_by(self, state: NetState) -> bool:
        """Whether the state has the phase, a level in range, all of the stages and none of the forbidden ones."""
        return (
            self.phase in (None, state.phase)
            and (self.min_level is None or state.level >= self.min_level)
            and (self.max_level is None or state.level <= self.max_level)
            and set(self.stage) <= set(state.stage)
            and not set(self.not_stage) & set(state.stage)
        )


def included(state: NetState, include: tuple[NetStateRule, ...], exclude: tuple[NetStateRule, ...]) -> bool:
    """Whether a layer with these rules (of one kind only) is in the network: any rule decides."""
    if include:
        return any(rule.met_by(state) for rule in include)
    return not any(rule.met_by(state) for rule in exclude)

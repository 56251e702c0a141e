"""Settings from words: every type, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

from cortado.errors import FieldError, WorkloadError
from cortado.workloads.settings import settings_data, with_given


class Kind(Enum):
    PLAIN = 0
    FANCY = 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    steps: int = 10
    rate: float = 0.01
    quick: bool = False
    kind: Kind = Kind.PLAIN
    sizes: tuple[int, ...] = (1, 2)
    data: Path | None = None
    words: str = ""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise FieldError("steps", f"must be at least 1, not {self.steps}")


def test_words_become_values():
    given = {"steps": "3", "rate": "1e-3", "quick": "True", "kind": "fancy", "sizes": "4, 5,6", "data": "a/b.csv",
             "words": "x=y"}
    assert with_given(Settings(), given, "w") == Settings(
        steps=3, rate=1e-3, quick=True, kind=Kind.FANCY, sizes=(4, 5, 6), data=Path("a/b.csv"), words="x=y")


def test_values_are_taken_and_none_is_absent():
    assert with_given(Settings(data=Path("a")), {"data": "none", "steps": 4}, "w") == Settings(steps=4)
    assert with_given(Settings(), {"sizes": ""}, "w").sizes == ()


def test_as_json():
    assert settings_data(Settings(data=Path("a"), kind=Kind.FANCY)) == {
        "steps": 10, "rate": 0.01, "quick": False, "kind": "fancy", "sizes": [1, 2], "data": "a", "words": ""}


@pytest.mark.parametrize(("given", "message"), [
    ({"step": "3"}, ("w: unknown setting 'step'; did you mean 'steps'? (known: steps, rate, quick, kind, sizes, data, "
                     "words)")),
    ({"steps": "three"}, "w: setting 'steps' must be a whole number, not 'three'"),
    ({"steps": "0"}, "w: setting 'steps' must be at least 1, not 0"),
    ({"rate": "nan"}, "w: setting 'rate' must be a finite number, not 'nan'"),
    ({"quick": "maybe"}, "w: setting 'quick' must be true or false, not 'maybe'"),
    ({"kind": "odd"}, "w: setting 'kind' must be one of plain, fancy, not 'odd'"),
    ({"sizes": "1,x"}, "w: setting 'sizes' must be a whole number, not 'x'"),
])
def test_what_is_refused(given, message):
    with pytest.raises(WorkloadError) as caught:
        with_given(Settings(), given, "w")
    assert str(caught.value) == message

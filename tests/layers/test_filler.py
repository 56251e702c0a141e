from __future__ import annotations

import pytest

from cortado.errors import FieldError
from cortado.layers.filler import Filler


def test_an_unknown_type():
    with pytest.raises(FieldError) as caught:
        Filler(type="xaviar")
    assert str(caught.value) == ("type must be one of constant, uniform, gaussian, positive_unitball, xavier, msra, "
                                 "bilinear, not 'xaviar'")


def test_defaults_are_caffes():
    filler = Filler()
    assert (filler.type, filler.value, filler.std, filler.sparse) == ("constant", 0.0, 1.0, -1)

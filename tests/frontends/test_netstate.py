from __future__ import annotations

import pytest

from cortado.errors import FieldError
from cortado.frontends.netstate import NetState, NetStateRule, Phase, included

TEST = NetState(phase=Phase.TEST, level=2, stage=("deploy", "small"))


@pytest.mark.parametrize(("rule", "met"), [
    ({}, True),
    ({"phase": Phase.TEST}, True),
    ({"phase": Phase.TRAIN}, False),
    ({"min_level": 2}, True),
    ({"min_level": 3}, False),
    ({"max_level": 2}, True),
    ({"max_level": 1}, False),
    ({"min_level": 0, "max_level": 5}, True),
    ({"stage": ("deploy",)}, True),
    ({"stage": ("deploy", "small")}, True),
    ({"stage": ("deploy", "large")}, False),
    ({"not_stage": ("large",)}, True),
    ({"not_stage": ("large", "small")}, False),
    ({"phase": Phase.TEST, "stage": ("deploy",), "not_stage": ("large",), "min_level": 1}, True),
])
def test_a_rule(rule, met):
    assert NetStateRule(**rule).met_by(TEST) is met


def test_without_rules_a_layer_is_in():
    assert included(TEST, (), ())


def test_any_rule_decides():
    yes, no = NetStateRule(phase=Phase.TEST), NetStateRule(phase=Phase.TRAIN)
    assert included(TEST, (no, yes), ())
    assert not included(TEST, (no,), ())
    assert not included(TEST, (), (no, yes))
    assert included(TEST, (), (no,))


def test_levels_the_wrong_way_round():
    with pytest.raises(FieldError) as caught:
        NetStateRule(min_level=2, max_level=1)
    assert str(caught.value) == "min_level must be at most max_level 1, not 2"

"""Caps of steps and days, and cool-downs."""

from hypothesis import given
from hypothesis import strategies as some

from serving.campaigns.rules.caps import Past, cooling, step
from serving.campaigns.rules.grammar import RuleLimits

LIMITS = RuleLimits.model_validate_json('{"step": "20%", "day": "40%", "cooldown": "24 h"}')
AMOUNT = some.floats(0.05, 1e6).map(lambda one: round(one, 2))


def test_of_eighty_per_cent_twenty_are_made_and_the_rest_is_queued() -> None:
    made = step(100.0, 180.0, Past(), LIMITS)
    assert (made.value, made.rest) == (120.0, 180.0)
    assert made.why == "180 asked, at most 20% a step and 40% a day: 120 now, the rest is queued"


def test_what_is_within_the_caps_is_made_whole() -> None:
    assert step(100.0, 115.0, Past(), LIMITS) == step(100.0, 115.0, Past(0.0, 100.0), LIMITS)
    assert step(100.0, 115.0, Past(), LIMITS).value == 115.0


def test_a_day_has_a_cap_of_its_own() -> None:
    assert step(130.0, 200.0, Past(0.0, 100.0), LIMITS).value == 140.0
    used_up = step(140.0, 200.0, Past(0.0, 100.0), LIMITS)
    assert used_up.value is None
    assert used_up.rest == 200.0
    assert "used up" in used_up.why


@given(AMOUNT, AMOUNT, AMOUNT)
def test_no_step_goes_beyond_a_cap_or_the_wrong_way(before: float, asked: float, began: float) -> None:
    made = step(before, asked, Past(0.0, began), LIMITS)
    if made.value is None:
        assert made.rest == asked
        return
    assert min(before, asked) <= made.value <= max(before, asked)
    assert abs(made.value - before) <= 0.2 * before + 1e-9
    assert made.value >= before or made.value >= 0.6 * began - 1e-9
    assert made.value <= before or made.value <= 1.4 * began + 1e-9
    assert (made.rest is None) == (made.value == asked)


@given(AMOUNT, AMOUNT)
def test_steps_reach_what_was_asked_and_end(before: float, asked: float) -> None:
    value = before
    for _ in range(2000):
        made = step(value, asked, Past(), LIMITS)
        if made.rest is None:
            assert made.value == asked
            return
        if made.value is None:  # a fifth of the amount is less than a cent
            assert abs(value) < 0.06
            return
        value = made.value
    raise AssertionError("no end")


def test_a_field_rests_after_a_change() -> None:
    assert cooling(Past(), LIMITS, 0.0) == ""
    assert cooling(Past(0.0), LIMITS, 86_400.0) == ""
    assert cooling(Past(0.0), LIMITS, 43_200.0) == "cools down for another 12.0 h"

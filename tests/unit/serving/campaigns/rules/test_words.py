"""Windows and schedules."""

from datetime import date, datetime

import pytest
from pydantic import TypeAdapter

from serving.campaigns.rules.words import DAY, DayWindow, LookSchedule, When

TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", 0, 0),
        ("yesterday", 1, 1),
        ("last 7 days", 7, 1),
        ("last 7 days and today", 7, 0),
        ("10 to 3 days ago", 10, 3),
    ],
)
def test_windows_are_whole_days_of_the_account(text: str, first: int, last: int) -> None:
    assert DayWindow(text).days(TODAY) == (TODAY - first * DAY, TODAY - last * DAY + DAY)


def test_fixed_and_lifetime_windows() -> None:
    assert DayWindow("2026-03-01 to 2026-03-31").days(TODAY) == (date(2026, 3, 1), date(2026, 4, 1))
    assert DayWindow("lifetime").days(TODAY)[1] == TODAY + DAY
    with pytest.raises(ValueError, match="expected today, yesterday"):
        DayWindow("3 to 10 days ago").days(TODAY)


def scheduled(given: object) -> LookSchedule:
    return TypeAdapter(When).validate_python(given)


@pytest.mark.parametrize(
    ("given", "slot", "looks"),
    [
        ("hourly", "2026-06-15 14:00", 24),
        ("half-hourly", "2026-06-15 14:30", 48),
        ("daily", "2026-06-15 00:00", 1),
        ("daily at 15:00", "2026-06-14 15:00", 1),
        ([{"days": ["fri"], "from": "08:00", "to": "09:00"}], "2026-06-12 09:00", 3 / 7),
        ([{"from": "06:00"}, {"from": "14:30"}], "2026-06-15 14:30", 2),
    ],
)
def test_the_last_half_hour_in_which_a_rule_was_due(given: object, slot: str, looks: float) -> None:
    found = scheduled(given)
    assert found.slot(datetime(2026, 6, 15, 14, 47)) == datetime.fromisoformat(slot)
    assert found.looks == pytest.approx(looks)


@pytest.mark.parametrize("given", ["weekly", "daily at 08:10", [{"from": "20:00", "to": "08:00"}], []])
def test_what_is_no_schedule_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"expected|should"):
        scheduled(given)

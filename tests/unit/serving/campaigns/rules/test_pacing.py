"""Pacing, as people check it on the first day."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from serving.campaigns.rules.pacing import elapsed, pacing
from tests.unit.serving.campaigns.rules.account import TODAY, account, campaign, days, looked, rule_file

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 15, 12, tzinfo=BERLIN)


def paced(now: datetime, *, yesterday: bool = False, spent: float = 50.0, **fields: Any) -> tuple[float | None, str]:
    rows = [*days("c", 5, spend=100.0, impressions=9), {"day": TODAY, "campaign_id": "c", "spend": spent}]
    one = campaign(**fields)
    return pacing(one, account(rows, one).histories["campaign"], now, yesterday)


def test_exactly_on_plan_is_a_hundred_per_cent() -> None:
    assert paced(NOON) == (1.0, "50 of 100 are spent with 50% of the day over")
    assert paced(NOON, yesterday=True) == (1.0, "100 of 100 were spent yesterday")


def test_a_total_budget_is_paced_over_its_whole_time_and_differs_from_a_daily_one() -> None:
    flight = {"daily_budget": None, "total_budget": 1000.0, "starts_at": "2026-06-10", "ends_at": "2026-06-21"}
    value, why = paced(NOON, **flight)
    assert value == pytest.approx(1.1)  # 550 of 1000 in 5.5 of 11 days
    assert why == "550 of 1000 are spent with 50% of the time over"
    assert paced(NOON)[0] == 1.0


def test_the_last_day_is_still_paced() -> None:
    flight = {"daily_budget": None, "total_budget": 550.0, "starts_at": "2026-06-10", "ends_at": "2026-06-16"}
    late = datetime(2026, 6, 15, 23, 59, tzinfo=BERLIN)
    value, _ = paced(late, **flight)
    assert value == pytest.approx(1.0, abs=0.001)
    assert paced(datetime(2026, 6, 16, 0, 1, tzinfo=BERLIN), **flight) == (None, "unknown: it has ended")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"starts_at": "2026-06-15T00:00:00+02:00"}, "unknown: the first day is not over"),
        ({"daily_budget": None}, "unknown: no budget is known"),
        ({"daily_budget": None, "total_budget": 9.0}, "unknown: a total budget without an end"),
    ],
)
def test_what_is_not_known_is_unknown(fields: dict[str, Any], why: str) -> None:
    assert paced(NOON, **fields) == (None, why)


def test_the_day_has_to_have_begun() -> None:
    assert paced(datetime(2026, 6, 15, 0, 10, tzinfo=BERLIN))[1] == "unknown: the day has just begun"


def test_the_first_day_is_told_by_counts_where_nothing_else_tells_it() -> None:
    one = campaign()
    rows = [{"day": TODAY, "campaign_id": "c", "spend": 10.0, "impressions": 5}]
    assert pacing(one, account(rows, one).histories["campaign"], NOON, False)[1] == "unknown: the first day is not over"


def test_days_on_which_clocks_change_have_another_length() -> None:
    assert elapsed(datetime(2026, 3, 29, 12, tzinfo=BERLIN)) == pytest.approx(11 / 23)
    assert elapsed(datetime(2026, 6, 15, 12, tzinfo=BERLIN)) == 0.5


def test_a_rule_of_pacing_says_unknown_on_the_first_day_and_nothing_of_a_paused_campaign() -> None:
    file = rule_file(
        "  - name: slow\n    level: campaign\n    when: {metric: pacing, below: 0.7}\n    then: [notify]\n"
    )
    rows = [{"day": TODAY, "campaign_id": "c", "spend": 1.0, "impressions": 5}]
    first = looked(file, account(rows, campaign()))
    assert (first.verdicts[0].tri, first.verdicts[0].why) == ("not yet", "pacing: unknown: the first day is not over")
    old = [*days("c", 5, spend=100.0, impressions=9), *rows]
    assert [one.tri for one in looked(file, account(old, campaign())).verdicts] == ["yes"]
    assert looked(file, account(old, campaign(status="paused"))).notices == []

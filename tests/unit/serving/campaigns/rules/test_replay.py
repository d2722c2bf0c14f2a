"""What rules would have done: day by day, and what it would have saved."""

from datetime import timedelta
from pathlib import Path

import pytest

from serving.campaigns.rules.plot import draw
from serving.campaigns.rules.replay import replay
from tests.unit.serving.campaigns.rules.account import TODAY, counts, days, rule_file

STOP = rule_file(
    "  - name: stop\n    level: campaign\n    when: {metric: cpa, above: {times: 2, of: target}}\n    then: [pause]\n",
    "targets: {cpa: 40}\n",
)


def test_what_would_have_been_paused_is_saved_from_that_day_on() -> None:
    rows = [*days("good", 42, spend=100.0, impressions=9, conversions=3), *days("bad", 42, spend=200.0, impressions=9)]
    done = replay(STOP, counts(rows), 28, seed=0)
    (acted,) = done.acted.to_dict("records")
    assert (acted["object_id"], acted["field"], acted["value"]) == ("bad", "status", "paused")
    assert acted["day"] == TODAY - timedelta(days=28)
    assert done.saved.value == done.net.value == 5600.0  # type: ignore[union-attr]
    assert done.days["lost_conversions"].sum() == 0


def test_nothing_is_known_of_a_day_before_it_is_over() -> None:
    rows = [*days("c", 42, spend=100.0, impressions=9, conversions=3)]
    for row in rows[-5:]:
        row["conversions"] = 0
    done = replay(STOP, counts(rows), 28, seed=0)
    assert done.changes == 0
    assert done.not_yet > 0


def test_outcomes_that_would_not_have_come_are_taken_off() -> None:
    cut = rule_file(
        "  - name: cut\n    level: campaign\n    when: {metric: spend, above: 1}\n"
        "    then: [{budget: {change: -10%}}]\n    limits: {step: 20%, day: 40%, cooldown: 90 d}\n",
        "targets: {cpa: 40}\n",
    )
    done = replay(cut, counts(days("c", 30, spend=100.0, impressions=9, conversions=5)), 14, seed=0)
    assert done.changes == 1
    assert done.saved.value == pytest.approx(140.0)
    assert done.net is not None
    assert done.net.value == pytest.approx(140.0 - 14 * 0.5 * 40)
    assert done.net.low <= done.net.value <= done.net.high


def test_without_a_value_of_conversions_there_is_no_net() -> None:
    stop = rule_file("  - name: stop\n    level: campaign\n    when: {metric: cpa, above: 80}\n    then: [pause]\n")
    assert replay(stop, counts(days("c", 30, spend=100.0, impressions=9)), 14, seed=0).net is None


def test_a_replay_is_drawn(tmp_path: Path) -> None:
    draw(replay(STOP, counts(days("c", 42, spend=200.0, impressions=9)), 28, seed=0), tmp_path / "saved.png")
    assert (tmp_path / "saved.png").read_bytes().startswith(b"\x89PNG")


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ValueError, match="impressions: the table is empty"):
        replay(STOP, counts([]), 28, seed=0)

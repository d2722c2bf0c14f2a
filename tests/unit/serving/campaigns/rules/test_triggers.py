"""The decision engine's findings as conditions."""

from pathlib import Path
from typing import Any

import pytest

from serving.campaigns.rules.condition import TRIGGERS
from serving.campaigns.rules.evaluate import due, evaluate
from serving.campaigns.rules.look import RuleMemory
from serving.decisions.params import read
from tests.unit.serving.campaigns.rules.account import NOW, TODAY, account, campaign, days, rule_file

PARAMS, _ = read(Path(__file__).parents[5] / "params.yaml")
SHOWN = {"impressions": 20_000.0, "clicks": 400.0, "conversions": 20.0, "spend": 400.0}


def found(name: str, last: dict[str, float], today: dict[str, float] | None = None, **more: Any) -> str:
    """The answer of the trigger, where the last day was so; another campaign goes on as ever."""
    file = rule_file(
        f"  - name: one\n    level: campaign\n    when: {{trigger: {name}, over: yesterday}}\n    then: [notify]\n"
        "    only: {ids: [c]}\n",
        "targets: {cpc: 1.0}\n",
    )
    usual = more.get("rows") or [*days("c", 28, **SHOWN)[:-1], *days("c", 1, **SHOWN | last)]
    others = days("d", 28, **SHOWN | (last if name == "platform_change" else {}))
    rest = [{"day": TODAY, "campaign_id": "c", **(today or {})}]
    (verdict,) = evaluate(
        file, account([*usual, *others, *rest], campaign()), RuleMemory(), NOW, due(file, NOW), PARAMS
    ).verdicts
    return verdict.tri


@pytest.mark.parametrize(
    ("name", "last", "today"),
    [
        ("ctr_drop", {"clicks": 200.0, "spend": 200.0}, {}),
        ("conversion_drop", {"conversions": 1.0}, {}),
        ("cost_increase", {"spend": 800.0}, {}),
        ("cost_below_target", {"spend": 200.0}, {}),
        ("budget_exhaustion", {}, {"spend": 97.0}),
        ("under_delivery", {}, {"spend": 10.0}),
    ],
)
def test_a_trigger_is_found_where_the_engine_finds_it(
    name: str, last: dict[str, float], today: dict[str, float]
) -> None:
    on_plan = {"spend": 50.0}
    assert found(name, last, today or on_plan) == "yes"
    assert found(name, {}, on_plan) == "no"


def test_shifts_of_audiences_and_hours_are_found() -> None:
    for name, column, places in (("audience_shift", "audience", "ab"), ("seasonality_shift", "hour", (8, 20))):
        share = {0: (200.0, 200.0), 27: (380.0, 20.0)}
        rows = [
            row | {column: place, "clicks": share.get(at, share[0])[which], "impressions": 10_000.0}
            for at, row in enumerate(days("c", 28))
            for which, place in enumerate(places)
        ]
        assert found(name, {}, rows=rows) == "yes"


def test_a_trigger_that_was_not_asked_for_is_another() -> None:
    assert found("competition", {"clicks": 200.0}) == "no"  # counts of impressions tell nothing of auctions
    assert "competition" in TRIGGERS


def test_without_the_engines_parameters_a_trigger_is_unknown() -> None:
    file = rule_file("  - name: one\n    level: campaign\n    when: {trigger: ctr_drop}\n    then: [notify]\n")
    seen = account(days("c", **SHOWN), campaign())
    (verdict,) = evaluate(file, seen, RuleMemory(), NOW, due(file, NOW)).verdicts
    assert (verdict.tri, "--params" in verdict.why) == ("not yet", True)

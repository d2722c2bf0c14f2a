"""What campaigns earn under rules by intervals, over what they earn under fixed thresholds.

Simulated campaigns of several ad groups, whose returns diminish and whose worth of traffic changes from time to time.
The rules of each policy run every day on what it saw so far, through the same evaluation as `adloop rules run`; the
same luck meets both. Both aim at the same target, which is where another unit of spend earns as much as it costs.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time
from typing import Any

import numpy as np
import pandas as pd

from features.settings import Settings
from features.yaml_file import fields, parsed
from serving.campaigns.rules.evaluate import due, evaluate
from serving.campaigns.rules.grammar import RuleFile
from serving.campaigns.rules.look import RuleMemory
from serving.campaigns.rules.objects import Place, RuleObject, view
from serving.campaigns.rules.replay import remembered
from tests.benchmarks.campaigns_market import CPA, FIRST, RETURNS, Array, conversions, hashed, weekday
from tests.benchmarks.campaigns_market import rows as shown

SEED, CAMPAIGNS, GROUPS, DAYS, LEARNT = 29, 20, 6, 112, 28
#: Daily budget of an ad group at the beginning, the spread of what groups bring, and how rarely that changes.
BUDGET, SPREAD, CHANGE_DAYS = 100.0, 0.35, 60.0
#: What a conversion earns: at the target the last unit of spend earns just what it costs.
WORTH = CPA / RETURNS
HEAD = """
account: {{platform: simulated, id: one}}
targets: {{cpa: {cpa}}}
changes_a_day: 100000
limits: {{step: 20%, day: 40%, cooldown: {rests}}}
rules:
"""
#: Steps of budgets towards the target where a cost is likely off it, and stops where it is surely double.
LIKELY = """
  - name: dear
    level: ad_group
    when:
      any:
        - {{metric: cpa, above: {{times: 1, of: target}}, over: last 7 days}}
        - {{metric: cpa, above: {{times: 1, of: target}}, over: last 28 days}}
    then: [{{budget: {{change: -20%}}}}]
    chance: 0.1
  - name: cheap
    level: ad_group
    when:
      any:
        - {{metric: cpa, below: {{times: 1, of: target}}, over: last 7 days}}
        - {{metric: cpa, below: {{times: 1, of: target}}, over: last 28 days}}
    then: [{{budget: {{change: +20%}}}}]
    chance: 0.1
"""
SURE = """
  - name: stop
    level: ad_group
    when: {{metric: cpa, above: {{times: 2, of: target}}, over: last 7 days}}
    then: [pause]
    priority: 1
"""
#: The usual rules: thresholds with room for chance, and a least spend of twice the target.
STEPS = """
  - name: dear
    level: ad_group
    when:
      all:
        - {{metric: cpa, above: {{times: 1.5, of: target}}, over: last 7 days, compare: value}}
        - {{metric: spend, above: {least}, over: last 7 days}}
    then: [{{budget: {{change: -20%}}}}]
  - name: cheap
    level: ad_group
    when:
      all:
        - {{metric: cpa, below: {{times: 0.67, of: target}}, over: last 7 days, compare: value}}
        - {{metric: spend, above: {least}, over: last 7 days}}
    then: [{{budget: {{change: +20%}}}}]
"""
STOPS = """
  - name: stop
    level: ad_group
    when:
      all:
        - {{metric: cpa, above: {{times: 2, of: target}}, over: last 7 days, compare: value}}
        - {{metric: spend, above: {least}, over: last 7 days}}
    then: [pause]
    priority: 1
"""


def file(rules: str, rests: str) -> RuleFile:
    """The rules of a text with this cool-down."""
    written = (HEAD + rules).format(cpa=round(CPA, 2), least=round(2 * CPA, 2), rests=rests)
    return parsed(RuleFile, *fields(written.encode(), "rules"), "rules")


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    market = Market()
    ours, usual = market.earned(file(LIKELY + SURE, "3 d")), market.earned(file(STEPS + STOPS, "1 d"))
    steps, usual_steps = market.earned(file(LIKELY, "3 d")), market.earned(file(STEPS, "1 d"))
    nothing = market.earned(None)
    unit = f"profit of {CAMPAIGNS} campaigns in {DAYS - LEARNT} days"
    for name, one, other, of, goal in (
        ("vs_fixed_rules", ours, usual, "over that of fixed thresholds that step budgets and stop what is dear", "> 1"),
        ("vs_fixed_rules.steps", steps, usual_steps, "over that of fixed thresholds where both only step budgets", ""),
        ("vs_no_rules", ours, nothing, "over that of budgets that stay", ""),
        ("vs_no_rules.fixed", usual, nothing, "of fixed thresholds, over that of budgets that stay", ""),
    ):
        value, low, high = ratio(one, other)
        yield {
            "name": f"campaigns.value_{name}",
            **{"value": value, "low": low, "high": high, "baseline": 1.0, "goal": goal},
            "unit": f"{unit} {of}; 95% over campaigns",
            **{"seed": SEED, "data_hash": market.hash},
        }


class Market:
    """The campaigns. Its luck is drawn once, for every policy."""

    def __init__(self) -> None:
        rng = np.random.default_rng(SEED)
        count = CAMPAIGNS * GROUPS
        self.groups = np.array([f"g{place:04d}" for place in range(count)])
        self.campaigns = np.array([f"c{place // GROUPS:03d}" for place in range(count)])
        self.spent, self.luck = rng.gamma(100, 0.01, (DAYS, count)), rng.random((DAYS, count))
        levels = np.exp(rng.normal(0, SPREAD, (DAYS, count)))
        anew = rng.random((DAYS, count)) < 1 / CHANGE_DAYS
        self.level = levels.copy()
        for day in range(1, DAYS):
            self.level[day] = np.where(anew[day], levels[day], self.level[day - 1])
        self.hash = hashed(pd.DataFrame({"spend": self.spent.ravel(), "conversions": self.luck.ravel()}))

    def day(self, day: int, budgets: Array) -> pd.DataFrame:
        """What a day brings with these budgets."""
        spend = budgets * self.spent[day]
        expected = self.level[day] * BUDGET / CPA * (spend / BUDGET) ** RETURNS * weekday(day)
        return shown(day, self.groups, self.campaigns, spend, conversions(expected, self.luck[day]))

    def earned(self, rules: RuleFile | None) -> Array:
        """The profit of each campaign under these rules."""
        objects = {
            ("ad_group", group): RuleObject(("ad_group", group), {"status": "live", "daily_budget": BUDGET}, campaign)
            for group, campaign in zip(self.groups.tolist(), self.campaigns.tolist(), strict=True)
        }
        objects |= {("campaign", name): RuleObject(("campaign", name), {"status": "live"}) for name in self.campaigns}
        days, memory, profit = (
            [self.day(day, np.full(len(self.groups), BUDGET)) for day in range(LEARNT)],
            RuleMemory(),
            [],
        )
        for day in range(LEARNT, DAYS):
            if rules is not None:
                memory = _changed(rules, objects, pd.concat(days[-LEARNT - 7 :], ignore_index=True), memory, day)
            days.append(self.day(day, np.array([_budget(objects["ad_group", name]) for name in self.groups.tolist()])))
            profit.append(WORTH * days[-1]["conversions"].to_numpy() - days[-1]["spend"].to_numpy())
        return np.asarray(np.sum(profit, axis=0).reshape(CAMPAIGNS, GROUPS).sum(axis=1))


def _budget(one: RuleObject) -> float:
    return float(one.fields["daily_budget"]) if one.fields["status"] == "live" else 0.0


def _changed(
    rules: RuleFile, objects: dict[Place, RuleObject], frame: pd.DataFrame, memory: RuleMemory, day: int
) -> RuleMemory:
    """One look; its changes are carried out at once."""
    now = datetime.combine((FIRST + pd.Timedelta(days=day)).date(), time(), rules.zone)
    look = evaluate(rules, view(objects, frame), memory, now, due(rules, now))
    for made in look.made:
        one = objects[made.wish.one.place]
        objects[one.place] = replace(one, fields={**one.fields, **made.change.fields})
    return remembered(memory, look, now)


def ratio(ours: Array, theirs: Array) -> tuple[float, float, float]:
    """The ratio of sums, with the 95% bootstrap interval over campaigns."""
    drawn = np.random.default_rng(SEED).integers(0, len(ours), (2000, len(ours)))
    low, high = np.quantile(ours[drawn].sum(axis=1) / theirs[drawn].sum(axis=1), [0.025, 0.975])
    return float(ours.sum() / theirs.sum()), float(low), float(high)

"""Rules on simulated campaigns: actions where nothing is wrong, and days until what is wrong is found.

Rules by intervals say what is surely off the target. The baseline are fixed thresholds, as rules of ad platforms have
them: off by half, in a week, after some spend. Both see the same campaigns.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, time
from typing import Any

import numpy as np
import pandas as pd

from features.settings import Settings
from features.yaml_file import fields, parsed
from serving.campaigns.rules.evaluate import due, evaluate
from serving.campaigns.rules.grammar import RuleFile
from serving.campaigns.rules.look import RuleMemory
from serving.campaigns.rules.objects import AccountView, RuleObject, view
from serving.campaigns.rules.replay import remembered
from tests.benchmarks.campaigns_market import CPA, FIRST, Array, conversions, hashed, weekday
from tests.benchmarks.campaigns_market import rows as shown

SEED, CAMPAIGNS, DAYS, LEARNT = 23, 150, 112, 28
#: Daily budgets, half of the campaigns each.
BUDGETS = (60.0, 300.0)
#: When campaigns break, and what a conversion costs then relative to the target.
BROKEN_AT, BROKEN = 56, 2.5
#: What is surely dearer than the target, or cheaper, in a week or four; and what fell surely.
INTERVALS = """
account: {{platform: simulated, id: one}}
targets: {{cpa: {cpa}}}
changes_a_day: 100000
rules:
  - name: dear
    level: campaign
    when:
      any:
        - {{metric: cpa, above: {{times: 1.1, of: target}}, over: last 7 days}}
        - {{metric: cpa, above: {{times: 1.1, of: target}}, over: last 28 days}}
    then: [{{budget: {{change: -20%}}}}]
  - name: cheap
    level: campaign
    when:
      any:
        - {{metric: cpa, below: {{times: 0.9, of: target}}, over: last 7 days}}
        - {{metric: cpa, below: {{times: 0.9, of: target}}, over: last 28 days}}
    then: [{{budget: {{change: +20%}}}}]
  - name: fell
    level: campaign
    when: {{metric: cvr, below: {{times: 0.9, of: the 21 days before}}, over: last 7 days}}
    then: [notify]
"""
#: The usual rules: thresholds with room for chance, and a least spend of twice the target.
THRESHOLDS = """
account: {{platform: simulated, id: one}}
targets: {{cpa: {cpa}}}
changes_a_day: 100000
rules:
  - name: dear
    level: campaign
    when:
      all:
        - {{metric: cpa, above: {{times: 1.5, of: target}}, over: last 7 days, compare: value}}
        - {{metric: spend, above: {least}, over: last 7 days}}
    then: [{{budget: {{change: -20%}}}}]
  - name: cheap
    level: campaign
    when:
      all:
        - {{metric: cpa, below: {{times: 0.67, of: target}}, over: last 7 days, compare: value}}
        - {{metric: spend, above: {least}, over: last 7 days}}
    then: [{{budget: {{change: +20%}}}}]
  - name: fell
    level: campaign
    when:
      all:
        - {{metric: cvr, below: {{times: 0.7, of: the 21 days before}}, over: last 7 days, compare: value}}
        - {{metric: spend, above: {least}, over: last 7 days}}
    then: [notify]
"""

Acted = list[tuple[int, str, str]]


def file(text: str) -> RuleFile:
    """The rules of a text, of the target."""
    written = text.format(cpa=round(CPA, 2), least=round(2 * CPA, 2))
    return parsed(RuleFile, *fields(written.encode(), "rules"), "rules")


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    weeks = CAMPAIGNS * (DAYS - LEARNT) / 7
    frame = simulated(lambda _: 1.0)
    ours, theirs = (rate(acted(file(text), frame)) for text in (INTERVALS, THRESHOLDS))
    yield {
        "name": "campaigns.rules.false_actions_per_100_quiet_weeks",
        **{"value": ours[0], "low": ours[1], "high": ours[2], "baseline": theirs[0], "goal": "<= 1"},
        "unit": f"actions a campaign at its target, {weeks:,.0f} weeks; baseline: fixed thresholds; 95% over campaigns",
        **{"seed": SEED, "data_hash": hashed(frame)},
    }
    frame = simulated(lambda day: BROKEN if day >= BROKEN_AT else 1.0)
    found, usual = (delays(acted(file(text), frame)) for text in (INTERVALS, THRESHOLDS))
    times, quiet = as_quiet(simulated(lambda _: 1.0), frame)
    for place, budget in enumerate(BUDGETS):
        middle, low, high = np.quantile(found[place :: len(BUDGETS)], [0.5, 0.1, 0.9])
        yield {
            "name": f"campaigns.rules.detection_days{'' if budget == max(BUDGETS) else f'_{budget:.0f}_a_day'}",
            **{"value": float(middle), "low": float(low), "high": float(high)},
            "baseline": float(np.median(usual[place :: len(BUDGETS)])),
            "unit": f"days until a cost of {BROKEN} times the target is cut, median of {CAMPAIGNS // len(BUDGETS)} "
            f"campaigns of {budget:.0f} a day; 10-90%; baseline: fixed thresholds",
            **{"seed": SEED, "data_hash": hashed(frame)},
        }
    yield {
        "name": "campaigns.rules.detection_days.thresholds_as_quiet",
        "value": float(np.median(quiet[BUDGETS.index(max(BUDGETS)) :: len(BUDGETS)])),
        "unit": f"days of a fixed threshold that is as quiet, {times:.1f} times the target; {DAYS - BROKEN_AT} where "
        f"it finds nothing; campaigns of {max(BUDGETS):.0f} a day",
        **{"seed": SEED, "data_hash": hashed(frame)},
    }


def as_quiet(still: pd.DataFrame, broken: pd.DataFrame) -> tuple[float, list[float]]:
    """The lowest multiple of the target that a week's cost exceeds at most once in 100 quiet weeks, known afterwards,
    and the days until it finds each campaign that breaks."""
    costs = [_weekly_cost(frame) for frame in (still, broken)]
    weeks = CAMPAIGNS * (DAYS - LEARNT) / 7
    times = next(one for one in np.arange(1.5, 100, 0.1) if (costs[0][LEARNT:] > one * CPA).sum() <= weeks / 100)
    after = costs[1][BROKEN_AT + 1 :] > times * CPA
    first = np.where(after.any(axis=0), after.argmax(axis=0) + 1, DAYS - BROKEN_AT)
    return float(times), first.astype(float).tolist()


def _weekly_cost(frame: pd.DataFrame) -> Array:
    """Cost of a conversion in the seven days before each day, by day and campaign; infinite without any."""
    sums = [frame[name].to_numpy().reshape(DAYS, CAMPAIGNS).cumsum(axis=0) for name in ("spend", "conversions")]
    spend, k = (np.vstack([np.zeros((8, CAMPAIGNS)), one]) for one in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((spend[7:-1] - spend[:-8]) / (k[7:-1] - k[:-8]))


def simulated(level: Callable[[int], float]) -> pd.DataFrame:
    """Campaigns whose conversions cost `level` of a day times the target."""
    rng = np.random.default_rng(SEED)
    names = np.array([f"c{place:03d}" for place in range(CAMPAIGNS)])
    budgets = np.resize(BUDGETS, CAMPAIGNS)
    days = []
    for day in range(DAYS):
        spend = budgets * rng.gamma(100, 0.01, CAMPAIGNS)
        k = conversions(spend / CPA / level(day) * weekday(day), rng.random(CAMPAIGNS))
        days.append(shown(day, names, names, spend, k))
    return pd.concat(days, ignore_index=True)


def acted(rules: RuleFile, frame: pd.DataFrame) -> Acted:
    """Actions by day, rule and campaign. Budgets stay as they are, so that all rules see the same."""
    objects = {
        ("campaign", f"c{place:03d}"): RuleObject(
            ("campaign", f"c{place:03d}"), {"status": "live", "daily_budget": BUDGETS[place % len(BUDGETS)]}
        )
        for place in range(CAMPAIGNS)
    }
    account, memory, found = view({}, frame), RuleMemory(), Acted()
    for day in range(LEARNT, DAYS):
        today = (FIRST + pd.Timedelta(days=day)).date()
        seen: AccountView = account.before(today, objects)
        now = datetime.combine(today, time(), rules.zone)
        look = evaluate(rules, seen, memory, now, due(rules, now))
        memory = remembered(memory, look, now)
        found += [(day, one.change.by.removeprefix("rule "), one.change.target) for one in look.made]
        found += [(day, verdict.rule, verdict.place[1]) for _, verdict in look.notices]
    return found


def rate(found: Acted) -> tuple[float, float, float]:
    """Actions in 100 weeks of a campaign, with the 95% bootstrap interval over campaigns."""
    by = np.zeros(CAMPAIGNS)
    for _, _, name in found:
        by[int(name[1:])] += 100 / ((DAYS - LEARNT) / 7)
    draws = np.random.default_rng(SEED).choice(by, (2000, CAMPAIGNS)).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(by.mean()), float(low), float(high)


def delays(found: Acted) -> list[float]:
    """Days from the break to the first cut of each campaign; all that were left where there was none."""
    first = dict.fromkeys(range(CAMPAIGNS), float(DAYS - BROKEN_AT))
    for day, rule, name in found:
        if rule == "dear" and day > BROKEN_AT:
            first[int(name[1:])] = min(first[int(name[1:])], float(day - BROKEN_AT))
    return [first[place] for place in range(CAMPAIGNS)]

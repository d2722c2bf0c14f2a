"""Finds segments of a campaign that perform significantly better or worse."""

from itertools import permutations
from typing import Any

from serving.decisions.case import Case, amount, number
from serving.decisions.records import Counters, Segment, Trigger
from serving.decisions.rules import chance
from serving.decisions.rules.triggers import fallen

#: Dimensions in which budget may move, in order of preference.
DIMENSIONS = ("channel", "hour", "audience", "creative")
#: A creative's rate is shrunk by this many impressions at the campaign's rate, so that new creatives get shown.
PRIOR_IMPRESSIONS = 1000


def poor_keyword(case: Case[Any]) -> tuple[str, Trigger] | None:
    """The keyword with the worst conversion rate below a share of the others', both in the recent period and before."""
    running = {name: one for name, one in case.state.segments.get("keyword", {}).items() if not one.paused}
    ratio = case.params.triggers.keyword_ratio
    found = []
    for name, one in running.items():
        others = [other.window for other_name, other in running.items() if other_name != name]
        recent = _compared(one.window.recent, [other.recent for other in others], ratio)
        before = _compared(one.window.past, [other.past for other in others], ratio)
        if max(recent, before) < case.params.triggers.chance / len(running):
            k, n = one.window.recent.conversions, one.window.recent.clicks
            rate = _rate([other.recent for other in others])
            evidence = {"conversions": k, "clicks": n, "others_rate": rate}
            found.append((name, Trigger("poor_keyword", k / n / rate, ratio, max(recent, before), evidence)))
    return min(found, key=lambda one: (one[1].statistic, one[0]), default=None)


def _compared(one: Counters, others: list[Counters], ratio: float) -> float:
    clicks, conversions = sum(other.clicks for other in others), sum(other.conversions for other in others)
    return chance.rate_at_most(one.conversions, one.clicks, conversions, clicks, ratio)


def _rate(counters: list[Counters]) -> float:
    return sum(one.conversions for one in counters) / max(1, sum(one.clicks for one in counters))


def missed_keyword(case: Case[Any]) -> tuple[str, Trigger] | None:
    """The suggested keyword, if it is not running and its impressions are worth more than they cost.

    An impression is worth what the model expects of it; for a chance of a click, that times the target cost.
    """
    name, clicks, target = case.opportunity.keyword, case.answer("predicted_ctr"), case.state.target_cpc
    worth = amount(case.answer("expected_value")) or amount(clicks and target and clicks * target)
    if name is None or worth is None:
        return None
    known, recent = case.state.segments.get("keyword", {}).get(name), case.state.window.recent
    if known is None or not known.paused or known.window.past.impressions or not recent.impressions:
        return None
    cost, ratio = recent.cost / recent.impressions, case.params.triggers.candidate_ratio
    times = number(worth / cost) if cost else None
    if times is None or times <= ratio:
        return None
    evidence = {"expected_value": worth, "cost_per_impression": cost}
    return name, Trigger("missed_keyword", times, ratio, None, evidence)


def worn_creative(case: Case[Any]) -> tuple[str, str, Trigger] | None:
    """The creative shown most, if its click rate fell, and its replacement."""
    known = case.state.segments.get("creative", {})
    shown = {name: one for name, one in known.items() if not one.paused and one.window.recent.impressions}
    if not shown or len(known) < 2:
        return None
    old = max(shown, key=lambda name: (shown[name].window.recent.impressions, name))
    params = case.params.triggers
    trigger = fallen("creative_fatigue", known[old].window, "clicks", "impressions", params.ctr_ratio, params.chance)
    if trigger is None:
        return None
    recent = case.state.window.recent
    usual = recent.clicks / max(1, recent.impressions)
    new = max((name for name in known if name != old), key=lambda name: (_promise(known[name], usual), name))
    return old, new, trigger


def _promise(creative: Segment, usual: float) -> float:
    recent, past = creative.window.recent, creative.window.past
    clicks, impressions = recent.clicks + past.clicks, recent.impressions + past.impressions
    return (clicks + PRIOR_IMPRESSIONS * usual) / (impressions + PRIOR_IMPRESSIONS)


def better_place(case: Case[Any]) -> tuple[str, str, str, float, Trigger] | None:
    """The dimension, origin, target, budget share and trigger of the best budget move."""
    for dimension in DIMENSIONS:
        places = {name: one for name, one in case.state.segments.get(dimension, {}).items() if one.share}
        pairs = list(permutations(sorted(places), 2))
        found = []
        for away, to in pairs:
            by_chance, times, evidence = _brings_more(places[to].window.recent, places[away].window.recent)
            if by_chance < case.params.triggers.chance / len(DIMENSIONS) / len(pairs):
                found.append((by_chance, away, to, Trigger(f"better_{dimension}", times, 1.0, by_chance, evidence)))
        if found:
            _, away, to, trigger = min(found, key=lambda one: one[:3])
            return dimension, away, to, min(case.params.changes.move_step, places[away].share or 0.0), trigger
    return None


def _brings_more(here: Counters, there: Counters) -> tuple[float, float, dict[str, float | int | str | bool | None]]:
    """The p-value, the ratio of conversions per spend, and the counts."""
    by_chance = chance.rate_at_least(here.conversions, here.cost, there.conversions, there.cost, 1.0)
    evidence = {
        "conversions": here.conversions,
        "cost": here.cost,
        "others": there.conversions,
        "others_cost": there.cost,
    }
    if min(here.cost, there.cost) <= 0:
        return 1.0, 1.0, dict(evidence)
    rate = max(there.conversions, 0.5) / there.cost
    return by_chance, here.conversions / here.cost / rate, dict(evidence)

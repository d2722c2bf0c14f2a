"""Tests that find a reason to change a campaign, each with its p-value. Small counts find nothing."""

from collections.abc import Callable
from typing import Any

from serving.decisions.case import Case, number
from serving.decisions.records import Counters, Trigger, WindowedCounters
from serving.decisions.rules import chance

DAY_S = 86_400

Search = Callable[[Case[Any], float], Trigger | None]


def find(case: Case[Any]) -> tuple[Trigger, ...]:
    """All findings. The probability of any false finding is at most `triggers.chance` per review."""
    level = case.params.triggers.chance / STATISTICAL
    found = (search(case, level) for search in SEARCHES)
    return tuple(one for one in found if one is not None)


def ctr_drop(case: Case[Any], level: float) -> Trigger | None:
    """Clicks per impression fell below a share of their history."""
    return fallen("ctr_drop", case.state.window, "clicks", "impressions", case.params.triggers.ctr_ratio, level)


def conversion_drop(case: Case[Any], level: float) -> Trigger | None:
    """Conversions per click are below the campaign's minimum or, without one, below a share of their history."""
    asked, recent = case.state.min_conversion_rate, case.state.window.recent
    if asked is None:
        ratio = case.params.triggers.conversion_ratio
        return fallen("conversion_drop", case.state.window, "conversions", "clicks", ratio, level)
    by_chance = chance.at_most(recent.conversions, asked * recent.clicks)
    if not recent.clicks or by_chance >= level:
        return None
    evidence = {"conversions": recent.conversions, "clicks": recent.clicks}
    return Trigger("conversion_drop", recent.conversions / recent.clicks, asked, by_chance, evidence)


def cost_increase(case: Case[Any], level: float) -> Trigger | None:
    """The spend brought fewer clicks than at a fifth above the target cost per click."""
    target, recent = case.state.target_cpc, case.state.window.recent
    if not target or not recent.cost:
        return None
    most = target * case.params.triggers.cpc_ratio
    by_chance = chance.at_most(recent.clicks, recent.cost / most)
    if by_chance >= level:
        return None
    evidence = {"cost": recent.cost, "clicks": recent.clicks, "target_cpc": target}
    return Trigger("cost_increase", recent.cost / max(recent.clicks, 1), most, by_chance, evidence)


def cost_below_target(case: Case[Any], level: float) -> Trigger | None:
    """The cost per click is significantly below the target: bids may rise."""
    target, recent = case.state.target_cpc, case.state.window.recent
    if not target or not recent.cost or not recent.clicks:
        return None
    by_chance = chance.at_least(recent.clicks, recent.cost / target)
    if by_chance >= level:
        return None
    evidence = {"cost": recent.cost, "clicks": recent.clicks}
    return Trigger("cost_below_target", recent.cost / recent.clicks, target, by_chance, evidence)


def competition(case: Case[Any], level: float) -> Trigger | None:
    """The share of won auctions fell: competitors bid more."""
    return fallen("competition", case.state.window, "impressions", "bids", case.params.triggers.win_ratio, level)


def seasonality(case: Case[Any], level: float) -> Trigger | None:
    """The distribution of the click rate over the hours changed."""
    return _pattern(case, level, "seasonality_shift", "hour")


def audience(case: Case[Any], level: float) -> Trigger | None:
    """The distribution of the click rate over the audiences changed."""
    return _pattern(case, level, "audience_shift", "audience")


def platform(case: Case[Any], level: float) -> Trigger | None:
    """The click rate of the rest of the account changed too: the platform changed, not this campaign."""
    rest = WindowedCounters(
        _without(case.state.account_window.recent, case.state.window.recent),
        _without(case.state.account_window.past, case.state.window.past),
    )
    ratio = case.params.triggers.platform_ratio
    fell = fallen("platform_change", rest, "clicks", "impressions", ratio, level / 2)
    return fell or risen("platform_change", rest, "clicks", "impressions", 1 / ratio, level / 2)


def budget(case: Case[Any], _: float) -> Trigger | None:
    """The daily budget is nearly spent."""
    spend, most = case.state.campaign, case.params.triggers.budget_used
    if not spend.daily_limit or (used := spend.expected_today / spend.daily_limit) <= most:
        return None
    return Trigger("budget_exhaustion", used, most, 0.0, {"day_left": 1 - elapsed(case)})


def under_delivery(case: Case[Any], _: float) -> Trigger | None:
    """Well into the day, much less is spent than the elapsed share of the budget."""
    spend, ratio, gone = case.state.campaign, case.params.triggers.delivery_ratio, elapsed(case)
    if not spend.daily_limit or gone < 0.25:
        return None
    used = spend.expected_today / spend.daily_limit
    if used >= gone * ratio:
        return None
    return Trigger("under_delivery", used, gone * ratio, 0.0, {"day_gone": gone})


def elapsed(case: Case[Any]) -> float:
    """Elapsed share of the day (UTC, like budgets)."""
    return (number(case.opportunity.occurred_at) or 0.0) % DAY_S / DAY_S


def fallen(name: str, window: WindowedCounters, seen: str, of: str, ratio: float, level: float) -> Trigger | None:
    """The recent rate is significantly below a share of the earlier one."""
    k, n, k0, n0 = _counts(window, seen, of)
    by_chance = chance.rate_at_most(k, n, k0, n0, ratio)
    return _trigger(name, (k, n, k0, n0), (seen, of), ratio, by_chance) if by_chance < level else None


def risen(name: str, window: WindowedCounters, seen: str, of: str, ratio: float, level: float) -> Trigger | None:
    """The recent rate is significantly above a multiple of the earlier one."""
    k, n, k0, n0 = _counts(window, seen, of)
    by_chance = chance.rate_at_least(k, n, k0, n0, ratio)
    return _trigger(name, (k, n, k0, n0), (seen, of), ratio, by_chance) if by_chance < level else None


def _counts(window: WindowedCounters, seen: str, of: str) -> tuple[int, int, int, int]:
    return tuple(getattr(part, name) for part in (window.recent, window.past) for name in (seen, of))


def _trigger(
    name: str, counts: tuple[int, int, int, int], of: tuple[str, str], ratio: float, by_chance: float
) -> Trigger:
    k, n, k0, n0 = counts
    evidence = {f"recent_{of[0]}": k, f"recent_{of[1]}": n, f"past_{of[0]}": k0, f"past_{of[1]}": n0}
    before = k0 / n0
    return Trigger(name, k / n / before if before else float(k), ratio, by_chance, evidence)


def _pattern(case: Case[Any], level: float, name: str, dimension: str) -> Trigger | None:
    cells = [segment.window for segment in case.state.segments.get(dimension, {}).values()]
    here = [(one.recent.clicks, float(one.recent.impressions)) for one in cells]
    there = [(one.past.clicks, float(one.past.impressions)) for one in cells]
    moved, by_chance = chance.pattern(here, there)
    threshold = case.params.triggers.pattern_shift
    if by_chance >= level or moved <= threshold:
        return None
    return Trigger(name, moved, threshold, by_chance, {"cells": len(cells), "clicks": sum(k for k, _ in here)})


def _without(all_of: Counters, one: Counters) -> Counters:
    """Clicks and impressions of the account's other campaigns. The account is read after its campaign."""
    return Counters(impressions=max(0, all_of.impressions - one.impressions), clicks=max(0, all_of.clicks - one.clicks))


#: Triggers with a test, and their number; the last two only read the budget.
SEARCHES: tuple[Search, ...] = (
    platform,
    ctr_drop,
    conversion_drop,
    cost_increase,
    cost_below_target,
    competition,
    seasonality,
    audience,
    budget,
    under_delivery,
)
STATISTICAL = len(SEARCHES) - 2

"""What calls for a change of a campaign. Each finding says how likely it is by chance; a few counts find nothing."""

from collections.abc import Callable
from typing import Any

from serving.decisions.case import Case, number
from serving.decisions.records import Counters, Trigger, WindowedCounters
from serving.decisions.rules import chance

DAY_S = 86_400

Search = Callable[[Case[Any], float], Trigger | None]


def find(case: Case[Any]) -> tuple[Trigger, ...]:
    """All that is found. The probability that chance alone finds any is at most `triggers.chance` a look."""
    level = case.params.triggers.chance / STATISTICAL
    found = (search(case, level) for search in SEARCHES)
    return tuple(one for one in found if one is not None)


def ctr_drop(case: Case[Any], level: float) -> Trigger | None:
    """Clicks per impression fell below a share of their history."""
    return fallen("ctr_drop", case.state.window, "clicks", "impressions", case.params.triggers.ctr_ratio, level)


def conversion_drop(case: Case[Any], level: float) -> Trigger | None:
    """Conversions per click are below what was asked for; or, if nothing was, below a share of their history."""
    asked, recent = case.state.min_conversion_rate, case.state.window.recent
    if asked is None:
        ratio = case.params.triggers.conversion_ratio
        return fallen("conversion_drop", case.state.window, "conversions", "clicks", ratio, level)
    by_chance = chance.at_most(recent.conversions, asked * recent.clicks)
    if not recent.clicks or by_chance >= level:
        return None
    told = {"conversions": recent.conversions, "clicks": recent.clicks}
    return Trigger("conversion_drop", recent.conversions / recent.clicks, asked, by_chance, told)


def cost_increase(case: Case[Any], level: float) -> Trigger | None:
    """What was spent brought fewer clicks than it would at a fifth above the target cost per click."""
    target, recent = case.state.target_cpc, case.state.window.recent
    if not target or not recent.cost:
        return None
    most = target * case.params.triggers.cpc_ratio
    by_chance = chance.at_most(recent.clicks, recent.cost / most)
    if by_chance >= level:
        return None
    told = {"cost": recent.cost, "clicks": recent.clicks, "target_cpc": target}
    return Trigger("cost_increase", recent.cost / max(recent.clicks, 1), most, by_chance, told)


def cost_below_target(case: Case[Any], level: float) -> Trigger | None:
    """A click costs less than the target, surely: there is room to bid more."""
    target, recent = case.state.target_cpc, case.state.window.recent
    if not target or not recent.cost or not recent.clicks:
        return None
    by_chance = chance.at_least(recent.clicks, recent.cost / target)
    if by_chance >= level:
        return None
    told = {"cost": recent.cost, "clicks": recent.clicks}
    return Trigger("cost_below_target", recent.cost / recent.clicks, target, by_chance, told)


def competition(case: Case[Any], level: float) -> Trigger | None:
    """Fewer auctions are won than were: others bid more."""
    return fallen("competition", case.state.window, "impressions", "bids", case.params.triggers.win_ratio, level)


def seasonality(case: Case[Any], level: float) -> Trigger | None:
    """Clicks per impression are divided over the hours as they never were."""
    return _pattern(case, level, "seasonality_shift", "hour")


def audience(case: Case[Any], level: float) -> Trigger | None:
    """Clicks per impression are divided over the audiences as they never were."""
    return _pattern(case, level, "audience_shift", "audience")


def platform(case: Case[Any], level: float) -> Trigger | None:
    """The rest of the account changed its level at once, up or down: it is the platform, not this campaign."""
    rest = WindowedCounters(
        _without(case.state.account_window.recent, case.state.window.recent),
        _without(case.state.account_window.past, case.state.window.past),
    )
    ratio = case.params.triggers.platform_ratio
    fell = fallen("platform_change", rest, "clicks", "impressions", ratio, level / 2)
    return fell or risen("platform_change", rest, "clicks", "impressions", 1 / ratio, level / 2)


def budget(case: Case[Any], _: float) -> Trigger | None:
    """The day's budget is all but gone."""
    spend, most = case.state.campaign, case.params.triggers.budget_used
    if not spend.daily_limit or (used := spend.expected_today / spend.daily_limit) <= most:
        return None
    return Trigger("budget_exhaustion", used, most, 0.0, {"day_left": 1 - elapsed(case)})


def under_delivery(case: Case[Any], _: float) -> Trigger | None:
    """Well into the day, much less was spent than the time that went by."""
    spend, ratio, gone = case.state.campaign, case.params.triggers.delivery_ratio, elapsed(case)
    if not spend.daily_limit or gone < 0.25:
        return None
    used = spend.expected_today / spend.daily_limit
    if used >= gone * ratio:
        return None
    return Trigger("under_delivery", used, gone * ratio, 0.0, {"day_gone": gone})


def elapsed(case: Case[Any]) -> float:
    """The share of the day (UTC, as budgets are) that went by."""
    return (number(case.opportunity.occurred_at) or 0.0) % DAY_S / DAY_S


def fallen(name: str, window: WindowedCounters, seen: str, of: str, ratio: float, level: float) -> Trigger | None:
    """A recent rate is below a share of what it was before, beyond chance."""
    k, n, k0, n0 = _counts(window, seen, of)
    by_chance = chance.rate_at_most(k, n, k0, n0, ratio)
    return _trigger(name, (k, n, k0, n0), (seen, of), ratio, by_chance) if by_chance < level else None


def risen(name: str, window: WindowedCounters, seen: str, of: str, ratio: float, level: float) -> Trigger | None:
    """A recent rate is above so many times what it was before, beyond chance."""
    k, n, k0, n0 = _counts(window, seen, of)
    by_chance = chance.rate_at_least(k, n, k0, n0, ratio)
    return _trigger(name, (k, n, k0, n0), (seen, of), ratio, by_chance) if by_chance < level else None


def _counts(window: WindowedCounters, seen: str, of: str) -> tuple[int, int, int, int]:
    return tuple(getattr(part, name) for part in (window.recent, window.past) for name in (seen, of))


def _trigger(
    name: str, counts: tuple[int, int, int, int], of: tuple[str, str], ratio: float, by_chance: float
) -> Trigger:
    k, n, k0, n0 = counts
    told = {f"recent_{of[0]}": k, f"recent_{of[1]}": n, f"past_{of[0]}": k0, f"past_{of[1]}": n0}
    before = k0 / n0
    return Trigger(name, k / n / before if before else float(k), ratio, by_chance, told)


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
    """Clicks and impressions of the others. An account is read a moment after its campaign, never before."""
    return Counters(impressions=max(0, all_of.impressions - one.impressions), clicks=max(0, all_of.clicks - one.clicks))


#: The searches that chance may fool, and how many they are; the last two only read the budget.
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

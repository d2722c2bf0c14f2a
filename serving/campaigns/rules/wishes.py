"""From a rule that holds to the fields that it wants changed."""

from dataclasses import dataclass
from typing import Any, Literal

from serving.campaigns.rules import rebalance
from serving.campaigns.rules.answers import RuleCase
from serving.campaigns.rules.grammar import Act, Amount, Rebalance
from serving.campaigns.rules.metrics import RATES, SeenRate
from serving.campaigns.rules.objects import AccountView, Place, RuleObject

#: Impressions at the usual rate by which an ad's rate is shrunk, so that new ads get shown.
PRIOR_IMPRESSIONS = 1000.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A field that is wanted to be changed.

    Attributes:
        direction: 1 spends more or runs, -1 spends less or stops, 0 neither.
        bounded: whether it is within the caps already, as part of a move that must stay whole.
        why: what the action found besides the rule's condition.
    """

    one: RuleObject
    field: str
    before: Any
    value: Any
    direction: Literal[-1, 0, 1]
    bounded: bool = False
    why: str = ""

    @property
    def key(self) -> tuple[Place, str]:
        """The object and field."""
        return self.one.place, self.field


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one action wants: all of its wishes or none; or why it can do nothing."""

    wishes: tuple[Wish, ...] = ()
    cannot: str = ""


def wanted(asked: RuleCase, act: Act) -> Wanted:
    """What an action wants of the object."""
    one, view = asked.one, asked.view
    if act.pause or act.resume:
        status: Literal["paused", "live"] = "paused" if act.pause else "live"
        return Wanted((_status(one, status),))
    if act.budget is not None:
        holder = view.campaign_of(one) if act.budget.of == "campaign" else one
        if holder is None:
            return Wanted(cannot="its campaign is not known")
        field = "total_budget" if holder.fields.get("total_budget") else "daily_budget"
        return _amount(holder, field, act.budget)
    if act.bid is not None:
        return _amount(one, "bid", act.bid)
    if act.rotate:
        return _rotated(view, one)
    return _moved(asked, act.rebalance) if act.rebalance is not None else Wanted()


def _status(one: RuleObject, status: Literal["paused", "live"]) -> Wish:
    return Wish(one, "status", one.fields.get("status", "live"), status, 1 if status == "live" else -1)


def _amount(one: RuleObject, field: str, asked: Amount) -> Wanted:
    before = one.fields.get(field)
    if not isinstance(before, int | float) or before <= 0:
        return Wanted(cannot=f"{field}: unknown; adloop sync reads it")
    value = asked.wanted(float(before))
    if value == before:
        return Wanted(cannot=f"{field} {before:g}: is at its limit already")
    return Wanted((Wish(one, field, float(before), value, 1 if value > before else -1),))


def _rotated(view: AccountView, one: RuleObject) -> Wanted:
    """The live ad with the lowest click rate rests, the resting one with the highest runs."""
    names = view.below(one, "ad").places
    below = {name: view.get(("ad", name)) for name in names}
    below |= {name: ad for (kind, name), ad in view.objects.items() if kind == "ad" and _in(view, ad, one)}
    live = [ad for ad in below.values() if ad.fields.get("status", "live") == "live"]
    resting = [ad for ad in below.values() if ad.fields.get("status") == "paused" and not ad.held]
    if not live or not resting:
        return Wanted(cannot="rotate: expected a live ad and a paused one")
    rate = {name: _promise(view, name) for name in below}
    worst = min(live, key=lambda ad: (rate[ad.place[1]], ad.place))
    best = max(resting, key=lambda ad: (rate[ad.place[1]], ad.place))
    return Wanted((_status(worst, "paused"), _status(best, "live")))


def _in(view: AccountView, ad: RuleObject, one: RuleObject) -> bool:
    campaign = view.campaign_of(ad)
    return ad.parent == one.place[1] or (campaign is not None and campaign.place == one.place)


def _promise(view: AccountView, ad: str) -> float:
    """The click rate of an ad, shrunk to that of the account."""
    seen, everything = view.histories["ad"], view.histories["account"].counts
    usual = float(everything["clicks"].sum()) / max(1.0, float(everything["impressions"].sum()))
    days = seen.first, seen.end
    clicks, impressions = (seen.sum(ad, name, *days) for name in ("clicks", "impressions"))
    return (clicks + PRIOR_IMPRESSIONS * usual) / (impressions + PRIOR_IMPRESSIONS)


def _moved(asked: RuleCase, how: Rebalance) -> Wanted:
    """Budgets, or shares of a budget, after a move."""
    view, one = asked.view, asked.one
    seen = view.below(one, how.between)
    if len(seen.places) < 2:
        return Wanted(cannot=f"rebalance: expected counts of two {how.between} places at least, got {len(seen.places)}")
    days = how.over.days(asked.now.date())
    metric = "roas" if how.by == "value" else "cpa"
    found = {name: seen.seen(name, metric, *days) for name in seen.places}
    if how.between in ("campaign", "ad_group"):
        objects = {name: view.get((how.between, name)) for name in seen.places}
        budgets = {
            name: ad.fields["daily_budget"]
            for name, ad in objects.items()
            if view.status(ad) == "live" and ad.fields.get("daily_budget") and not ad.held
        }
        move = rebalance.moved(budgets, _worth(found), asked.rule.chance_a_look, how.step, how.keep)
        return _whole(
            tuple(
                Wish(objects[name], "daily_budget", float(was), value, 1 if value > was else -1, True, move.why)
                for name, was in budgets.items()
                if (value := move.budgets[name]) != was
            )
        )
    field = f"{how.between}_shares"
    shares = one.fields.get(field) or rebalance.shares({name: seen.sum(name, "spend", *days) for name in seen.places})
    move = rebalance.moved(shares, _worth(found), asked.rule.chance_a_look, how.step, how.keep)
    return _whole((Wish(one, field, shares, move.budgets, 0, True, move.why),) if move.why else ())


def _whole(wishes: tuple[Wish, ...]) -> Wanted:
    return Wanted(wishes) if wishes else Wanted(cannot="rebalance: no place is surely better than another")


def _worth(found: dict[str, SeenRate]) -> dict[str, SeenRate]:
    """Value by spend of each place, as a posterior: one event at the common rate is known before."""
    value = RATES["roas"]
    events, size = (sum(getattr(one, name) for one in found.values()) for name in ("events", "size"))
    if events <= 0 or size <= 0:
        return {}
    worth = sum(one.worth * one.events for one in found.values()) / events
    return {
        name: SeenRate(
            value, one.events + 1, one.size + size / events, one.noise, one.worth if one.events > 0 else worth
        )
        for name, one in found.items()
    }

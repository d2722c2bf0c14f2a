"""What rules would have done on the days of a data folder, and what that would have saved.

A day is looked at as it was at its beginning, with the counts of the days before. What was paused or cut would not have
been spent, and its outcomes would not have come: both in proportion, which is the assumption. A raised budget brings
outcomes in proportion too, which flatters raises: saturation is not known. Changes of bids are listed and not counted.
Budgets of the past are not known: an object's budget is taken to be its mean spend of the week before.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

import numpy as np
import pandas as pd

from models.evaluation.bootstrap import Interval, interval
from models.evaluation.metrics import Metric
from serving.campaigns.rules.caps import Past
from serving.campaigns.rules.evaluate import due, evaluate
from serving.campaigns.rules.grammar import RuleFile
from serving.campaigns.rules.look import Evaluation, MadeChange, RuleMemory, told
from serving.campaigns.rules.objects import AccountView, Place, RuleObject, view
from serving.campaigns.rules.words import DAY
from serving.decisions.params import DecisionParams

#: Days whose mean spend stands for a budget.
BUDGET_DAYS = 7
_LEVELS = ("campaign", "ad_group", "ad", "keyword")


@dataclass
class RuleReplay:
    """The days of a replay.

    Attributes:
        days: a row a day: `saved` spend, `lost_conversions`, `lost_value`, and `net` where outcomes have a value.
        acted: a row a change or notice: day, rule, object, object_id, field, before, value, why.
        net: the sum of `net` with its interval over weeks; None where outcomes have no value.
    """

    days: pd.DataFrame
    acted: pd.DataFrame
    not_yet: int
    net: Interval | None
    saved: Interval
    data_hash: str = ""

    @property
    def changes(self) -> int:
        """How many changes would have been made."""
        return int((self.acted["field"] != "told").sum())


@dataclass
class _Shown:
    """The account as the rules would have left it: fields of objects, and the share of their traffic that is left."""

    objects: dict[Place, RuleObject] = field(default_factory=dict)
    share: dict[Place, float] = field(default_factory=dict)


def replay(
    file: RuleFile,
    frame: pd.DataFrame,
    days: int,
    seed: int,
    params: DecisionParams | None = None,
    tell: Callable[[str, float], None] = lambda _, __: None,
    data_hash: str = "",
) -> RuleReplay:
    """Look at the rules at the beginning of each of the last days of these counts (`features.ad_days.read`)."""
    if frame.empty:
        raise ValueError("impressions: the table is empty")
    stamps = pd.to_datetime(frame["day"])
    end = stamps.max().date() + DAY
    first = max(end - days * DAY, stamps.min().date() + DAY)
    shown, memory, rows, acted, not_yet = _Shown(), RuleMemory(), [], list[dict[str, object]](), 0
    account, looked, valued = view({}, frame), dict[str, str](), bool(frame["value"].any())
    for place in range((end - first).days):
        today = first + place * DAY
        tell(f"{today}", place / max(1, (end - first).days))
        seen = account.before(today, _budgeted(shown, account, today))
        now = datetime.combine(today, time(), file.zone)
        slots = {rule: slot for rule, slot in due(file, now).items() if looked.get(rule) != slot}
        looked |= slots
        found = evaluate(file, seen, memory, now, slots, params)
        memory = remembered(memory, found, now)
        for made in found.made:
            _apply(shown, seen, made)
        acted += _acted(found, today)
        not_yet += sum(one.tri == "not yet" for one in found.verdicts)
        rows.append({"day": today} | _effect(file, shown, frame[stamps == pd.Timestamp(today)], valued))
    return replace(_summed(pd.DataFrame(rows), acted, not_yet, seed), data_hash=data_hash)


def remembered(memory: RuleMemory, found: Evaluation, now: datetime) -> RuleMemory:
    """The memory after a look, as the store would keep it, of looks a day apart."""
    past = {key: replace(one, day_began=None) for key, one in memory.past.items()}
    past |= {one.wish.key: Past(now.timestamp(), None) for one in found.made}
    past |= {(verdict.place, told(verdict.rule)): Past(now.timestamp()) for _, verdict in found.notices + found.pings}
    return RuleMemory(past, found.queue)


def _budgeted(shown: _Shown, account: AccountView, today: date) -> dict[Place, RuleObject]:
    """The objects, with what stands for their budgets until a rule changes them."""
    found = dict(shown.objects)
    for level in ("campaign", "ad_group"):
        seen = account.histories[level]
        for name in seen.places:
            one = found.get((level, name)) or account.get((level, name))
            spent = seen.sum(name, "spend", today - BUDGET_DAYS * DAY, today) / BUDGET_DAYS
            if one.place not in shown.share and spent > 0:
                fields = {"status": "live", **one.fields, "daily_budget": round(spent, 2), "assumed": True}
                found[one.place] = replace(one, fields=fields)
    return found


def _apply(shown: _Shown, account: AccountView, made: MadeChange) -> None:
    wish, value = made.wish, made.change.fields[made.wish.field]
    one = account.get(wish.one.place)
    shown.objects[one.place] = replace(one, fields={**one.fields, wish.field: value})
    if wish.field == "daily_budget" and wish.before:
        shown.share[one.place] = shown.share.get(one.place, 1.0) * float(value) / float(wish.before)


def _effect(file: RuleFile, shown: _Shown, frame: pd.DataFrame, valued: bool) -> dict[str, float]:
    """What the rules' changes so far would have changed on a day.

    Args:
        valued: whether the counts tell values of conversions.
    """
    left = np.ones(len(frame))
    for level in _LEVELS:
        shares = {
            place[1]: 0.0 if shown.objects[place].fields.get("status") == "paused" else shown.share.get(place, 1.0)
            for place in shown.objects
            if place[0] == level
        }
        left *= frame[f"{level}_id"].map(shares).astype(float).fillna(1.0).to_numpy() if shares else 1.0
    gone = {name: float(((1 - left) * frame[name]).sum()) for name in ("spend", "conversions", "value")}
    worth = file.targets.get("cpa")
    lost = gone["value"] if valued else gone["conversions"] * worth if worth else float("nan")
    return {
        "spend": float(frame["spend"].sum()),
        "saved": gone["spend"],
        "lost_conversions": gone["conversions"],
        "lost_value": gone["value"],
        "net": gone["spend"] - lost,
    }


def _acted(found: Evaluation, today: date) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {
            "day": today,
            "rule": one.change.by.removeprefix("rule "),
            "object": one.change.object,
            "object_id": one.change.target,
            "field": one.wish.field,
            "before": one.wish.before,
            "value": one.change.fields[one.wish.field],
            "why": one.change.reason.partition(": ")[2],
        }
        for one in found.made
    ]
    return rows + [
        {"day": today, "rule": one.rule, "object": one.place[0], "object_id": one.place[1], "field": "told"}
        | {"before": None, "value": text, "why": one.why}
        for text, one in found.notices
    ]


def _summed(days: pd.DataFrame, acted: list[dict[str, object]], not_yet: int, seed: int) -> RuleReplay:
    """Sums with their intervals by the bootstrap over weeks: days of one week depend on each other."""
    weeks = days.drop(columns="day").groupby(np.arange(len(days)) // 7).sum(min_count=1)
    columns = ["day", "rule", "object", "object_id", "field", "before", "value", "why"]

    def over_weeks(name: str) -> Interval:
        return interval(Metric(name, lambda truth, _: float(truth[name].sum())), weeks, weeks, seed)

    net = None if days["net"].isna().all() else over_weeks("net")
    return RuleReplay(days, pd.DataFrame(acted, columns=columns), not_yet, net, over_weeks("saved"))

"""Carries out decisions of the real-time engine at the platforms where their campaigns run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from features.lake import Place
from features.records import LOG
from serving.campaigns.safety import stepping
from serving.campaigns.safety.guard import Guarded
from serving.decisions.kinds.campaign import KIND
from serving.decisions.log import entry as logged
from serving.decisions.records import Action, Decision
from serving.integrations.change import Change, Fields, LedgerEntry
from serving.integrations.ledger import WriteLedger
from serving.records import reading

DAY_S = 86_400.0
#: Who wants the changes, on the time line.
BY = "adloop decisions"


@dataclass(frozen=True, slots=True)
class RunningCampaign:
    """What a campaign consists of at its platforms: the objects that were created for it, by type, and their fields as
    they are known now."""

    objects: Mapping[str, tuple[LedgerEntry, ...]]
    now: dict[tuple[str, str], Fields]

    def of(self, kind: str) -> tuple[LedgerEntry, ...]:
        return self.objects.get(kind, ())

    def want(self, change: Change) -> None:
        """From now on the object shows what the change wants."""
        place = change.platform, change.target
        self.now[place] = {**self.now.get(place, {}), **change.fields}

    def shows(self, entry: LedgerEntry) -> Fields:
        return self.now.get((entry.change.platform, entry.object_id), entry.change.fields)


def running(ledger: WriteLedger, campaign: str) -> RunningCampaign:
    """The confirmed objects of a campaign, with what is already wanted of them."""
    entries = ledger.entries("campaign = ? AND status IN ('intended', 'sending', 'sent', 'confirmed')", campaign)
    created = [one for one in entries if one.change.doing == "create" and one.status == "confirmed"]
    now = dict[tuple[str, str], Fields]()
    for where in {(entry.change.platform, entry.change.account) for entry in created}:
        now |= {(one.platform, one.object_id): one.fields for one in ledger.known(*where)}
    found = RunningCampaign({kind: () for kind in {one.change.object for one in created}}, now)
    for entry in entries:
        if entry.status != "confirmed":
            found.want(entry.change)
    kinds = {kind: tuple(one for one in created if one.change.object == kind) for kind in found.objects}
    return replace(found, objects=kinds)


def reviews(root: Place, since: float = 0.0) -> list[Decision]:
    """Changes that reviews of campaigns decided, logged since then (Unix seconds), in the order they were decided.

    Raises `FileNotFoundError` where nothing is logged.
    """
    import pyarrow.compute as pc

    found = list[Decision]()
    for table in reading.tables(root / LOG, ["asked", "action", "entry"], since):
        changing = table.filter((pc.field("asked") == KIND.name) & (pc.field("action") != Action.HOLD.value))
        found += [logged.read(one.encode()).decision for one in changing["entry"].to_pylist()]
    return sorted(found, key=lambda one: one.decided_at)


def carry_out(known: Guarded, root: Place, cooldown_s: float) -> list[str]:
    """Intend the changes of the last day's reviews, large ones in steps; returns the ids of the new ones.

    Only of campaigns that run at a platform, and only changes that nobody else claimed to carry out: whoever asked for
    a review may do so too.

    Args:
        root: folder of the records of decisions; without any, there is nothing to carry out.
        cooldown_s: `changes.cooldown_s` of the parameters of decisions.
    """
    try:
        found = reviews(root, known.now() - DAY_S)
    except FileNotFoundError:  # no decision was made yet
        return []
    here = {one.campaign_id for one in found if running(known.ledger, one.campaign_id).objects}
    ours = [one for one in found if one.campaign_id in here and known.stops.claim(one, cooldown_s)]
    return stepping.intend(known, changes(known.ledger, ours))


def changes(ledger: WriteLedger, decisions: Iterable[Decision]) -> list[Change]:
    """The changes that carry out decisions, in their order.

    A decision that was carried out before, or whose campaign runs at no platform, changes nothing.
    """
    campaigns, wanted = dict[str, RunningCampaign](), list[Change]()
    done = {entry.change.decision_id for entry in ledger.entries("change_id LIKE 'decision:%'")}
    for decision in decisions:
        if decision.decision_id in done:
            continue
        if decision.campaign_id not in campaigns:
            campaigns[decision.campaign_id] = running(ledger, decision.campaign_id)
        for change in list(_changes(decision, campaigns[decision.campaign_id])):
            wanted.append(change)
            campaigns[decision.campaign_id].want(change)
    return wanted


def bids(ledger: WriteLedger, made: pd.DataFrame, day: str) -> list[Change]:
    """For each ad group that is named after a channel, the mean of the bids that were decided in the channel: a
    platform that asks for no bid by auction takes one a day.

    Args:
        made: decisions of the day, of `serving.decisions.outcomes.joined`.
        day: of the change's id, so that a day is carried out once.
    """
    bid = made[made["action"].eq(Action.BID) & made["amount"].gt(0)]
    means = bid.groupby(["campaign_id", "channel"])["amount"].agg(["mean", "count"])
    wanted = list[Change]()
    for (campaign, channel), (mean, count) in zip(means.index, means.to_numpy(), strict=True):
        for entry in running(ledger, campaign).of("ad_group"):
            if entry.change.fields.get("name") == channel and "bid" in entry.change.fields:
                reason = f"mean of {count:.0f} bids that were decided in the channel {channel}"
                wanted.append(
                    Change(
                        change_id=f"bids:{day}:{campaign}:{channel}:{entry.object_id}",
                        platform=entry.change.platform,
                        account=entry.change.account,
                        object="ad_group",
                        doing="update",
                        fields={"bid": _cents(mean)},
                        target=entry.object_id,
                        reason=reason,
                        by=BY,
                        campaign=campaign,
                    )
                )
    known = {entry.change.change_id for entry in ledger.entries("change_id LIKE 'bids:%'")}
    return [change for change in wanted if change.change_id not in known]


def _changes(decision: Decision, campaign: RunningCampaign) -> Iterator[Change]:
    carry_out = _CARRIED_OUT.get(decision.action)
    return carry_out(decision, campaign) if carry_out is not None else iter(())


def _bids(decision: Decision, campaign: RunningCampaign) -> Iterator[Change]:
    """The decided multiplier of the bids that the ad groups were launched with."""
    for entry in campaign.of("ad_group"):
        if "bid" in entry.change.fields and decision.amount is not None:
            yield _update(decision, entry, {"bid": _cents(entry.change.fields["bid"] * decision.amount)})


def _pause(decision: Decision, campaign: RunningCampaign) -> Iterator[Change]:
    for entry in campaign.of("keyword"):
        if entry.change.fields.get("keyword") == decision.target:
            yield _update(decision, entry, {"status": "paused"})


def _add(decision: Decision, campaign: RunningCampaign) -> Iterator[Change]:
    """The keyword in each ad group that has others."""
    for group in {entry.change.parent: entry for entry in campaign.of("keyword")}.values():
        keyword = {"keyword": decision.target, "match": group.change.fields.get("match", "phrase"), "status": "live"}
        place = f"{group.change.platform}:{group.change.parent}"
        yield _change(decision, group, place, doing="create", fields=keyword, parent=group.change.parent)


def _rotate(decision: Decision, campaign: RunningCampaign) -> Iterator[Change]:
    states = {decision.source: "paused", decision.target: "live"}
    for entry in campaign.of("ad"):
        if entry.change.fields.get("name") in states:
            yield _update(decision, entry, {"status": states[entry.change.fields["name"]]})


def _move(decision: Decision, campaign: RunningCampaign) -> Iterator[Change]:
    """A share of the campaign's daily budget, between ad groups that have the names of what it moves between."""
    named = {entry.change.fields.get("name"): entry for entry in campaign.of("ad_group")}
    away, to = named.get(decision.source), named.get(decision.target)
    if away is None or to is None or decision.amount is None:
        return
    budgets = {name: campaign.shows(entry).get("daily_budget") for name, entry in named.items()}
    total = sum(budget for budget in budgets.values() if budget)
    moved = min(_cents(decision.amount * total), budgets[decision.source] or 0.0)
    if moved and budgets[decision.target] is not None:
        yield _update(decision, away, {"daily_budget": _cents((budgets[decision.source] or 0.0) - moved)})
        yield _update(decision, to, {"daily_budget": _cents((budgets[decision.target] or 0.0) + moved)})


def _update(decision: Decision, entry: LedgerEntry, fields: Fields) -> Change:
    return _change(decision, entry, entry.object_id, doing="update", fields=fields, target=entry.object_id)


def _change(decision: Decision, entry: LedgerEntry, place: str, **said: Any) -> Change:
    of = entry.change
    return Change(
        change_id=f"decision:{decision.decision_id}:{place}",
        platform=of.platform,
        account=of.account,
        object=of.object,
        reason=decision.reason,
        by=BY,
        campaign=decision.campaign_id,
        decision_id=decision.decision_id,
        **said,
    )


def _cents(amount: float) -> float:
    """Platforms take no smaller amounts."""
    return round(amount, 2)


_CARRIED_OUT: Mapping[Action, Callable[[Decision, RunningCampaign], Iterator[Change]]] = {
    Action.RAISE_BID: _bids,
    Action.LOWER_BID: _bids,
    Action.PAUSE_KEYWORD: _pause,
    Action.ADD_KEYWORD: _add,
    Action.ROTATE_CREATIVE: _rotate,
    Action.MOVE_BUDGET: _move,
}

"""Spend limits: what all live campaigns of an account may spend a day stays within the account's limit."""

from collections.abc import Iterator, Mapping
from typing import Any

from serving.campaigns.safety.guard import Guarded, raised
from serving.integrations.change import CREATED_BY, OPEN, Change

#: Objects that carry budgets.
SPENDING = ("campaign", "ad_group")
#: Platform, account, and the object's id or the change that creates it.
Place = tuple[str, str, str]


def spend(change: Change, known: Guarded) -> str | None:
    """Why a larger budget, or another live campaign, would be too much for the account."""
    shown = known.shown(change)
    starts = change.fields.get("status") == "live" and shown.get("status") != "live"
    if change.object not in SPENDING or not (starts or "daily_budget" in raised(change, shown)):
        return None
    account = known.account(change)
    limit = next((one.spend.daily_limit for one in known.stops.budgets(account) if one.campaign_id is None), None)
    if limit is None:
        return None
    objects = _standing(account, change, known)
    mine = _place(change, known)
    objects[mine] = {**objects.get(mine, {}), **change.fields}
    total, own = sum(map(_daily, objects.values())), _daily(objects[mine])
    if own == 0 or total <= limit:
        return None
    return (
        f"account {account}: {total - own:g} a day of live campaigns and {own:g} of this one are above its daily"
        f" limit {limit:g} (adloop budget {account} --daily AMOUNT)"
    )


def _standing(account: str, change: Change, known: Guarded) -> dict[Place, Mapping[str, Any]]:
    """The account's objects as they will be once all changes have come that were wanted before this one."""
    found = dict[Place, Mapping[str, Any]]()
    for platform, where in _places(account, change, known):
        for one in known.ledger.known(platform, where):
            if one.object in SPENDING and known.account_of(one.campaign, where) == account:
                found[platform, where, one.object_id] = one.fields
        for entry in known.ledger.of(platform, where, *OPEN):
            earlier = entry.change
            if earlier.change_id == change.change_id:
                break
            if earlier.object in SPENDING and known.account(earlier) == account:
                place = _place(earlier, known)
                found[place] = {**found.get(place, {}), **earlier.fields}
    return found


def _places(account: str, change: Change, known: Guarded) -> Iterator[tuple[str, str]]:
    """The accounts at platforms that belong to the account."""
    planned = {
        (platform, where.account)
        for one in known.lives.versions()
        if one.account == account
        for platform, where in one.plan.platforms.items()
    }
    yield from sorted(planned | {(change.platform, change.account)})


def _place(change: Change, known: Guarded) -> Place:
    made_by = change.target.removeprefix(CREATED_BY) if change.target.startswith(CREATED_BY) else change.change_id
    named = change.target if change.target and not change.target.startswith(CREATED_BY) else ""
    return change.platform, change.account, named or known.ledger.object_of(made_by) or made_by


def _daily(fields: Mapping[str, Any]) -> float:
    return float(fields.get("daily_budget") or 0.0) if fields.get("status") == "live" else 0.0

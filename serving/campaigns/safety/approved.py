"""Approvals: what a campaign does at platforms is what others than its author approved, in that version."""

from serving.campaigns.approvals import standing
from serving.campaigns.launch import GO, LAUNCH, prefix, under
from serving.campaigns.life import CampaignVersion
from serving.campaigns.safety.guard import BUDGETS, Guarded, raised
from serving.integrations.change import Change

#: What may stay below the approved budget by rounding.
CENT = 0.01


def approved(change: Change, known: Guarded) -> str | None:
    """Why a change waits for people."""
    mine = known.launching(change)
    if mine is not None:
        return _launching(change, mine, known)
    version = known.version(change)
    if version is None:
        return _outside(change, known)
    if change.fields.get("status") == "live" and version.state not in ("live", "paused"):
        return f"{version}: is {version.state}; only an approved campaign is set live (adloop campaign approve)"
    return _budget(change, version, known)


def _launching(change: Change, version: CampaignVersion, known: Guarded) -> str | None:
    """Part of a launch: its version is the newest and still approved; what sets it live comes last."""
    if version.state not in ("approved", "live", "paused"):
        return f"{version}: is {version.state}, and its launch is over"
    if version.state == "approved":
        missing = standing(version, known.lives.events(version.name), known.policy, known.now()).missing
        if missing:
            return f"{version}: {missing}; adloop campaign approve {version.name}"
    if change.change_id != f"{prefix(version, LAUNCH)}{change.platform}/{GO}":
        return None
    entries = under(known.ledger, version.name, f"{prefix(version, LAUNCH)}{change.platform}/")
    others = [one for one in entries if one.change.change_id != change.change_id and one.status != "confirmed"]
    if not others:
        return None
    first = others[0]
    return f"nothing spends before all parts are confirmed: {first.change.change_id} is {first.status}"


def _outside(change: Change, known: Guarded) -> str | None:
    """Of no campaign of adloop: a new budget, or one that comes to more than the next rule asks people about."""
    larger = raised(change, shown := known.shown(change))
    if change.object == "campaign" and change.fields.get("status") == "live" and not change.undoes:
        return "a campaign is set live by a plan that was approved: adloop campaign plan FILE"
    for name in set(BUDGETS) & set(larger):
        before, after = (known.policy.rule(one) for one in (float(shown.get(name) or 0.0), larger[name]))
        if after != before and after is not None:
            return f"{name} {larger[name]:g}: from {after.from_daily:g} on, {after.people} people approve it in a plan"
    return None


def _budget(change: Change, version: CampaignVersion, known: Guarded) -> str | None:
    """Budgets stay within those of the approved version."""
    larger = raised(change, known.shown(change))
    for name, most in (("daily_budget", version.plan.budget.daily), ("total_budget", version.plan.budget.total)):
        if most is not None and larger.get(name, 0.0) > most + CENT:
            return f"{name} {larger[name]:g}: {version} was approved with {most:g}; plan and approve a larger one"
    most = version.plan.limits.bid
    if most is not None and larger.get("bid", 0.0) > most:
        return f"bid {larger['bid']:g}: {version} was approved with bids up to {most:g}"
    return None

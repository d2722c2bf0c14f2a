"""Automation tries so many times; then a person looks. An approval by others lets it go on."""

from collections.abc import Iterator
from datetime import UTC, datetime

from serving.campaigns.launch import asked
from serving.campaigns.life import CampaignVersion
from serving.campaigns.safety.guard import Guarded
from serving.integrations.change import Change

#: What a person did that lets automation go on.
LOOKED = ("approval", "live", "draft")


def attempts(change: Change, known: Guarded) -> str | None:
    """Why an automatic change of a campaign waits: too many days of optimization since a person looked."""
    if change.undoes or change.doing != "update" or set(change.fields) <= {"status"} or not change.campaign:
        return None
    version = known.version(change)
    if version is None or known.launching(change) is not None:
        return None
    most, tried = allowed(version, known), tries(version, known)
    today = datetime.fromtimestamp(known.now(), UTC).date().isoformat()
    if today in tried or len(tried) < most:
        return None
    return f"{len(tried)} optimizations since a person looked: adloop campaign approve {version.name}"


def allowed(version: CampaignVersion, known: Guarded) -> int:
    return version.plan.limits.attempts or known.policy.attempts


def tries(version: CampaignVersion, known: Guarded) -> set[str]:
    """Days with automatic changes of the campaign since a person looked."""
    events = known.lives.events(version.name)
    looked = max((one.at for one in events if one.what in LOOKED), default=0.0)
    entries = known.ledger.entries("campaign = ? AND sent_at > ?", version.name, looked)
    return {
        datetime.fromtimestamp(one.sent_at, UTC).date().isoformat()
        for one in entries
        if one.change.doing == "update"
        and not one.change.undoes
        and not set(one.change.fields) <= {"status"}
        and known.launching(one.change) is None
    }


def human_triggers(version: CampaignVersion, known: Guarded) -> Iterator[str]:
    """Why a person should look at a campaign now."""
    found = asked(known.lives, known.ledger, version)
    if found is not None:
        yield from (f"{change}: {why}" for change, why in found.refused.items())
    held = known.ledger.entries("campaign = ? AND status = 'held'", version.name)
    yield from (f"{one.change.change_id}: held, because others changed its object (adloop holds)" for one in held)
    if version.state not in ("live", "paused"):
        return
    if len(tries(version, known)) >= allowed(version, known):
        yield f"{allowed(version, known)} optimizations since a person looked (adloop campaign approve {version.name})"
    if known.now() >= version.plan.ends_at.timestamp():
        yield f"its last day {version.plan.dates.end} is over (adloop campaign end {version.name})"

"""Ends campaigns: asks the platforms first, then assesses and archives what they confirmed as ended."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from features.settings import Settings
from features.tables import Tables
from serving.campaigns.ending.archive import archive
from serving.campaigns.ending.assess import CampaignAssessment, assess
from serving.campaigns.ending.holdout import file
from serving.campaigns.launch import GO, LAUNCH
from serving.campaigns.life import CampaignVersion, WrongState
from serving.campaigns.safety.guard import Guarded


def archived(
    known: Guarded, settings: Settings, name: str, tables: Tables, who: str, why: str
) -> tuple[CampaignAssessment, Path]:
    """Assess an ended campaign and archive it; returns the assessment and the report. Raises `WrongState`."""
    versions = known.lives.versions(name)
    last = known.lives.newest(name)
    if last.state not in ("ended", "archived"):
        raise WrongState(f"{last}: is {last.state}; expected ended before it can be archived")
    now = known.now()
    entries = known.ledger.entries("campaign = ?", name)
    since = _first_day(last, known)
    until = min(datetime.fromtimestamp(now, UTC), max(one.plan.ends_at for one in versions))
    campaigns = {one.object_id for one in entries if one.change.object == "campaign" and one.object_id}
    found = assess(tables, file(settings, name), campaigns, since, max(until, since))
    if last.state == "ended":
        last = known.lives.move(last, "archived", who, why, now, {"assessment": asdict(found)})
    folder = settings.home / "campaigns" / "archive" / name
    return found, archive(folder, known.lives.versions(name), known.lives.events(name), entries, found)


def _first_day(last: CampaignVersion, known: Guarded) -> datetime:
    """When platforms first set it live; the plan's first day where none did."""
    live = known.ledger.entries("campaign = ? AND status = 'confirmed'", last.name)
    sent = [
        one.sent_at for one in live if one.change.change_id.endswith(f"/{GO}") and f"/{LAUNCH}/" in one.change.change_id
    ]
    return datetime.fromtimestamp(min(sent), UTC) if sent else last.plan.starts_at

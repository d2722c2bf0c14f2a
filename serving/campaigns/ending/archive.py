"""What is kept of an ended campaign: Parquet for programs, and a report in plain text that needs no program at all."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from serving.campaigns.ending.assess import CampaignAssessment
from serving.campaigns.life import CampaignEvent, CampaignVersion
from serving.integrations.change import Change, LedgerEntry

REPORT = "report.md"


def archive(
    folder: Path,
    versions: Sequence[CampaignVersion],
    events: Sequence[CampaignEvent],
    entries: Sequence[LedgerEntry],
    assessment: CampaignAssessment,
) -> Path:
    """Write the archive, whole or not at all; returns its report."""
    aside = folder.with_name(f".{folder.name}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True, mode=0o700)
    frames = {
        "versions": pd.DataFrame([{**_plain(asdict(one)), "file": one.digest} for one in versions]),
        "events": pd.DataFrame([_plain(asdict(one)) for one in events]),
        "changes": pd.DataFrame([_entry(one) for one in entries]),
        "assessment": pd.DataFrame([_plain(asdict(assessment))]),
    }
    for name, frame in frames.items():
        frame.to_parquet(aside / f"{name}.parquet", index=False)
    hashes = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted(aside.iterdir())}
    (aside / REPORT).write_text("\n".join(_report(versions, events, entries, assessment, hashes)) + "\n", "utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    aside.replace(folder)
    return folder / REPORT


def _report(
    versions: Sequence[CampaignVersion],
    events: Sequence[CampaignEvent],
    entries: Sequence[LedgerEntry],
    assessment: CampaignAssessment,
    hashes: Mapping[str, str],
) -> list[str]:
    last = versions[-1]
    by_status = pd.Series([one.status for one in entries], dtype=object).value_counts().to_dict()
    return [
        f"# Campaign {last.name}",
        "",
        f"Account {last.account}, {last.plan.currency}, {last.plan.dates.start} to {last.plan.dates.end}"
        f" ({last.plan.zone}), on {', '.join(last.plan.platforms)}. {len(versions)} versions.",
        *("", "## What it added", "", f"{assessment.said[:1].upper()}{assessment.said[1:]}.", ""),
        *_table(("figure", "value", "95% interval"), _figures(assessment)),
        *(
            "",
            f"Purchases from {assessment.since} until {assessment.until}; tables with the hash {assessment.data}.",
            "",
        ),
        *("## What happened", ""),
        *_table(
            ("when (UTC)", "version", "what", "who", "why"),
            [(_when(one.at), str(one.version), one.what, one.who, one.why) for one in events],
        ),
        *("", "## Changes at platforms", "", f"{len(entries)} changes: {by_status}.", ""),
        *_table(
            ("when (UTC)", "change", "object", "fields", "status", "by", "reason"),
            [_told(one) for one in entries],
        ),
        *("", "## The last version", "", "```yaml", _yaml(last), "```", ""),
        *("## Files", "", "Apache Parquet, one table each; text columns that hold JSON say so by a brace.", ""),
        *_table(("file", "SHA-256"), list(hashes.items())),
    ]


def _figures(found: CampaignAssessment) -> list[tuple[str, str, str]]:
    def number(name: str, value: float | None) -> tuple[str, str, str]:
        return name, "unknown" if value is None else f"{value:,.2f}", ""

    def interval(name: str, value: tuple[float, float, float] | None) -> tuple[str, str, str]:
        if value is None:
            return number(name, None)
        return name, f"{value[0]:,.2f}", f"{value[1]:,.2f} to {value[2]:,.2f}"

    return [
        number("spend", found.spend),
        number("conversions that the platforms count", found.conversions),
        ("customers reached", f"{found.reached:,}", ""),
        ("customers held out", f"{found.held_out:,}", ""),
        interval("value added a customer", found.per_customer),
        interval("value added in all", found.added),
        interval("value added for each unit spent", found.return_on_spend),
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in (head, *rows)]
    written = [f"| {' | '.join(line)} |" for line in lines]
    return [written[0], f"|{'---|' * len(head)}", *written[1:]]


def _told(entry: LedgerEntry) -> tuple[str, ...]:
    change = entry.change
    when, said = _when(entry.sent_at) if entry.sent_at else "", json.dumps(_impersonal(change), ensure_ascii=False)
    return when, change.change_id, change.object, said, entry.status, change.by, change.reason


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    record = asdict(entry)
    return _plain(record.pop("change") | record | {"fields": _impersonal(entry.change)})


def _impersonal(change: Change) -> dict[str, Any]:
    """The fields of a change; of the members of an audience only how many there are."""
    return {name: len(value) if name == "emails" else value for name, value in change.fields.items()}


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record whose nested values are JSON."""
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | tuple) else value
        for name, value in record.items()
    }


def _yaml(version: CampaignVersion) -> str:
    return str(yaml.safe_dump(json.loads(version.text), sort_keys=False, allow_unicode=True)).rstrip()


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")

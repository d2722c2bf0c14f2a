"""The end of a simulated day: its campaigns are launched at stand-ins of ad platforms, its decisions carried out there
and read back."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from features.settings import Settings
from pipelines.platforms import brought
from serving.campaigns import decided
from serving.decisions.outcomes import joined
from serving.experiments.simulation import records
from serving.experiments.simulation.records import SimulatedCampaign
from serving.integrations import catalog
from serving.integrations.change import CREATED_BY, Change, Fields, LedgerEntry, differing
from serving.integrations.ledger import FILE, WriteLedger
from serving.integrations.platform import Platform

if TYPE_CHECKING:
    from rich.table import Table

KEPT = "platforms.json"


@dataclass(frozen=True, slots=True)
class AppliedDay:
    """What came of a day at one platform.

    Attributes:
        launched, decided: confirmed changes of the launch, and of the day's decisions.
        refused, held: all others.
        differing: objects that show anything else than was written last, read back at the end.
        shown: some of the decided changes, for people: object, field, value before and after, reason.
    """

    platform: str
    launched: int
    decided: int
    refused: int
    held: int
    differing: int
    shown: tuple[tuple[str, str, str, str, str], ...]


def apply_day(settings: Settings) -> list[AppliedDay]:
    """Launch the campaigns of the last simulated day at the stand-ins, carry out its decisions there, and read back.

    Replaces the earlier record. Empty where the settings name no stand-ins (`ADLOOP_STAND_INS`).
    """
    done, names = records.read(settings), [name for name in settings.stand_ins.split(",") if name]
    if done is None or not names:
        return []
    platforms = [catalog.platform(name) for name in names]
    place = records.folder(settings)
    with closing(WriteLedger(place / FILE)) as ledger:
        now, made = time.time(), joined(place)
        by_campaign = made.dropna(subset=["channel"]).groupby("campaign_id")["channel"]
        channels = {str(name): list(map(str, found.unique())) for name, found in by_campaign}
        ledger.intend(_launch(done.campaigns, channels, platforms), now)
        brought(platforms, ledger, lambda _: None)
        ledger.intend(decided.changes(ledger, decided.reviews(place)), now)
        brought(platforms, ledger, lambda _: None)
        ledger.intend(decided.bids(ledger, made, "simulated"), now)
        brought(platforms, ledger, lambda _: None)
        found = [_day(ledger, one) for one in platforms]
        for one in platforms:
            one.close()
    _write([asdict(one) for one in found], place / KEPT)
    return found


def applied(settings: Settings) -> list[AppliedDay]:
    """The record of the last simulated day; empty without one."""
    place = records.folder(settings) / KEPT
    if not place.exists():
        return []
    kept = json.loads(place.read_text("utf-8"))
    return [replace(AppliedDay(**one), shown=tuple(map(tuple, one["shown"]))) for one in kept]


def table(days: Sequence[AppliedDay]) -> "Table":
    """A row a platform."""
    from rich.table import Table

    found = Table(title="the day's decisions at the platforms' stand-ins", title_justify="left")
    for name in ("platform", "launched", "decisions applied", "refused", "held", "read back otherwise"):
        found.add_column(name)
    for day in days:
        counts = (day.launched, day.decided, day.refused, day.held, day.differing)
        found.add_row(day.platform, *map(str, counts))
    return found


def _launch(
    campaigns: Sequence[SimulatedCampaign], channels: Mapping[str, Sequence[str]], platforms: Sequence[Platform]
) -> Iterator[Change]:
    """Each campaign at one of the platforms: made paused, with an ad group a channel, then set live."""
    for place, one in enumerate(campaigns):
        platform = platforms[place % len(platforms)]
        about = {
            **{"platform": platform.name, "account": platform.account, "by": "adloop run"},
            **{"reason": "launch of a simulated campaign", "campaign": one.campaign_id},
        }
        start = f"launch:{one.campaign_id}"
        fields = {"name": one.campaign_id, "daily_budget": round(one.budget, 2), "status": "paused"}
        yield Change(start, object="campaign", doing="create", fields=_able(platform, "campaign", fields), **about)
        for channel in sorted(channels.get(one.campaign_id, ())):
            group = {"name": channel, "bid": round(one.constant, 2), "bid_unit": "mille", "status": "live"}
            yield Change(
                f"{start}:{channel}",
                object="ad_group",
                doing="create",
                fields=_able(platform, "ad_group", group),
                parent=CREATED_BY + start,
                **about,
            )
        yield Change(
            f"{start}:live",
            object="campaign",
            doing="update",
            fields={"status": "live"},
            target=CREATED_BY + start,
            **about,
        )


def _able(platform: Platform, kind: str, fields: Fields) -> Fields:
    """The fields that the platform has."""
    [can] = [one for one in platform.capabilities if one.object == kind]
    return {name: value for name, value in fields.items() if name in can.fields}


def _day(ledger: WriteLedger, platform: Platform) -> AppliedDay:
    entries = ledger.entries("platform = ? AND account = ?", platform.name, platform.account)
    confirmed = [entry for entry in entries if entry.status == "confirmed"]
    ours = [entry for entry in confirmed if entry.change.by == decided.BY]
    return AppliedDay(
        platform.name,
        launched=len(confirmed) - len(ours),
        decided=len(ours),
        refused=sum(entry.status == "refused" for entry in entries),
        held=sum(entry.status == "held" for entry in entries),
        differing=_differing(platform, confirmed),
        shown=tuple(_shown(entry) for entry in ours[:12]),
    )


def _differing(platform: Platform, confirmed: Sequence[LedgerEntry]) -> int:
    """Read all objects once more, and compare them with what was written last."""
    wanted = dict[tuple[str, str], dict[str, object]]()
    for entry in confirmed:
        wanted.setdefault((entry.change.object, entry.object_id), {}).update(entry.change.fields)
    kinds = {kind for kind, _ in wanted}
    shown = {(kind, one.object_id): one.fields for kind in kinds for one in platform.objects(kind)}
    return sum(bool(differing(fields, shown.get(place, {}))) for place, fields in wanted.items())


def _shown(entry: LedgerEntry) -> tuple[str, str, str, str, str]:
    [(name, value)] = list(entry.change.fields.items())[:1]
    what = f"{entry.change.campaign}: {entry.change.object} {entry.object_id}"
    return what, name, str(entry.before.get(name, "")), str(value), entry.change.reason


def _write(plain: object, place: Path) -> None:
    aside = place.with_name(f".{place.name}")
    aside.write_text(json.dumps(plain), "utf-8")
    aside.replace(place)

"""`adloop status`: trained, registered, released and drifting models by family."""

import json
from typing import Any, TypedDict

from features.settings import Settings
from models import catalog
from pipelines.report import reading, wording
from pipelines.report.records import FamilyReport

NOTHING = "nothing yet: make run"


class FamilyStatus(TypedDict):
    """One family.

    Keys:
        trained: the newest version and its gate results; `metric` its first held-out metric.
        champion: the released version; `challenger` the version that waits for release.
        release: a canary in progress, or the outcome of the last one.
        drift: last monitoring result of the champion.
    """

    trained: str | None
    versions: int
    metric: str | None
    champion: str | None
    challenger: str | None
    release: str
    drift: str


class Status(TypedDict):
    """The home folder and its families; empty where nothing was trained yet.

    Keys:
        serving: health of a running `adloop serve` (`ready`, `faults`, `left_out`); None where none runs.
    """

    home: str
    families: dict[str, FamilyStatus]
    serving: dict[str, Any] | None


def status(settings: Settings) -> Status:
    """Read the status. Creates no registry in a home without one."""
    looked = {name: _family(name, settings) for name in catalog.NAMES} if reading.begun(settings) else {}
    families = {name: found for name, found in looked.items() if found}
    return {"home": str(settings.home), "families": families, "serving": _serving(settings)}


def as_table(found: Status) -> str:
    """The status as text for the terminal, or a hint where nothing was trained."""
    if not found["families"]:
        return NOTHING
    from rich.table import Table
    from rich.text import Text

    from pipelines.console import console

    table = Table("family", "trained", "metric", "champion", "challenger", "release", "drift")
    for name, family in found["families"].items():
        shown: list[Any] = [name, *(family[key] for key in ("trained", "metric", "champion", "challenger"))]
        table.add_row(*(Text(cell or "-") for cell in [*shown, family["release"], family["drift"]]))
    output = console()
    with output.capture() as captured:
        output.print(table)
        for line in _health(found["serving"]):
            output.print(Text(line))
    return captured.get().rstrip("\n")


def _serving(settings: Settings) -> dict[str, Any] | None:
    if not (settings.home / "rollout" / "serve").exists():
        return None
    from serving.rollout.processes import fetch
    from serving.rollout.serve import running

    if not running(settings):
        return None
    status, body = fetch(settings.port, "/health/ready")
    faults = {"adloop serve": f"does not respond at port {settings.port}"}
    return dict(json.loads(body)) if status in (200, 503) else {"ready": False, "faults": faults}


def _health(serving: dict[str, Any] | None) -> list[str]:
    """The unhealthy parts and their causes, one line each."""
    if serving is None:
        return []
    parts = [serving, serving.get("decisions", {})]
    named = [(name, why) for part in parts for key in ("faults", "reasons") for name, why in part.get(key, {}).items()]
    aside = [(f"{name} (left out)", why) for part in parts for name, why in part.get("left_out", {}).items()]
    first = "adloop serve is ready" if serving["ready"] else "adloop serve is not ready"
    return [first, *(f"  {name}: {why}" for name, why in [*named, *aside])]


def _family(name: str, settings: Settings) -> FamilyStatus | None:
    from models.registry import Registry

    registry = Registry(settings)
    versions = registry.versions(name)
    if not versions:
        return None
    report = reading.family(name, settings)
    champion, challenger = registry.champion(name), registry.challenger(name)
    return {
        "trained": f"{report.version} {report.status}",
        "versions": len(versions),
        "metric": _metric(report),
        "champion": champion.version if champion else None,
        "challenger": challenger.version if challenger else None,
        "release": _release(report, settings),
        "drift": wording.drift(report.drift),
    }


def _metric(report: FamilyReport) -> str | None:
    figure = report.headline
    return (
        f"{wording.name(figure.name)} {wording.number(figure.value)} {wording.interval(figure)}".strip()
        if figure
        else None
    )


def _release(report: FamilyReport, settings: Settings) -> str:
    from features.records import shared
    from serving.released import state

    course = state.load(shared(settings), report.name).course
    if course is not None and course.ended is None:
        return f"version {course.version} in canary at {course.weight}%"
    return wording.release(report.release)

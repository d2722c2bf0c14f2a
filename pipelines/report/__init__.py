"""Report of a run: an HTML page, the same figures as JSON, and a table for the terminal."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from features.settings import Settings
from models import catalog
from pipelines.report.records import Report


def publish(settings: Settings, seconds: float | None = None, took: Mapping[str, float] | None = None) -> Report:
    """Read the state of all families and write the report into `settings.home / "report"`.

    `seconds` is the wall time of the run, `took` that of each family; families outside this run keep their last time.
    """
    from pipelines import example_picture, simulated_platforms
    from pipelines.content import last_copy
    from pipelines.report import reading
    from serving.experiments.simulation import records as simulation
    from serving.experiments.trials.registry import ExperimentRegistry
    from serving.listening import simulated

    folder = settings.home / "report"
    spent = {**_earlier(folder / "summary.json"), **(took or {})}
    families = tuple(reading.family(name, settings, spent.get(name)) for name in catalog.NAMES)
    experiments = tuple(ExperimentRegistry(settings).findings())
    heard, applied = simulated.heard(settings), tuple(simulated_platforms.applied(settings))
    simulated_day, drawn = simulation.read(settings), example_picture.drawings(settings)
    report = Report(families, seconds, simulated_day, experiments, last_copy(settings), heard, applied, drawn)
    write(report, folder)
    return report


def write(report: Report, folder: Path) -> Path:
    """Write `index.html` and `summary.json` into `folder`, each atomically. Returns the page's path."""
    from pipelines.report.page import render
    from pipelines.report.summary import summary

    page, figures = render(report), json.dumps(summary(report), indent=2, allow_nan=False)
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "summary.json", figures)
    return _replace(folder / "index.html", page)


def _earlier(path: Path) -> dict[str, float]:
    """Seconds by family, from the previous report."""
    if not path.exists():
        return {}
    families = json.loads(path.read_text())["families"]
    return {name: family["seconds"] for name, family in families.items() if family["seconds"] is not None}


def _replace(target: Path, text: str) -> Path:
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    return aside.replace(target)

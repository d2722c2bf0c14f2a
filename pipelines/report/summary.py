"""The report's figures for machines."""

from dataclasses import asdict
from typing import Any

from pipelines.report.records import FamilyReport, Figure, Report


def summary(report: Report) -> dict[str, Any]:
    """`families.<name>.{metrics, baseline, gates, version, data_hash, release, drift, …}` and `seconds`."""
    return {"seconds": report.seconds, "families": {family.name: _family(family) for family in report.families}}


def _family(family: FamilyReport) -> dict[str, Any]:
    return {
        "version": family.version,
        "status": family.status,
        "reason": family.reason,
        "champion": family.champion,
        "data_hash": family.lineage.get("data hash"),
        "metrics": {figure.name: _figure(figure) for figure in family.metrics},
        "baseline": {figure.name: dict(figure.baselines) for figure in family.metrics},
        "gates": [asdict(gate) for gate in family.gates],
        "release": asdict(family.release) if family.release else None,
        "drift": asdict(family.drift) if family.drift else None,
        "lineage": dict(family.lineage),
        "seconds": family.seconds,
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {name: value for name, value in asdict(figure).items() if name not in ("name", "baselines")}

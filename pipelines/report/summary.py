"""The report's figures as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipelines.report.records import FamilyReport, Figure, Report

if TYPE_CHECKING:
    from serving.experiments.simulation.records import Simulation
    from serving.experiments.trials.findings import Findings


def summary(report: Report) -> dict[str, Any]:
    """`families.<name>.{metrics, baseline, gates, version, data_hash, release, drift, …}`, `simulation`,
    `experiments.{findings, cumulative}`, `listening`, `applied`, `seconds`.
    """
    return {
        "seconds": report.seconds,
        "families": {family.name: _family(family) for family in report.families},
        "simulation": _simulation(report.simulation) if report.simulation else None,
        "experiments": _experiments(report.experiments),
        "listening": [asdict(one) for one in report.listening],
        "applied": [asdict(one) for one in report.applied],
    }


def _simulation(done: "Simulation") -> dict[str, Any]:
    """All figures except the hourly ones, which are in their own file."""
    return {name: value for name, value in asdict(done).items() if name != "hours"}


def _experiments(found: "Sequence[Findings]") -> dict[str, Any]:
    from pipelines.report import trials
    from serving.experiments.trials import account

    learnt = account.spread(found)
    return {
        "findings": {one.name: trials.plain(one, learnt) for one in found},
        "cumulative": [asdict(one) for one in account.cumulative(found, learnt)],
    }


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

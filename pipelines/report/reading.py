"""Reads the outputs of pipeline steps under `settings.home` into the records of the report."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.settings import Settings
from models import catalog
from pipelines.report.records import (
    CanaryStep,
    DriftReport,
    FamilyReport,
    FeatureDrift,
    Figure,
    GateVerdict,
    ReleaseCourse,
)

if TYPE_CHECKING:
    from models.registry import Registry, Version

#: Libraries whose version may change a figure.
LIBRARIES = ("lightgbm", "xgboost-cpu", "scikit-learn", "torch", "onnxruntime", "feast", "duckdb", "mlflow", "kfp")
#: Text by outcome of a release.
OUTCOMES = {"first": "first version, released at once", "released": "released", "rolled_back": "rolled back"}


def family(name: str, settings: Settings, seconds: float | None = None) -> FamilyReport:
    """Report of a family's newest registered version; empty where there is none."""
    from models.registry import Registry

    registry = Registry(settings)
    versions = registry.versions(name) if begun(settings) else []
    if not versions:
        return FamilyReport(name, drift=drift(name, settings), seconds=seconds)
    newest = versions[0]
    folder = registry.evaluation(name, newest.version)
    judged = json.loads((folder / "evaluation.json").read_text())
    held_out = folder / "held_out.parquet"
    return FamilyReport(
        name=name,
        version=newest.version,
        status=status(newest),
        reason=newest.reason,
        champion=next((one.version for one in versions if "champion" in one.aliases), None),
        metrics=tuple(Figure(**figure) for figure in judged["figures"]),
        gates=tuple(GateVerdict(gate["gate"], gate["passed"], gate["reason"]) for gate in judged["gates"]),
        held_out=pd.read_parquet(held_out) if held_out.exists() else None,
        subject=(catalog.family(name).entity or "row").removesuffix("_id"),
        lineage=lineage(registry, newest, judged["rows"]),
        release=release(name, settings),
        drift=drift(name, settings),
        seconds=seconds,
    )


def begun(settings: Settings) -> bool:
    """Whether a registry exists. Opening MLflow takes seconds, and would create a new database."""
    return settings.mlflow_uri is not None or (settings.home / "mlflow.db").exists()


def status(registered: "Version") -> str:
    """Its stage in the registry, or the outcome of its gates."""
    return next((alias for alias in ("champion", "challenger") if alias in registered.aliases), registered.status)


def lineage(registry: "Registry", registered: "Version", rows: Mapping[str, int]) -> dict[str, str]:
    """Lineage of the model: data, code, parameters and libraries, in reading order."""
    manifest = json.loads((registry.download(registered.family, registered.version) / "manifest.json").read_text())
    return {
        "git commit": manifest["git_commit"],
        "data hash": manifest["data_hash"],
        "data as of": manifest["as_of"] or "end of data",
        "examples": ", ".join(f"{count:,} {split}" for split, count in rows.items()),
        "feature service": manifest["feature_service"],
        "schema hash": registered.tags["schema_hash"],
        "params hash": registered.tags["params_hash"],
        "seed": str(manifest["seed"]),
        "bundle": registered.digest,
        "libraries": ", ".join(f"{library} {version(library)}" for library in LIBRARIES),
    }


def drift(name: str, settings: Settings) -> DriftReport | None:
    """Last monitoring result of a family's champion; None before the first."""
    found = _read(settings.home / "monitoring" / f"{name}.json")
    if found is None or found["version"] is None:
        return None
    decided = found.get("decisions", {})  # a look before decisions were watched has none
    columns = _monitored(found) | {f"decisions, {name}": seen for name, seen in _monitored(decided).items()}
    notes = {"": found["note"], "decisions ": decided.get("note", "")}
    return DriftReport(
        drifted=found["drifted"],
        rows=found["rows"],
        detectors=found["detectors"],
        features=tuple(FeatureDrift(column, **seen) for column, seen in columns.items()),
        note="; ".join(f"{whose}{note}" for whose, note in notes.items() if note),
        held={
            f"{whose}{metric}": (held["value"], held["at_release"])
            for whose, looked in (("", found), ("decisions, ", decided))
            for metric, held in looked.get("held", {}).items()
        },
    )


def _monitored(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the monitors said of each column."""
    answers = {f"answer: {column}": seen for column, seen in found.get("answers", {}).items()}
    return {**found.get("features", {}), **answers}


def release(name: str, settings: Settings) -> ReleaseCourse | None:
    """The last release of a family; None before the first."""
    found = _read(settings.home / "releases" / f"{name}.json")
    if found is None:
        return None
    steps = tuple(_step(step) for step in found["course"])
    return ReleaseCourse(found["version"], OUTCOMES[found["outcome"]], found["reason"], steps)


def _step(seen: Mapping[str, Any]) -> CanaryStep:
    """One canary step: figures of both sides, and their comparison (shift of answers, outcome metric)."""
    metric = next((value for value in seen.items() if isinstance(value[1], dict) and "gain" in value[1]), None)
    sides = {side: _side(seen[side]) for side in ("canary", "champion") if side in seen}
    if metric is not None:
        for side, figures in sides.items():
            figures[metric[0]] = metric[1][side]
    return CanaryStep(
        percent=seen["weight"],
        requests=int(seen["canary"]["requests"]) if "canary" in seen else 0,
        verdict=seen["verdict"],
        reason=seen["reason"],
        shift=seen.get("shift"),
        **sides,
    )


def _side(seen: Mapping[str, Any]) -> dict[str, float | None]:
    """The figures of one side; empty without traffic."""
    if not seen["requests"]:
        return {"errors": None, "p50 ms": None, "p95 ms": None}
    return {"errors": seen["errors"] / seen["requests"], "p50 ms": seen["p50_ms"], "p95 ms": seen["p95_ms"]}


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None

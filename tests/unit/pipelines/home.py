"""A home as the real steps leave it: the toy family trained, judged and registered twice, released once, watched."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

import models
from components.evaluate.step import evaluate
from components.monitor.step import monitor
from components.register.step import Registered, register
from components.release import step as release
from components.train.step import train
from features.settings import Settings
from models import catalog
from models.registry import Registry
from serving.inference.requests import Record, RequestLog, folder

SECTION = {
    "seed": 3,
    "window": {"horizon_days": 28, "step_days": 28, "min_history_days": 84},
    "penalty": 10.0,
    "steps": 12,
}
WATCH = {
    "threshold": 0.01,
    "min_psi": 0.1,
    "min_rows": 100,
    "window_rows": 500,
    "retrain": False,
    "schedule": "0 0 4 * * *",
}
ADDED = Path(__file__).parents[2] / "contract" / "added"
SIDE = {"requests": 200, "errors": 0, "p50_ms": 8.5, "p95_ms": 21.0}


def add_toy(monkeypatch) -> None:
    """The toy family's folder and its name in the catalog, beside those there are."""
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(ADDED)])
    monkeypatch.setattr(catalog, "NAMES", (*catalog.NAMES, "toy"))


def frame(out: Path, honest: bool) -> Path:
    """Customers whose orders tell who leaves; where not `honest`, only in the examples that are learnt from."""
    rng = np.random.default_rng(4)
    rows = pd.DataFrame({"recency_days": rng.exponential(20, 900), "orders": rng.poisson(3, 900).astype(float)})
    chance = 1 / (1 + np.exp(2 * rows["orders"] - rows["recency_days"] / 20 - 5))
    split = np.repeat(["train", "valid", "test"], 300)
    chance = chance.where(honest | (split != "test"), 0.5)
    keys = {"customer_id": [f"c{number}" for number in range(900)], "event_timestamp": pd.Timestamp("2026-01-01")}
    out.mkdir()
    rows.assign(**keys, split=split, churned=(rng.random(900) < chance).astype(int)).to_parquet(out / "frame.parquet")
    columns = {"recency_days": "float64", "orders": "float64"}
    about = {"service": "toy_v1", "columns": columns, "data_hash": "5d41402abc4b2a76", "as_of": "2026-01-01"}
    (out / "features.json").write_text(json.dumps(about))
    return out


def registered(work: Path, settings: Settings, honest: bool) -> Registered:
    """One version through the steps from its frame to the registry."""
    work.mkdir(parents=True)
    features = frame(work / "features", honest)
    train(features, "toy", SECTION, work / "checkpoint", work / "bundle")
    evaluate(features, work / "bundle", "toy", SECTION, ["income"], settings, work / "evaluation")
    return register(work / "bundle", work / "evaluation", settings)


def released(place: Path) -> Settings:
    """Version 1 answers; requests have moved since. A release of a version 2 was rolled back at 50%."""
    settings = Settings(home=place / "home", detectors="scipy")
    first = registered(place / "first", settings, honest=True)
    Registry(settings).promote("toy", first.version)
    registered(place / "second", settings, honest=False)
    course = [
        {"weight": 10, "verdict": "go on", "reason": "not worse", "canary": SIDE, "champion": SIDE, "shift": 0.01},
        {
            "weight": 50,
            "verdict": "roll back",
            "reason": "errors: 20 of 200",
            "canary": {**SIDE, "errors": 20},
            "champion": SIDE,
        },
    ]
    gone = release.Released("toy", "2", "rolled_back", "errors: 20 of 200", course, 600, 0)
    release._keep(gone, settings.home / "releases" / "toy.json")
    _ask(settings, first.version)
    monitor("toy", WATCH, settings)
    return settings


def _ask(settings: Settings, version: str) -> None:
    """Requests of customers who order more than those of the reference did."""
    rng = np.random.default_rng(5)
    rows = {"recency_days": rng.exponential(20, 300), "orders": rng.poisson(9, 300).astype(float)}
    answers = pd.DataFrame({"probability": rng.random(300)})
    log = RequestLog(folder(settings.home, "toy"), version)
    log.append(Record("r1", time.time(), 2.0, 200, None, None, rows, answers))
    log.close()

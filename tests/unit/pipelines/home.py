"""A home as the real steps leave it: the toy family trained, judged and registered twice, released once, watched."""

import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import toyland

from components.gate.step import gate
from components.monitor.step import monitor
from components.register.step import Registered, register
from components.release import step as release
from components.train.step import train
from features.settings import Settings
from models.registry import Registry
from serving.inference.requests import Request, RequestLog

WATCH = {
    "threshold": 0.01,
    "min_psi": 0.1,
    "min_rows": 100,
    "window_rows": 500,
    "retrain": False,
    "schedule": "0 0 4 * * *",
}
SIDE = {"requests": 200, "errors": 0, "p50_ms": 8.5, "p95_ms": 21.0}


def registered(work: Path, settings: Settings, honest: bool) -> Registered:
    """One version through the steps from its frame to the registry; where not `honest` its truth is shuffled."""
    made = toyland.frame()
    if not honest:
        test = made["split"] == "test"
        made.loc[test, "churned"] = made.loc[test, "churned"].sample(frac=1, random_state=1).to_numpy()
    features = toyland.write(work / "features", made, data_hash="5d41402abc4b2a76")
    train(features, "toy", toyland.SECTION, work / "checkpoint", work / "bundle")
    gate(features, work / "bundle", "toy", toyland.SECTION, ["income"], settings, work / "evaluation")
    return register(work / "bundle", work / "evaluation", settings)


def released(registry_home: Path, place: Path) -> Settings:
    """Version 1 answers; requests have moved since. A release of a version 2 was rolled back at 50%."""
    settings = Settings(home=shutil.copytree(registry_home, place / "home"), detectors="scipy")
    first = registered(place / "first", settings, honest=True)
    Registry(settings).promote("toy", first.version)
    registered(place / "second", settings, honest=False)
    worse = "errors: 20 of 200"
    course = [
        {"weight": 10, "verdict": "go on", "reason": "not worse", "canary": SIDE, "champion": SIDE, "shift": 0.01},
        {"weight": 50, "verdict": "roll back", "reason": worse, "canary": {**SIDE, "errors": 20}, "champion": SIDE},
    ]
    gone = release.Released("toy", "2", "rolled_back", worse, course, 600, 0)
    release._keep(gone, settings.home / "releases" / "toy.json")
    _ask(settings, first.version)
    monitor("toy", WATCH, settings)
    return settings


def _ask(settings: Settings, version: str) -> None:
    """Requests of the customers the model knows, but that they spend ten times as much."""
    rows = toyland.frame(300, seed=12)
    features = rows[["recency_days", "age", "plan", "spend"]].assign(spend=10 * rows["spend"])
    answers = pd.DataFrame({"probability": np.random.default_rng(5).random(len(rows))})
    log = RequestLog(settings.home, "toy", version)
    log.append(Request("r1", time.time(), 2.0, 200, None, None, features, answers))
    log.close()

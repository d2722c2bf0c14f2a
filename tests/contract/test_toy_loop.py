"""Families that are of no customers, from their examples to what the monitors say of what they were asked."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import toyland

from components.featurize.step import featurize
from components.frame import Frame
from components.gate.step import gate
from components.monitor.step import monitor
from components.params import load
from components.register.step import register
from components.train.step import train
from features.settings import Settings
from models.bundle import open_bundle
from models.registry import Registry
from serving.inference import requests

PARAMS = load(Path(__file__).parents[2] / "params.yaml").arguments("churn")["monitoring"]
#: What of each family's requests moves, and to what.
MOVED: dict[str, tuple[str, Callable[[pd.DataFrame], object]]] = {
    "bandit": ("visitor", lambda rows: [visitor + 1.0 for visitor in rows["visitor"]]),
    "writer": ("brief", lambda rows: ["today again home"] * len(rows)),
    "scorer": ("image", lambda rows: rows["image"].sort_values().head(10).sample(len(rows), replace=True).tolist()),
}


@pytest.mark.parametrize("name", toyland.OTHERS)
def test_loop(name: str, tmp_path: Path, registry_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toyland.add(monkeypatch, *toyland.OTHERS)
    settings = Settings(home=shutil.copytree(registry_home, tmp_path / "home"))
    section = toyland.OTHERS[name]
    featurize(tmp_path / "tables", name, section, None, settings, tmp_path / "features")
    train(tmp_path / "features", name, section, tmp_path / "checkpoint", tmp_path / "bundle")
    judged = gate(tmp_path / "features", tmp_path / "bundle", name, section, [], settings, tmp_path / "evaluation")
    assert judged.passed, judged.gates
    made = register(tmp_path / "bundle", tmp_path / "evaluation", settings)
    Registry(settings).promote(name, made.version)

    frame = Frame(tmp_path / "features")
    asked = frame.split("test")[frame.columns].head(250)
    model = open_bundle(tmp_path / "bundle", None).model
    _log(settings, name, made.version, asked, model.predict(asked))
    steady = monitor(name, PARAMS, settings)
    assert (steady.rows, steady.drifted) == (250, False), steady.note

    column, to = MOVED[name]
    moved = asked.assign(**{column: to(asked)})
    _log(settings, name, made.version, moved, model.predict(moved), times=20)
    found = monitor(name, PARAMS, settings)
    assert found.drifted and found.features[column]["drifted"], found.note
    assert column in found.note


def _log(
    settings: Settings, name: str, version: str, rows: pd.DataFrame, answers: pd.DataFrame, times: int = 1
) -> None:
    """As the endpoint logs it."""
    log = requests.RequestLog(settings.home, name, version)
    for turn in range(times):
        log.append(requests.Request(f"{turn}", time.time(), 1.0, 200, None, None, rows, answers))
    log.close()

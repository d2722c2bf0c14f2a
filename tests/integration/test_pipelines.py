"""The product's own pipelines through kfp.local, every step real, on a small business."""

import json
from pathlib import Path

import business
import numpy as np
import pandas as pd
import pytest

from components.params import load
from features.settings import Settings
from features.sources import fingerprint
from models.registry import Registry
from pipelines.local import RunResult, StepFailed, run
from pipelines.monitoring import monitoring
from pipelines.training import training
from serving.inference import requests

PARAMS = Path(__file__).parents[2] / "params.yaml"
CACHED = ("ingest", "validate", "featurize", "train", "evaluate", "register")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("home"), detectors="scipy")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return business.write(tmp_path_factory.mktemp("business") / "tables", customers=400)


@pytest.fixture(scope="module")
def sections():
    """The parameters, cut to the size of the business."""
    given = load(PARAMS).arguments("ltv")
    window = {"horizon_days": 28, "step_days": 56, "min_history_days": 84}
    given["params"] |= {"window": window, "trees": 60, "leaf_rows": 20}
    return given


def train(source: Path, sections: dict, settings: Settings) -> RunResult:
    read = {"source": [str(source)], "fingerprint": fingerprint([str(source)], settings), "as_of": ""}
    return run(training, "ltv", read | sections, settings)


@pytest.fixture(scope="module")
def first(source, sections, settings):
    return train(source, sections, settings)


def states(result):
    return {step.name: step.state for step in result.steps}


def test_raw_tables_become_a_released_model(first, settings):
    assert list(states(first)) == [*CACHED, "release", "monitor"]
    assert first.result("ingest")["rows"]["customers"] == 400
    assert first.result("evaluate")["passed"] and first.result("register")["status"] == "accepted"
    assert first.result("release")["outcome"] == "first"
    assert Registry(settings).champion("ltv").version == first.result("register")["version"]


def test_a_model_nobody_asked_anything_yet_is_neither_steady_nor_drifting(first, settings):
    assert first.result("monitor")["drifted"] is None
    kept = json.loads((settings.home / "monitoring" / "ltv.json").read_text())
    assert kept == first.result("monitor")


def test_with_nothing_changed_nothing_is_done_again(first, source, sections, settings):
    again = train(source, sections, settings)
    assert states(again) == dict.fromkeys(CACHED, "cached") | {"release": "done", "monitor": "done"}
    assert again.result("release")["outcome"] == "unchanged"
    assert len(Registry(settings).versions("ltv")) == 1


def test_a_table_that_breaks_its_contract_stops_the_run_and_says_how(first, source, sections, settings, tmp_path):
    with pytest.raises(StepFailed) as stopped:
        train(broken(source, tmp_path), sections, settings)
    assert stopped.value.step == "validate"
    assert "ContractBroken" in stopped.value.error
    assert "transactions" in stopped.value.error and "amount" in stopped.value.error
    assert len(Registry(settings).versions("ltv")) == 1


def test_drift_starts_training_on_the_data_of_today(first, source, sections, settings, tmp_path):
    champion = first.result("register")["version"]
    log_moved_requests(champion, settings)
    sections = sections | {"monitoring": sections["monitoring"] | {"retrain": True}}
    told = []
    # The source has meanwhile broken its contract, which shows that it was read anew; and spares a training.
    with pytest.raises(StepFailed) as stopped:
        run(monitoring, "ltv", {"source": [str(broken(source, tmp_path))], **sections}, settings, progress=told.append)
    assert stopped.value.step == "validate"
    done = {step.name: step for step in told if step.state != "running"}
    assert done["monitor"].result["drifted"] and "monetary" in done["monitor"].result["note"]
    assert done["ingest"].state == "done" and "train" not in done


def test_drift_alone_changes_nothing_where_retraining_is_not_wanted(first, source, sections, settings):
    log_moved_requests(first.result("register")["version"], settings)
    watched = run(monitoring, "ltv", {"source": [str(source)], **sections}, settings)
    assert states(watched) == {"monitor": "done"} and watched.result("monitor")["drifted"]


def broken(source: Path, folder: Path) -> Path:
    """The same tables with an amount that cannot be."""
    for path in source.iterdir():
        table = pd.read_parquet(path)
        if path.stem == "transactions":
            table.loc[3, "amount"] = np.inf
        table.to_parquet(folder / path.name, index=False, coerce_timestamps="us")
    return folder


def log_moved_requests(version: str, settings: Settings) -> None:
    """What the model's server would have logged of customers who spend ten times as much."""
    bundle = Registry(settings).download("ltv", version)
    columns = list(json.loads((bundle / "manifest.json").read_text())["columns"])
    seen = pd.read_parquet(bundle / "reference.parquet")
    moved = [name for name in columns if name.startswith("monetary") and seen[name].dtype.kind == "f"]
    seen[moved] *= 10
    at = pd.Timestamp.now(tz="UTC").timestamp()
    log = requests.RequestLog(settings.home, "ltv", version)
    log.append(requests.Request("moved", at, 1.0, 200, None, None, seen[columns], seen.drop(columns=columns)))
    log.close()

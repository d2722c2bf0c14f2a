"""What a user does, by the `adloop` command alone, on a small business of their own: to promotion, and back.

The pipelines are the product's own through kfp.local, every step real and in a process of its own.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import business
import httpx
import numpy as np
import pandas as pd
import pytest
import small
from click.testing import CliRunner

from components.__main__ import main as components
from components.params import load
from features.settings import Settings
from models.registry import Registry
from pipelines.cli import main
from pipelines.local import StepFailed, run
from serving.inference import requests
from tests.toyland import local

REPOSITORY = Path(__file__).parents[2]
CACHED, EACH_TIME = ("ingest", "validate", "featurize", "train", "gate", "register"), ("release", "monitor")
MONITORING = "pipelines.monitoring.monitoring"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("home"), detectors="scipy", port=free_port())


@pytest.fixture(scope="module")
def home(settings):
    return settings.home


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return business.write(tmp_path_factory.mktemp("business") / "tables", customers=400)


@pytest.fixture(scope="module")
def params(tmp_path_factory):
    return small.write(tmp_path_factory.mktemp("params") / "params.yaml")


@pytest.fixture(scope="module")
def environment(home, settings):
    return {"ADLOOP_HOME": str(home), "ADLOOP_DETECTORS": "scipy", "ADLOOP_PORT": str(settings.port)}


@pytest.fixture(scope="module")
def adloop(environment):
    """Runs the command in this process; returns what it printed, with the error where one is expected, or fails with
    it."""

    def call(*arguments: object, code: int = 0, command=main) -> str:
        done = CliRunner(env=environment).invoke(command, [str(one) for one in arguments])
        assert done.exit_code == code, done.output[-3000:]
        return done.stdout if code == 0 else done.output

    return call


@pytest.fixture(scope="module")
def first(adloop, data, params):
    """What `release` printed of version 1: registered step by step as CI does, with other parameters, and released by
    a person."""
    changed = small.write(params.with_name("ci.yaml"), ltv=small.params()["ltv"] | {"leaves": 8})
    for verb in (("ingest", "--data", data), ("validate",)):
        adloop(*verb, "--params", changed, command=components)
    for verb in ("featurize", "train", "gate", "register"):
        adloop(verb, "--family", "ltv", "--params", changed, command=components)
    registered = status(adloop)
    assert (registered["versions"], registered["champion"], registered["challenger"]) == (1, None, "1")
    return adloop("release", "ltv", "--params", changed)


@pytest.fixture(scope="module")
def runs(first, adloop, home, environment, data, params):
    """What two runs at once printed: this one, and one that starts while it trains."""
    words = [str(one) for one in ("run", "--family", "ltv", "--data", data, "--params", params)]
    command = [sys.executable, "-m", "pipelines.cli", *words]

    def run_again() -> str:
        wait_until((home / "runs" / "logs").is_dir)
        return subprocess.run(
            command, cwd=REPOSITORY, env=os.environ | environment, check=True, capture_output=True, text=True
        ).stdout

    with ThreadPoolExecutor() as pool:
        again = pool.submit(run_again)
        return adloop(*words), again.result()


@pytest.fixture(scope="module")
def ran(runs):
    return runs[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def steps(printed: str) -> list[tuple[str, ...]]:
    """The steps that a run shows, each with its mark: done, unchanged or failed."""
    return re.findall(r"^  ([✓=✗]) (\w+)", printed, re.MULTILINE)


def summary(home: Path) -> dict:
    return json.loads((home / "report" / "summary.json").read_text())


def status(adloop) -> dict:
    return json.loads(adloop("status", "--json"))["families"]["ltv"]


def test_what_ci_registers_a_person_releases(first, adloop):
    assert "version 1" in first


def test_a_second_version_is_released_over_the_first(ran, home, adloop):
    assert steps(ran) == [("✓", step) for step in (*CACHED, *EACH_TIME)]
    told = summary(home)["families"]["ltv"]
    assert told["version"] == "2"
    assert told["release"]["outcome"] == "released"
    assert [step["percent"] for step in told["release"]["steps"]] == small.params()["release"]["steps"]
    assert all(gate["passed"] for gate in told["gates"])
    assert status(adloop)["champion"] == "2"


def test_the_report_names_metric_baseline_and_data(ran, home):
    told = summary(home)
    assert told["seconds"] > 0
    ltv = told["families"]["ltv"]
    assert set(ltv) >= {"metrics", "baseline", "gates", "version", "data_hash", "release", "drift"}
    assert ltv["metrics"]["gini"]["value"] > ltv["baseline"]["gini"]["past_spend"]
    page = (home / "report" / "index.html").read_text()
    assert ltv["data_hash"][:12] in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page


def test_a_run_beside_it_waits_and_changes_nothing(runs, adloop, home):
    _, again = runs
    assert "waits for another run" in again
    assert steps(again) == [*(("=", step) for step in CACHED), *(("✓", step) for step in EACH_TIME)]
    assert "unchanged" in again and json.loads((home / "releases" / "ltv.json").read_text())["version"] == "2"
    assert status(adloop)["versions"] == 2


def broken(source: Path, folder: Path) -> Path:
    """The same tables with an amount that cannot be."""
    for path in source.iterdir():
        table = pd.read_parquet(path)
        if path.stem == "transactions":
            table.loc[3, "amount"] = np.inf
        table.to_parquet(folder / path.name, index=False, coerce_timestamps="us")
    return folder


def test_a_broken_table_stops_the_run_and_says_what_to_mend(ran, adloop, data, params, tmp_path):
    before = status(adloop)["versions"]
    said = adloop("run", "--data", broken(data, tmp_path), "--params", params, code=1)
    assert "validate failed: ContractBroken" in said
    assert "churn as of" in said and "ltv as of" not in said, "another family began on tables that do not hold"
    assert "transactions" in said and "amount" in said and "Traceback" not in said
    assert status(adloop)["versions"] == before


def test_rollback_returns_to_the_version_before_and_what_was_taken_back_stays_back(ran, adloop, params):
    assert "version 1 is champion again" in adloop("rollback", "ltv")
    assert status(adloop)["champion"] == "1"
    assert "no earlier champion" in adloop("rollback", "ltv", code=1)
    assert "rolled back by hand" in adloop("release", "ltv", "--version", "2", "--params", params)
    assert status(adloop)["champion"] == "1"


def test_serve_answers_at_one_address_until_stopped(ran, environment, data, settings):
    command = [sys.executable, "-m", "pipelines.cli", "serve"]
    server = subprocess.Popen(command, cwd=REPOSITORY, env=os.environ | environment)
    try:
        url = f"http://127.0.0.1:{settings.port}/v1/models/ltv:predict"
        someone = pd.read_parquet(data / "customers.parquet")["customer_id"].iloc[0]
        key = (settings.home / "keys" / "own.key").read_text().strip()
        answer = first_answer(url, {"instances": [{"customer_id": someone}]}, {"authorization": f"Bearer {key}"})
        assert answer["predictions"][0]["value"] >= 0
    finally:
        server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


def wait_until(true) -> None:
    deadline = time.monotonic() + 300
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def first_answer(url: str, question: dict, given: dict) -> dict:
    """The first answer of a server that is starting."""
    deadline = time.monotonic() + 120
    while True:
        try:
            response = local.post(url, json=question, headers=given, timeout=10)
            if response.status_code == 200:
                return response.json()
        except httpx.TransportError:
            response = None
        assert time.monotonic() < deadline, response
        time.sleep(0.1)


def test_a_trial_on_ones_own_data_keeps_nothing(ran, adloop, data, params, home):
    before = sorted(path for path in home.iterdir())
    told = json.loads(adloop("evaluate", "ltv", "--data", data, "--horizon", "56d", "--params", params, "--json"))
    models = {row["model"] for row in told["table"]}
    assert "ltv" in models and len(models) >= 3
    assert told["seed"] and told["data_hash"]
    assert sorted(path for path in home.iterdir()) == before


def test_drift_starts_training_on_the_data_of_today_where_that_is_wanted(ran, adloop, data, params, settings, tmp_path):
    log_moved_requests(status(adloop)["champion"], settings)
    sections = load(params).arguments("ltv")
    watched = run(MONITORING, "ltv", {"source": [str(data)], **sections}, settings)
    assert [step.name for step in watched.steps] == ["monitor"] and watched.result("monitor")["drifted"]
    sections["monitoring"] |= {"retrain": True}
    told = []
    # The source has meanwhile broken its contract, which shows that it was read anew; and spares a training.
    with pytest.raises(StepFailed) as stopped:
        run(MONITORING, "ltv", {"source": [str(broken(data, tmp_path))], **sections}, settings, progress=told.append)
    assert stopped.value.step == "validate"
    done = {step.name: step for step in told if step.state != "running"}
    assert done["monitor"].result["drifted"] and "monetary" in done["monitor"].result["note"]
    assert done["ingest"].state == "done" and "train" not in done


def log_moved_requests(version: str, settings: Settings) -> None:
    """What the model's server would have logged, days after all else, of many customers who spend ten times as much."""
    bundle = Registry(settings).download("ltv", version)
    columns = list(json.loads((bundle / "manifest.json").read_text())["columns"])
    seen = pd.concat([pd.read_parquet(bundle / "reference.parquet")] * 4, ignore_index=True)
    moved = [name for name in columns if name.startswith("monetary") and seen[name].dtype.kind == "f"]
    seen[moved] *= 10
    at = (pd.Timestamp.now(tz="UTC") + pd.Timedelta(days=2)).timestamp()
    log = requests.RequestLog(settings.home, "ltv", version)
    log.append(requests.Request("moved", at, 1.0, 200, None, None, seen[columns], seen.drop(columns=columns)))
    log.close()

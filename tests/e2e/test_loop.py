"""What a user does, by the `adloop` command alone, on a small business of their own: to promotion, and back."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import business
import httpx
import pandas as pd
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return business.write(tmp_path_factory.mktemp("business") / "tables", customers=400)


@pytest.fixture(scope="module")
def params(tmp_path_factory):
    """The parameters, cut to the size of the business."""
    given = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    given["ltv"] |= {
        "window": {"horizon_days": 28, "step_days": 56, "min_history_days": 84},
        "trees": 60,
        "leaf_rows": 20,
    }
    given["release"] |= {"min_requests": 40}
    file = tmp_path_factory.mktemp("params") / "params.yaml"
    file.write_text(yaml.safe_dump(given))
    return file


@pytest.fixture(scope="module")
def adloop(home):
    """Runs the command; returns what it printed, or fails with it."""
    environment = os.environ | {"ADLOOP_HOME": str(home), "ADLOOP_DETECTORS": "scipy", "ADLOOP_PORT": str(free_port())}

    def call(*arguments: object, code: int = 0, module: str = "pipelines.cli") -> str:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout if code == 0 else done.stderr

    call.environment = environment
    return call


@pytest.fixture(scope="module")
def ran(adloop, data, params):
    return adloop("run", "--family", "ltv", "--data", data, "--params", params)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def summary(home: Path) -> dict:
    return json.loads((home / "report" / "summary.json").read_text())


def status(adloop) -> dict:
    return json.loads(adloop("status", "--json"))["families"]["ltv"]


def test_a_second_version_is_released_over_the_first(ran, home, adloop):
    told = summary(home)["families"]["ltv"]
    assert told["version"] == "2"
    assert told["release"]["outcome"] == "released"
    assert [step["percent"] for step in told["release"]["steps"]] == [10, 50, 100]
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


def test_run_again_changes_nothing(ran, adloop, data, params):
    again = adloop("run", "--family", "ltv", "--data", data, "--params", params)
    assert "unchanged" in again
    assert status(adloop)["versions"] == 2


def test_rollback_returns_to_the_version_before_and_what_was_taken_back_stays_back(ran, adloop, params):
    assert "version 1 answers again" in adloop("rollback", "ltv")
    assert status(adloop)["champion"] == "1"
    assert "there is no" in adloop("rollback", "ltv", code=1)
    assert "rolled back by hand" in adloop("release", "ltv", "--version", "2", "--params", params)
    assert status(adloop)["champion"] == "1"


def test_what_ci_registers_a_person_releases(ran, adloop, data, params):
    """Step by step as CI does, on other parameters; nothing serves, so held-out rows stand in for the customers."""
    other = yaml.safe_load(params.read_text())
    other["ltv"]["leaves"] += 1
    changed = params.with_name("ci.yaml")
    changed.write_text(yaml.safe_dump(other))
    for verb in (("ingest", "--data", data), ("validate",)):
        adloop(*verb, "--params", changed, module="components")
    for verb in ("featurize", "train", "evaluate", "register"):
        adloop(verb, "--family", "ltv", "--params", changed, module="components")
    before = status(adloop)
    assert (before["versions"], before["champion"], before["challenger"]) == (3, "1", "3")
    assert "version 3: released" in adloop("release", "ltv", "--params", changed)
    assert status(adloop)["champion"] == "3"


def test_serve_answers_at_one_address_until_stopped(ran, adloop, data, home):
    server = subprocess.Popen([sys.executable, "-m", "pipelines.cli", "serve"], cwd=REPOSITORY, env=adloop.environment)
    try:
        url = f"http://127.0.0.1:{adloop.environment['ADLOOP_PORT']}/v1/models/ltv:predict"
        someone = pd.read_parquet(data / "customers.parquet")["customer_id"].iloc[0]
        key = (home / "keys" / "own.key").read_text().strip()
        answer = first_answer(url, {"instances": [{"customer_id": someone}]}, {"authorization": f"Bearer {key}"})
        assert answer["predictions"][0]["value"] >= 0
    finally:
        server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


def first_answer(url: str, question: dict, given: dict) -> dict:
    """The first answer of a server that is starting."""
    deadline = time.monotonic() + 120
    while True:
        try:
            response = httpx.post(url, json=question, headers=given, timeout=10)
            if response.status_code == 200:
                return response.json()
        except httpx.TransportError:
            response = None
        assert time.monotonic() < deadline, response
        time.sleep(0.5)


def test_a_trial_on_ones_own_data_keeps_nothing(ran, adloop, data, params, home):
    before = sorted(path for path in home.iterdir())
    told = json.loads(adloop("evaluate", "ltv", "--data", data, "--horizon", "56d", "--params", params, "--json"))
    models = {row["model"] for row in told["table"]}
    assert "ltv" in models and len(models) >= 3
    assert told["seed"] and told["data_hash"]
    assert sorted(path for path in home.iterdir()) == before


def test_a_broken_table_stops_the_run_and_says_what_to_mend(ran, adloop, data, params, tmp_path):
    for path in data.iterdir():
        table = pd.read_parquet(path)
        (table.drop(columns="amount") if path.stem == "transactions" else table).to_parquet(tmp_path / path.name)
    said = adloop("run", "--family", "ltv", "--data", tmp_path, "--params", params, code=1)
    assert "transactions" in said and "amount" in said and "Traceback" not in said


def test_two_runs_at_once_end_as_one(ran, adloop, data, params, home):
    command = [sys.executable, "-m", "pipelines.cli", "run", "--family", "ltv", "--data", data, "--params", params]
    more = yaml.safe_load(params.read_text())
    more["ltv"]["trees"] += 5
    changed = params.with_name("changed.yaml")
    changed.write_text(yaml.safe_dump(more))
    command[-1] = str(changed)
    runs = [subprocess.Popen(list(map(str, command)), cwd=REPOSITORY, env=adloop.environment) for _ in range(2)]
    assert [run.wait(600) for run in runs] == [0, 0]
    assert status(adloop)["versions"] == 4

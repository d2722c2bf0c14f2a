"""What Kubeflow is asked, recorded by a small server that speaks its API: there is no cluster in these tests."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import pytest

from components.params import load
from features.settings import Settings
from pipelines.submit import schedule, submit

PARAMS = Path(__file__).parents[3] / "params.yaml"


class Kubeflow(BaseHTTPRequestHandler):
    """Experiments, runs and recurring runs of the API v2beta1, kept in memory."""

    def do_GET(self):
        path = urlparse(self.path).path.removeprefix("/apis/v2beta1/")
        if path == "healthz":
            return self.answer({"multi_user": False})
        kind = {"experiments": "experiments", "recurringruns": "recurringRuns"}[path]
        return self.answer({kind: list(self.server.kept[path].values())})

    def do_POST(self):
        path = urlparse(self.path).path.removeprefix("/apis/v2beta1/")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = {"experiments": "experiment_id", "runs": "run_id", "recurringruns": "recurring_run_id"}[path]
        name = f"{path}-{len(self.server.asked)}"
        self.server.asked.append((path, body))
        self.server.kept[path][name] = {**body, key: name}
        return self.answer(self.server.kept[path][name])

    def do_DELETE(self):
        _, kind, name = urlparse(self.path).path.removeprefix("/apis/").split("/")
        del self.server.kept[kind][name]
        return self.answer({})

    def answer(self, body):
        said = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args):
        pass


@pytest.fixture
def kubeflow(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # the client keeps its context there
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kubeflow)
    server.asked, server.kept = [], {"experiments": {}, "runs": {}, "recurringruns": {}}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def url(server):
    return f"http://127.0.0.1:{server.server_port}"


def test_a_training_run_is_started_with_its_data_and_the_compiled_pipeline(kubeflow, tmp_path, canonical):
    run_id = submit(url(kubeflow), "churn", PARAMS, Settings(home=tmp_path), data=str(canonical))
    assert kubeflow.kept["runs"][run_id]["display_name"] == "train-churn"
    (experiment, _), (_, run) = kubeflow.asked
    assert experiment == "experiments"
    assert run["runtime_config"]["parameters"]["source"] == [str(canonical)]
    assert len(run["runtime_config"]["parameters"]["fingerprint"]) >= 16
    spec = run["pipeline_spec"]
    assert spec["pipeline_spec"]["pipelineInfo"]["name"] == "train-churn"
    assert "exec-train" in spec["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def test_the_monitor_is_scheduled_once_however_often_it_is_asked(kubeflow, tmp_path):
    settings = Settings(home=tmp_path)
    first = schedule(url(kubeflow), "ltv", PARAMS, settings)
    other = schedule(url(kubeflow), "churn", PARAMS, settings)
    second = schedule(url(kubeflow), "ltv", PARAMS, settings)
    assert first != second and set(kubeflow.kept["recurringruns"]) == {other, second}
    asked = kubeflow.kept["recurringruns"][second]
    assert asked["trigger"]["cron_schedule"]["cron"] == load(PARAMS).monitoring.schedule
    assert asked["no_catchup"] is True
    assert asked["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "monitor-ltv"


def test_where_nothing_answers_that_is_said(tmp_path):
    with pytest.raises(ConnectionError, match=r"no Kubeflow Pipelines at http://127\.0\.0\.1:9"):
        schedule("http://127.0.0.1:9", "ltv", PARAMS, Settings(home=tmp_path))


@pytest.fixture
def canonical(tmp_path):
    """A folder with the one table that there must be."""
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "customers.csv").write_text("customer_id\n1\n2\n")
    return folder

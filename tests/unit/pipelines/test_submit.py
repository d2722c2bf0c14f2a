"""What Kubeflow is asked, recorded by a small server that speaks its API: there is no cluster in these tests."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import pytest
from click.testing import CliRunner

from components.params import load
from features.settings import Settings
from pipelines.cli import main
from pipelines.kubeflow import Kubeflow
from pipelines.submit import schedule, submit

PARAMS = Path(__file__).parents[3] / "params.yaml"


class Api(BaseHTTPRequestHandler):
    """Experiments, runs and recurring runs of the API v2beta1, kept in memory. Of several users it asks for a namespace
    and for a token or a cookie."""

    def do_GET(self):
        if self.refused():
            return
        path = urlparse(self.path).path.removeprefix("/apis/v2beta1/")
        if path == "healthz":
            return self.answer({"multi_user": self.server.of_many})
        kind = {"experiments": "experiments", "recurringruns": "recurringRuns"}[path]
        return self.answer({kind: list(self.server.kept[path].values())})

    def do_POST(self):
        if self.refused():
            return
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

    def refused(self):
        """Answer as an installation for several users does, where something is missing."""
        if not self.server.of_many or "healthz" in self.path:
            return False
        if "Bearer secret" not in self.headers.get("authorization", "") and self.headers.get("cookie") != "session=7":
            self.answer({"code": 16, "message": "Request header error: there is no user identity header."}, 401)
        elif self.command == "GET" and "/experiments" in self.path and "namespace=ads" not in self.path:
            trace = "Invalid input error: A shared resource needs a namespace. Namespace is empty."
            self.answer({"code": 3, "message": trace, "details": [{"error_details": "github.com/kubeflow/…"}]}, 400)
        else:
            return False
        return True

    def answer(self, body, status=200):
        said = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args):
        pass


@pytest.fixture
def kubeflow(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # the client keeps its context there
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.of_many = False
    server.asked, server.kept = [], {"experiments": {}, "runs": {}, "recurringruns": {}}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, image=IMAGE)


IMAGE = f"registry.example/adloop/trainer@sha256:{'0' * 64}"


@pytest.fixture
def aside():
    """Calls a function on a thread of its own: kfp reads the source of every caller again and again, and pytest's are
    many."""
    with ThreadPoolExecutor() as threads:
        yield lambda function, *given, **named: threads.submit(function, *given, **named).result()


def url(server):
    return f"http://127.0.0.1:{server.server_port}"


def at(server, **more):
    return Kubeflow(url(server), **more)


def test_a_training_run_is_started_with_its_data_and_the_compiled_pipeline(kubeflow, settings, canonical, aside):
    run_id = aside(submit, at(kubeflow, service_account="pipeline"), "churn", PARAMS, settings, data=str(canonical))
    assert kubeflow.kept["runs"][run_id]["display_name"] == "train-churn"
    (experiment, _), (_, run) = kubeflow.asked
    assert experiment == "experiments"
    assert run["runtime_config"]["parameters"]["source"] == [str(canonical)]
    assert len(run["runtime_config"]["parameters"]["fingerprint"]) >= 16
    assert run["service_account"] == "pipeline"
    spec = run["pipeline_spec"]
    assert spec["pipeline_spec"]["pipelineInfo"]["name"] == "train-churn"
    assert "exec-train" in spec["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def test_the_monitor_is_scheduled_once_however_often_it_is_asked(kubeflow, settings, aside):
    first = aside(schedule, at(kubeflow), "ltv", PARAMS, settings)
    other = aside(schedule, at(kubeflow), "churn", PARAMS, settings)
    second = aside(schedule, at(kubeflow, service_account="pipeline"), "ltv", PARAMS, settings)
    assert first != second and set(kubeflow.kept["recurringruns"]) == {other, second}
    asked = kubeflow.kept["recurringruns"][second]
    assert asked["trigger"]["cron_schedule"]["cron"] == load(PARAMS).monitoring.schedule
    assert asked["no_catchup"] is True and asked["service_account"] == "pipeline"
    assert asked["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "monitor-ltv"


def test_where_nothing_answers_that_is_said(settings):
    with pytest.raises(ConnectionError, match=r"no Kubeflow Pipelines at http://127\.0\.0\.1:9"):
        schedule(Kubeflow("http://127.0.0.1:9"), "ltv", PARAMS, settings)


def test_a_page_to_log_in_is_no_installation(kubeflow, settings, monkeypatch):
    monkeypatch.setattr(Api, "do_GET", lambda self: self.answer("<html>Log in to your account</html>"))
    monkeypatch.setattr(Api, "do_POST", lambda self: self.answer("<html>Log in to your account</html>"))
    with pytest.raises(ConnectionError, match=r"not as Kubeflow Pipelines does.* --token-file or --cookie-file"):
        schedule(at(kubeflow), "ltv", PARAMS, settings)


@pytest.mark.parametrize("start", [submit, schedule])
@pytest.mark.parametrize("image", ["adloop/trainer:0.1.0", "adloop/trainer", "adloop/trainer:latest", "x@sha256:12ab"])
def test_an_image_that_may_change_is_refused(kubeflow, tmp_path, start, image):
    with pytest.raises(ValueError, match=f"ADLOOP_IMAGE is {image}, which may change"):
        start(at(kubeflow), "churn", PARAMS, Settings(home=tmp_path, image=image))
    assert not kubeflow.asked


def test_an_image_may_be_named_by_its_commit(kubeflow, tmp_path, aside):
    named = Settings(home=tmp_path, image=f"adloop/trainer:{'a1' * 20}")
    assert aside(schedule, at(kubeflow), "ltv", PARAMS, named)


@pytest.mark.parametrize("given", [{"token": "secret"}, {"cookie": "session=7"}])
def test_an_installation_for_several_users_is_told_who_asks_and_where(kubeflow, settings, given, aside):
    kubeflow.of_many = True
    assert aside(schedule, at(kubeflow, namespace="ads", **given), "ltv", PARAMS, settings)
    (experiment, asked), _ = kubeflow.asked
    assert experiment == "experiments" and asked["namespace"] == "ads"


def test_its_refusal_is_one_line_that_says_what_to_give(kubeflow, tmp_path, canonical):
    kubeflow.of_many = True
    (tmp_path / "token").write_text("secret\n")
    place = {"ADLOOP_IMAGE": IMAGE, "ADLOOP_HOME": str(tmp_path / "home")}
    submitted = ["submit", "--host", url(kubeflow), "--family", "churn", "--data", str(canonical)]
    for more, told in (
        ([], "there is no user identity header. (401); give --token-file or --cookie-file"),
        (
            ["--token-file", str(tmp_path / "token")],
            "Namespace is empty. (400); an installation for several users needs",
        ),
    ):
        done = CliRunner().invoke(main, [*submitted, *more], env=place)
        assert isinstance(done.exception, SystemExit) and done.exit_code == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"Error: {url(kubeflow)} refused: ") and told in line
    done = CliRunner().invoke(main, [*submitted, *more, "--namespace", "ads"], env=place)
    assert done.exit_code == 0 and done.output.splitlines()[-1].startswith("churn: runs-")


@pytest.fixture
def canonical(tmp_path):
    """A folder with the one table that there must be."""
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "customers.csv").write_text("customer_id\n1\n2\n")
    return folder

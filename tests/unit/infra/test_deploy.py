"""The deploy workflow is made of commands that run by hand, and those do what they say."""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.unit.infra.schemas import check

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "infra" / "deploy"
KUBERNETES = ROOT / "infra" / "kubernetes"
TERRAFORM = ROOT / "infra" / "terraform" / "modules"
WORKFLOW = ROOT / ".github" / "workflows" / "deploy.yml"
OLD, NEW = (f"r.example/adloop/server@sha256:{digit * 64}" for digit in "12")

pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("bash", "curl", "jq")), reason="needs bash, curl and jq"
)


def script(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DEPLOY / name, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def put(folder: Path, program: str, body: str) -> str:
    """Write a stand-in for a program; the PATH that finds it first."""
    folder.mkdir(exist_ok=True)
    (folder / program).write_text(f"#!/usr/bin/env bash\n{body}\n")
    (folder / program).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_every_step_of_the_workflow_is_a_command_that_is_there() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    runs = [step["run"] for job in jobs.values() for step in job.get("steps", ()) if "run" in step]
    named = {name for run in runs for name in re.findall(r"infra/deploy/(\S+)", run)}
    there = {path.name for path in DEPLOY.glob("*.sh")}
    assert named == there - {"rotate_redis.sh", "shell.sh"}  # which are for people
    assert all(os.access(DEPLOY / name, os.X_OK) for name in there)
    assert all("infra/deploy/" in run or run.startswith("aws ") for run in runs)


def test_actions_are_named_by_a_commit_which_cannot_be_moved_and_told_by_their_version() -> None:
    lines = [
        line for file in WORKFLOW.parent.glob("*.yml") for line in file.read_text().splitlines() if "uses:" in line
    ]
    others = [line for line in lines if "uses: ./" not in line]
    assert others and all(re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line) for line in others)


def test_tokens_may_do_no_more_than_their_job_needs() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        allowed = {"contents": "read"} if name == "test" else {"contents": "read", "id-token": "write"}
        assert job["permissions"] == allowed, name
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


@cache
def rendered(folder: str) -> list[dict[str, Any]]:
    """The objects of a folder of `infra/kubernetes`."""
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, which has kustomize")
    command = ["kubectl", "kustomize", str(KUBERNETES / folder)]
    return list(yaml.safe_load_all(subprocess.run(command, check=True, capture_output=True).stdout))


def test_images_are_deployed_by_their_digest_everywhere() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, which has kustomize")
    trainer = NEW.replace("server", "trainer")
    done = script("apply.sh", "staging", NEW, trainer, DRY_RUN="1")
    assert done.returncode == 0, done.stderr
    made = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout)}
    (container,) = made["InferenceService", "decisions"]["spec"]["predictor"]["containers"]
    assert container["image"] == made["ConfigMap", "adloop"]["data"]["ADLOOP_SERVER_IMAGE"] == NEW
    assert made["Deployment", "mlflow"]["spec"]["template"]["spec"]["containers"][0]["image"] == trainer


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_what_an_environment_names_is_what_terraform_makes(environment: str) -> None:
    identity = (TERRAFORM / "identity" / "main.tf").read_text()
    accounts = set(re.findall(r"^    (\w+) += \{ reads", identity, re.MULTILINE))
    storage = (TERRAFORM / "storage" / "main.tf").read_text()
    buckets = set(re.findall(r"^    (\w+) += \{ about", storage, re.MULTILINE))
    text = (KUBERNETES / "overlays" / environment / "kustomization.yaml").read_text()
    text += (KUBERNETES / "setup" / environment / "kustomization.yaml").read_text()
    assert set(re.findall(rf"name: adloop-(\w+)\}}.*\n.*\n.*role/adloop-{environment}-\1\b", text)) == accounts - {
        "ingest"
    }
    named = re.findall(r"=s3://(\S+?)/", text)
    assert named and {re.sub(rf"^adloop-{environment}-(\w+)-0{{12}}$", r"\1", one) for one in named} <= buckets


def test_the_setup_of_a_cluster_brings_every_secret_that_its_pods_name() -> None:
    made = rendered("setup/staging")
    for one in made:
        if not one["apiVersion"].startswith("external-secrets.io/"):  # whose definitions are not at hand
            check(one)
    places = set(re.findall(r"^    ([\w-]+) += \"", (TERRAFORM / "secrets" / "main.tf").read_text(), re.MULTILINE))
    stores = {one["metadata"]["name"] for one in made if one["kind"] == "SecretStore"}
    secrets = [one for one in made if one["kind"] == "ExternalSecret"]
    for one in secrets:
        assert one["spec"]["secretStoreRef"]["name"] in stores
        assert {each["remoteRef"]["key"] for each in one["spec"]["data"]} <= places
    needed = re.findall(r"create secret generic ([\w-]+)", (KUBERNETES / "base" / "accounts.yaml").read_text())
    by_hand = {"adloop-mlflow", "adloop-wandb", "adloop-aws"}  # for what not every installation has
    assert {one["metadata"]["name"] for one in secrets} == set(needed) - by_hand
    signing = [one for one in secrets if one["spec"]["secretStoreRef"]["name"] == "adloop-register"]
    assert [one["metadata"]["name"] for one in signing] == ["adloop-signing"]


def test_the_deployer_may_bring_every_object_of_an_overlay_and_give_nobody_rights() -> None:
    (rules,) = (one["rules"] for one in rendered("setup/staging") if one["kind"] == "Role")
    may = {resource: set(rule["verbs"]) for rule in rules for resource in rule["resources"]}
    kept = {"Namespace", "ServiceAccount", "Role", "RoleBinding"}
    for one in rendered("overlays/staging"):
        plural = re.sub("y$", "ie", one["kind"].lower()) + "s"
        assert one["kind"] in kept or {"get", "create", "patch"} <= may[plural], plural
    assert "secrets" not in may
    assert all(may[plural] <= {"get", "list"} for plural in ("serviceaccounts", "roles", "rolebindings", "pods"))


def test_the_manual_says_what_to_do_at_each_alert_and_names_what_is_there() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text()
    alerts = re.findall(r"alert: (\w+)", (KUBERNETES / "base" / "monitoring" / "alerts.yaml").read_text())
    assert alerts and re.findall(r"^\| (Adloop\w+) \|", manual, re.MULTILINE) == alerts
    for path in re.findall(r"(?<![\w/])((?:infra|\.github)/[\w./-]+\w)", manual):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"`(modules/[\w./-]+|envs/[\w./-]+)`", manual):
        assert (ROOT / "infra" / "terraform" / path).exists(), path


def canary_of(service: Mapping[str, Any]) -> Any:
    made = subprocess.run(
        ["jq", "--arg", "image", NEW, "--from-file", DEPLOY / "canary.jq"],  # noqa: S607
        input=json.dumps(service),
        capture_output=True,
        text=True,
        check=True,
    )
    (canary,) = json.loads(made.stdout)["spec"]["canary"]
    return canary


def test_a_canary_is_the_same_predictor_with_another_image() -> None:
    services = {
        one["metadata"]["name"]: one for one in rendered("overlays/production") if one["kind"] == "InferenceService"
    }
    decisions = services["decisions"]
    canary = canary_of(decisions)
    check({**decisions, "spec": {**decisions["spec"], "canary": [canary]}})
    own, now = canary["predictor"], decisions["spec"]["predictor"]
    assert (canary["trafficPercent"], own["name"], own["containers"][0]["image"]) == (10, "c222222222222", NEW)
    assert own["containers"][0] | {"image": ""} == now["containers"][0] | {"image": ""}
    refused = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget"}  # by KServe's webhook, of a canary
    assert own.keys() == now.keys() - refused | {"name"}


class Prometheus(BaseHTTPRequestHandler):
    """Answers a query with the first of `values` whose name is in it: of the canary's pods, else of the others."""

    values: Mapping[str, tuple[str, str]] = {}

    def do_GET(self) -> None:
        (query,) = parse_qs(urlsplit(self.path).query)["query"]
        assert 'pod=~"new-1|new-2"' in query or 'pod!~"new-1|new-2"' in query, query
        found = next(values for name, values in self.values.items() if name in query)
        body = {"data": {"result": [{"value": [0, found["pod=~" not in query]]}]}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


GOOD = {
    "increase": ("2000", ""),
    "status=": ("0.002", "0.001"),
    "histogram_quantile": ("0.012", "0.01"),
    "faults": ("0", "0"),
}


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Any]:
    """Runs `canary.sh judge` for a moment, with these values in Prometheus."""
    pods = [{"metadata": {"name": f"new-{n}"}, "spec": {"containers": [{"image": NEW}]}} for n in (1, 2)]
    pods.append({"metadata": {"name": "old-1"}, "spec": {"containers": [{"image": OLD}]}})
    (tmp_path / "pods.json").write_text(json.dumps({"items": pods}))
    path = put(
        tmp_path / "bin", "kubectl", f'case "$2" in pods) cat {tmp_path}/pods.json;; *) printf %s "{NEW}";; esac'
    )
    server = HTTPServer(("127.0.0.1", 0), Prometheus)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def run(url: str | None = None, **changed: tuple[str, str]) -> subprocess.CompletedProcess[str]:
        Prometheus.values = {**GOOD, **{name.replace("status", "status="): value for name, value in changed.items()}}
        url = url or f"http://127.0.0.1:{server.server_port}"
        return script("canary.sh", "judge", "1", PATH=path, PROMETHEUS_URL=url, LOOK_S="0.2")

    yield run
    server.shutdown()
    server.server_close()


def test_a_canary_as_good_as_the_others_passes(judged: Any) -> None:
    done = judged()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "share of failed requests: canary 0.002, others 0.001" in done.stdout


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": ("0.05", "0.001")}, "the canary is worse"),
        ({"histogram_quantile": ("0.2", "0.01")}, "the canary is worse"),
        ({"faults": ("3", "0")}, "the canary is worse"),
        ({"increase": ("40", "")}, "fewer than 100 requests"),
        ({"status": ("NaN", "0.001"), "increase": ("0", "")}, "fewer than 100 requests"),
    ],
)
def test_a_canary_that_is_worse_or_unknown_does_not_pass(judged: Any, changed: Any, said: str) -> None:
    done = judged(**changed)
    assert done.returncode == 1 and said in done.stderr, done.stdout + done.stderr


def test_a_canary_that_nothing_is_known_of_does_not_pass(judged: Any) -> None:
    done = judged(url="http://127.0.0.1:1")
    assert done.returncode == 1 and "Failed to connect" in done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("stored", ["", "rediss://adloop-staging-adloop:before@r.example:6379/0"])
def test_a_new_password_of_redis_leaves_the_one_before_valid(tmp_path: Path, stored: str) -> None:
    path = put(
        tmp_path / "bin",
        "aws",
        f"""case "$1 $2" in
            *describe-replication-groups) echo r.example;;
            *get-random-password) echo after;;
            *describe-secret) echo {"v1" if stored else "None"};;
            *get-secret-value) echo {stored};;
            *modify-user) cat > {tmp_path}/user;;
            *put-secret-value) cat > {tmp_path}/secret;;
        esac""",
    )
    done = script("rotate_redis.sh", "adloop-staging", PATH=path)
    assert done.returncode == 0, done.stderr
    user, secret = (json.loads((tmp_path / name).read_text()) for name in ("user", "secret"))
    assert user["AuthenticationMode"]["Passwords"] == (["after", "before"] if stored else ["after"])
    assert secret["SecretString"] == "rediss://adloop-staging-adloop:after@r.example:6379/0"
    assert "after" not in done.stdout + done.stderr

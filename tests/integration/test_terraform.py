"""The cloud half of `infra/`: its form, its promises on a mocked AWS, and one apply against moto's AWS.

They need `terraform`, its AWS provider (from the registry, or a folder of providers on this machine), `moto_server` for
the apply, and `checkov`; without these they are skipped. Moto has no add-ons and access entries of EKS, no user and
parameter groups of ElastiCache, no security group of a cluster: these are planned, but not applied.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import redis

from features import store
from features.examples import Window, latest
from features.settings import Settings
from features.tables import Tables
from models.churn.examples import churn_examples
from pipelines.compute import GPU, SPOT
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.store import CampaignSettings, Receipt
from tests.integration.asked_of_store import PARAMS, bid, event

TERRAFORM = Path(__file__).parents[2] / "infra" / "terraform"
PROVIDER = "registry.terraform.io/hashicorp/aws"
ROOTS = ("envs/account", "envs/staging", "envs/production")
#: Of our types of resources, those that moto cannot make; what needs them is left out too.
NOT_IN_MOTO = {
    "aws_eks_access_entry",
    "aws_eks_access_policy_association",
    "aws_eks_addon",
    "aws_elasticache_parameter_group",
    "aws_elasticache_replication_group",
    "aws_elasticache_user_group",
    "aws_vpc_security_group_ingress_rule",  # its clusters have no security group to let in
}
#: What moto forgets or invents, by module, type and name; a second plan does not look at it.
INVENTED = {
    ("cluster", "aws_eks_cluster", "this"): "access_config",
    ("cluster", "aws_eks_node_group", "this"): "remote_access, tags, update_config",
    ("cluster", "aws_launch_template", "node"): "tag_specifications",
    ("data", "aws_db_instance", "mlflow"): (
        "performance_insights_enabled, performance_insights_kms_key_id, performance_insights_retention_period"
    ),
    ("data", "aws_db_parameter_group", "this"): "parameter",
    ("network", "aws_vpc_endpoint", "inside"): "dns_options",
}
IGNORE = 'resource "{}" "{}" {{\n  lifecycle {{\n    ignore_changes = [{}]\n  }}\n}}\n'
CHURN = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))
#: State and backend stay here, and moto is one address for all buckets.
OVERRIDE = """
terraform {
  backend "local" {}
}
provider "aws" {
  s3_use_path_style = true
  max_retries       = 1
}
"""
#: What a password looks like that AWS made for us.
PASSWORD = re.compile(r'"[A-Za-z0-9]{40}"')

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="needs terraform on the PATH")


def terraform(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Terraform's answer in `folder`, with its data kept there."""
    quiet = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    return subprocess.run(
        ["terraform", *arguments],  # noqa: S607
        cwd=folder,
        env={**os.environ, **quiet, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the Terraform code, without what a developer's own runs left in it."""
    copy = tmp_path_factory.mktemp("terraform") / "terraform"
    shutil.copytree(TERRAFORM, copy, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
    for root in ROOTS:
        (copy / root / "override.tf").write_text(OVERRIDE)
    for (module, kind, name), attributes in INVENTED.items():
        with (copy / "modules" / module / "override.tf").open("a") as file:
            file.write(IGNORE.format(kind, name, attributes))
    return copy


def initialised(root: Path) -> Path:
    """`root` with its provider, or a skip where there is none to be had."""
    folders = [found for depth in ("*", "*/*") for found in Path("/").glob(f"{depth}/{PROVIDER}")]
    done = terraform(
        root, "init", "-no-color", "-input=false", *(f"-plugin-dir={one.parents[2]}" for one in folders[:1])
    )
    if done.returncode and "Failed to query available provider packages" in done.stderr:
        pytest.skip("needs Terraform's AWS provider: its registry does not answer, and no folder of providers is here")
    succeeded(done)
    return root


@needs_terraform
def test_the_code_has_terraforms_own_form() -> None:
    assert succeeded(terraform(TERRAFORM, "fmt", "-check", "-recursive", "-diff", "-no-color")) == ""


def test_pools_carry_the_label_and_taints_that_steps_ask_for() -> None:
    pools = (TERRAFORM / "modules" / "cluster" / "pools.tf").read_text()
    assert dict(re.findall(r'(spot_label|gpu_taint) += "(.*)"', pools)) == {"spot_label": SPOT[0], "gpu_taint": GPU}
    assert f'value  = "{SPOT[1]}"' in pools


def test_the_rights_of_redis_user_are_enough_for_features_and_money(redis_server, tables: Path, tmp_path: Path) -> None:
    rules = re.findall(r'access_string = "(on .*)"', (TERRAFORM / "modules" / "data" / "redis.tf").read_text())
    with redis.Redis(port=redis_server.port) as owner:
        owner.execute_command("ACL", "SETUSER", "adloop", ">secret", *rules[0].split())
    url = f"redis://adloop:secret@127.0.0.1:{redis_server.port}/0"
    settings = Settings(home=tmp_path, redis_url=url)
    source = Tables(tables)
    snapshot = store.build(source, "churn_v1", churn_examples(source, CHURN), latest(source), settings)
    store.publish(snapshot, settings)
    assert len(store.Online(settings).read("churn_v1", ["c00001"])) == 1
    money = RedisStore(url, PARAMS)
    money.configure("a", "c", CampaignSettings(daily_limit=10.0))
    assert money.reserve([bid("1", 4)])[0].status == "reserved"
    assert money.record([event("e", "impression", "1", cost=2.5)]) == [Receipt(True)]
    with redis.Redis.from_url(url) as user, pytest.raises(redis.exceptions.NoPermissionError):
        user.flushall()


@needs_terraform
@pytest.mark.slow
@pytest.mark.parametrize("root", ROOTS)
def test_every_environment_is_valid(tree: Path, root: str) -> None:
    succeeded(terraform(initialised(tree / root), "validate", "-no-color"))


@needs_terraform
@pytest.mark.slow
def test_modules_keep_their_promises(tree: Path) -> None:
    said = succeeded(terraform(initialised(tree), "test", "-no-color"))
    assert re.search(r"^Success! [1-9]\d* passed, 0 failed\.$", said, re.MULTILINE), said


@pytest.mark.slow
def test_checkov_finds_nothing_that_has_no_reason() -> None:
    checkov = shutil.which("checkov")
    if checkov is None:
        pytest.skip("needs checkov: uv tool install checkov")
    options = ["--framework", "terraform", "--quiet", "--compact", "--skip-download"]
    done = subprocess.run([checkov, "--directory", TERRAFORM, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment variables of a client of moto's AWS."""
    server = shutil.which("moto_server", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if server is None:
        pytest.skip("needs moto_server: pip install 'moto[server]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path_factory.mktemp("moto") / "log").open("w") as log:
        policies = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}  # AWS's own, such as AmazonEKSClusterPolicy
        running = subprocess.Popen([server, "-p", str(port)], env={**os.environ, **policies}, stdout=log, stderr=log)
        try:
            _answers(f"http://127.0.0.1:{port}/moto-api/", running)
            yield {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "TF_VAR_region": "eu-central-1",
                "TF_VAR_repository": "acme/adloop",
                "TF_VAR_administrators": '["arn:aws:iam::123456789012:role/platform"]',
            }
        finally:
            running.kill()
            running.wait()


def _answers(url: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5):  # noqa: S310
                return
        except (URLError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError(f"moto does not answer at {url}")


def _planned(root: Path, aws: dict[str, str], *targets: str) -> list[dict[str, Any]]:
    """The resources that Terraform would touch, with what it would do to them."""
    succeeded(terraform(root, "plan", "-no-color", "-input=false", "-out=plan", *targets, **aws))
    changes: list[dict[str, Any]] = json.loads(succeeded(terraform(root, "show", "-json", "plan")))["resource_changes"]
    return [one for one in changes if one["mode"] == "managed" and one["change"]["actions"] != ["no-op"]]


def _touched(change: dict[str, Any]) -> set[str]:
    """Names of the attributes that differ."""
    before, after = change["change"]["before"] or {}, change["change"]["after"] or {}
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@needs_terraform
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("root", ["envs/account", "envs/staging"])
def test_an_environment_is_made_once_and_its_second_plan_is_empty(tree: Path, aws: dict[str, str], root: str) -> None:
    folder = initialised(tree / root)
    wanted = _planned(folder, aws)
    targets = [f"-target={one['address']}" for one in wanted if one["type"] not in NOT_IN_MOTO]
    succeeded(terraform(folder, "apply", "-no-color", "-auto-approve", "-input=false", *targets, **aws))
    again = {one["address"]: _touched(one) for one in _planned(folder, aws, *targets)}
    assert again == {}
    state = (folder / "terraform.tfstate").read_text()
    assert not PASSWORD.search(state), "a password that AWS made is in the state"

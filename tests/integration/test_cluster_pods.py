"""MLflow, the decision engine and the text server start from the objects of `infra/kubernetes` and nothing else."""

import copy
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from features.settings import Settings
from models.keys import public_key
from models.registry import Registry
from serving.access import own
from serving.access.keys import path
from serving.rollout.processes import fetch
from tests.integration import probe
from tests.integration.conftest import S3, Server
from tests.integration.pod import Namespace, Pod, running
from tests.unit.infra.test_kubernetes import of, overlay


@pytest.fixture
def probe_family() -> None:
    probe.install()
    yield
    probe.remove()


def test_the_decision_engine_asks_the_registry_that_runs_beside_it(
    redis_server: Server, s3: S3, tmp_path: Path, probe_family: None, registry_home: Path
) -> None:
    owner = Settings(home=tmp_path / "owner", s3_endpoint_url=s3.endpoint)
    own.key(owner)
    shutil.copy(registry_home / "mlflow.db", tmp_path)
    credentials = {
        "AWS_ACCESS_KEY_ID": "adloop",
        "AWS_SECRET_ACCESS_KEY": "adloop-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    secrets = {
        "adloop-verify": {
            "ADLOOP_VERIFY_KEY": public_key(owner)
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode()
        },
        "adloop-keys": {"api.json": path(owner).read_text()},
        "adloop-services": {"ADLOOP_REDIS_URL": f"redis://127.0.0.1:{redis_server.port}/0"},
        "adloop-mlflow-database": {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path}/mlflow.db"},
    }
    objects = overlay("staging")
    (settings,) = of(objects, "ConfigMap", "adloop")
    (mlflow,) = of(objects, "Deployment", "mlflow")
    (decisions,) = of(objects, "InferenceService", "decisions")
    template = copy.deepcopy(mlflow["spec"]["template"]["spec"])
    (container,) = template["containers"]
    container["args"][container["args"].index("--workers") + 1] = "1"  # each imports MLflow, for seconds
    folders = [tmp_path / "mlflow", tmp_path / "decisions"]
    for folder in folders:
        folder.mkdir()
    registry = Pod(template, Namespace({}, secrets), folders[0], {}, {})
    with running(registry):
        uri = f"http://127.0.0.1:{registry.port(5000)}"
        prefix = f"s3://{s3.bucket}/{tmp_path.name}"
        given = {**settings["data"], "ADLOOP_MLFLOW_URI": uri, "ADLOOP_S3_ENDPOINT_URL": s3.endpoint}
        given |= {"ADLOOP_ARTIFACTS_URI": f"{prefix}/artifacts", "ADLOOP_RECORDS_URI": f"{prefix}/records"}
        signer = owner.model_copy(update={"mlflow_uri": uri, "artifacts_uri": given["ADLOOP_ARTIFACTS_URI"]})
        assert probe.register(probe.Probe(), signer, tmp_path / "trained") == "1"
        assert Registry(signer).address("probe", "1").startswith(prefix)

        namespace = Namespace({"adloop": given}, secrets)
        engine = Pod(decisions["spec"]["predictor"], namespace, folders[1], credentials, {})
        with running(engine):
            unready = {"models": "no model is released: adloop run"}
            ready(engine, 8083, lambda status, told: (status, told["reasons"]) == (503, unready))
            assert fetch(engine.port(8083), "/metrics")[0] == 401
            engine.stop()
        texts = _texts(objects, given, secrets, tmp_path, credentials)
        with running(texts):
            told = ready(texts, 8084, lambda status, told: status == 200)
            assert "no classifier of texts is released" in told["left_out"]["classifier"]
            assert fetch(texts.port(8084), "/v1/content/rules")[0] == 401
            texts.stop()
        broken = {"adloop-products": {"malt.yaml": "name: Malt\nprice: cheap"}}
        unread = _texts(objects, given, secrets, tmp_path, credentials, broken)
        unread.start()
        assert not unread.started() and "malt.yaml: price" in unread.log


def ready(pod: Pod, port: int, expected: Callable[[int, dict[str, Any]], bool]) -> dict[str, Any]:
    """What a server tells of its readiness, once it has looked at its parts and tells this."""
    until = time.monotonic() + 60
    while True:
        status, body = fetch(pod.port(port), "/health/ready")
        told: dict[str, Any] = json.loads(body)
        if expected(status, told):
            return told
        assert time.monotonic() < until, told
        time.sleep(0.2)


def _texts(
    objects: list[dict[str, Any]],
    settings: dict[str, str],
    secrets: dict[str, dict[str, str]],
    tmp_path: Path,
    credentials: dict[str, str],
    changed: dict[str, dict[str, str]] | None = None,
) -> Pod:
    """The text server, with a shop of one product."""
    (service,) = of(objects, "InferenceService", "texts")
    config = {one["metadata"]["name"]: one.get("data", {}) for one in of(objects, "ConfigMap")}
    config |= {"adloop": settings, "adloop-products": {"malt.yaml": "name: Malt\nprice: 19.99 EUR"}, **(changed or {})}
    shop, folder = tmp_path / f"shop{bool(changed)}", tmp_path / f"texts{bool(changed)}"
    (shop / "products").mkdir(parents=True)
    folder.mkdir()
    (shop / "products" / "malt.yaml").write_text(config["adloop-products"]["malt.yaml"])
    mounted = {"/etc/shop": shop}
    return Pod(service["spec"]["predictor"], Namespace(config, secrets), folder, credentials, mounted)

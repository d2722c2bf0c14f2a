"""MLflow and the decision engine start from the objects of `infra/kubernetes` and from nothing else."""

import json
from pathlib import Path

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
    redis_server: Server, s3: S3, tmp_path: Path, probe_family: None
) -> None:
    owner = Settings(home=tmp_path / "owner", s3_endpoint_url=s3.endpoint)
    own.key(owner)
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
    folders = [tmp_path / "mlflow", tmp_path / "decisions"]
    for folder in folders:
        folder.mkdir()
    registry = Pod(mlflow["spec"]["template"]["spec"], Namespace({}, secrets), folders[0], {}, {})
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
            status, body = fetch(engine.port(8083), "/health/ready")
            assert status == 503, body
            (reason,) = json.loads(body)["reasons"].items()
            assert reason == ("models", "no model is released: adloop run")
            assert fetch(engine.port(8083), "/metrics")[0] == 401
            engine.stop()

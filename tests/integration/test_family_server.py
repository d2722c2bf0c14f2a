"""The server of a family starts from the InferenceService that a release makes, and from nothing else."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import small
from checks import Case, fit_once, manifest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from components.featurize.step import featurize
from features.lake import place
from features.settings import Settings
from models import bundle, catalog
from models.keys import public_key, signing_key
from serving.access import keys
from serving.inference import requests
from serving.released.split import Split
from serving.rollout.inference_service import InferenceServiceTemplate, Object
from tests.integration.conftest import S3
from tests.integration.pod import Namespace, Pod, running


@pytest.fixture(scope="module")
def case(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder, section, family = tmp_path_factory.mktemp("ltv"), small.section("ltv"), catalog.family("ltv")
    featurize(tables, "ltv", section, None, Settings(home=folder / "home"), folder / "features", online=False)
    fit_once(family, section, folder)
    return Case.opened(family, section, folder)


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of whoever signs bundles and makes keys."""
    return Settings(home=tmp_path_factory.mktemp("owner") / "home")


@pytest.fixture(scope="module")
def address(case: Case, owner: Settings, s3: S3) -> str:
    """Where the bundle of version 7 is."""
    folder = owner.home.parent / "bundle"
    bundle.write(folder, case.model, manifest(case), case.rows.join(case.answers))
    bundle.sign(folder, signing_key(owner), "7")
    return s3.upload(folder, "artifacts/ltv/7")


@pytest.fixture(scope="module")
def key(owner: Settings) -> str:
    return keys.make(owner, "shop", ("predict",), 1e9)


@pytest.fixture
def namespace(owner: Settings, key: str, s3: S3, tmp_path: Path) -> Namespace:
    """The ConfigMap and the Secrets that the template names."""
    verify = public_key(owner).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    settings = {"ADLOOP_RECORDS_URI": f"s3://{s3.bucket}/{tmp_path.name}", "ADLOOP_S3_ENDPOINT_URL": s3.endpoint}
    secrets = {
        "adloop-verify": {"ADLOOP_VERIFY_KEY": verify},
        "adloop-keys": {"api.json": keys.path(owner).read_text()},
    }
    return Namespace({"adloop": settings}, secrets)


@pytest.fixture
def pod(
    made: Object, namespace: Namespace, s3: S3, credentials: dict[str, str], fetched: Callable[[Object], Path], tmp_path
) -> Pod:
    return Pod(made["spec"]["predictor"], namespace, tmp_path, credentials, {"/mnt/models": fetched(made)})


@pytest.fixture
def credentials(s3: S3) -> dict[str, str]:
    """What the service account brings along on a cluster."""
    return {"AWS_ACCESS_KEY_ID": "adloop", "AWS_SECRET_ACCESS_KEY": "adloop-secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def fetched(s3: S3, credentials: dict[str, str], tmp_path: Path) -> Callable[[Object], Path]:
    """Fetches the bundle that an object names, as KServe's storage initializer does."""
    pytest.importorskip("kserve_storage", reason="kserve-storage, KServe's storage initializer, is not installed")

    def fetch(made: Object) -> Path:
        (container,) = made["spec"]["predictor"]["containers"]
        (uri,) = [one["value"] for one in container["env"] if one["name"] == "STORAGE_URI"]
        code = "import sys; from kserve_storage import Storage; Storage.download(sys.argv[1], sys.argv[2])"
        environment = {**credentials, "AWS_ENDPOINT_URL": s3.endpoint, "PYTHONPATH": ":".join(sys.path)}
        subprocess.run([sys.executable, "-c", code, uri, str(tmp_path / "models")], env=environment, check=True)
        return tmp_path / "models"

    return fetch


@pytest.fixture
def made(address: str) -> Object:
    """The object of a first release."""
    template = InferenceServiceTemplate("ads", "adloop/server:1", "Standard", lambda *_: address)
    return template.standard("ltv", Split(champion="7"))


def test_it_serves_what_it_was_given_and_records_it_in_s3(
    pod: Pod, case: Case, key: str, s3: S3, tmp_path: Path, namespace: Namespace
) -> None:
    rows = case.rows.head(4)
    with running(pod):
        assert pod.answers("readinessProbe") and pod.answers("livenessProbe")
        url = f"http://127.0.0.1:{pod.port(8080)}/v1/models/ltv:predict"
        body = {"instances": json.loads(rows.to_json(orient="records", date_format="iso"))}
        assert httpx.post(url, json=body).status_code == 401
        answer = httpx.post(url, json=body, headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        pod.stop()
    expected = case.model.predict(rows)
    predictions: list[dict[str, Any]] = answer.json()["predictions"]
    for name in expected.select_dtypes("number"):
        np.testing.assert_allclose([one[name] for one in predictions], expected[name])
    there = Settings(home=tmp_path / "nobody", s3_endpoint_url=s3.endpoint)
    logged = requests.read(place(namespace.config["adloop"]["ADLOOP_RECORDS_URI"], there), "ltv")
    assert logged.query("status == 200")["version"].tolist() == ["7"] * len(rows)


def test_a_bundle_that_another_key_signed_is_not_served(pod: Pod, namespace: Namespace, tmp_path: Path) -> None:
    other = public_key(Settings(home=tmp_path / "other")).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pod._environment["ADLOOP_VERIFY_KEY"] = other.decode()
    pod.start()
    assert pod.process.wait(60) != 0 and "BundleTampered" in pod.log

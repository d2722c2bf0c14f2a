"""Splits traffic on a cluster: one InferenceService per family, with `canaryTrafficPercent`.

The tests check the requests to the Kubernetes API against a fake API server; KServe's controller takes no part in them.
On a cluster, failures of a canary reach clients: Knative does not retry on the champion, as this package's Envoy does.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from serving.inference import requests
from serving.released.split import Split
from serving.rollout.plan import CannotServe

if TYPE_CHECKING:
    from kserve import KServeClient, V1beta1InferenceService

#: Seconds a revision may take to come up: nodes may have to be started for it.
PATIENCE = 900.0
LOOK = 1.0
PORT = 8080
#: Where the hashes of keys are mounted, from the Secret that the decision engine takes them from too.
KEYS, SECRET = "/etc/adloop", "adloop-keys"
#: Marks the services that adloop made, with the version of their latest revision.
ANNOTATION = "adloop/version"


class NotOurs(ValueError):
    """A service with a family's name that adloop did not create."""


def on_cluster(namespace: str, image: str, address: Callable[[str, str], str], home: Path) -> "InferenceServices":
    """Connect to the cluster this process runs in, or the one in `~/.kube/config`."""
    from kserve import KServeClient

    return InferenceServices(KServeClient(), namespace, image, address, home)


class InferenceServices:
    """A `Traffic` of InferenceServices named after their families.

    Args:
        image: container image with this repository, as for pipeline steps.
        address: `(family, version) -> s3://…`, the URI of the signed bundle.
        home: mount of the servers' request log.
    """

    def __init__(
        self, client: "KServeClient", namespace: str, image: str, address: Callable[[str, str], str], home: Path
    ) -> None:
        self._client, self._namespace, self._image = client, namespace, image
        self._address, self._home = address, home

    def url(self, family: str) -> str:
        """The family's address, once it is ready."""
        status = self._client.get(family, namespace=self._namespace).get("status") or {}
        if not status.get("url"):
            raise LookupError(f"the InferenceService '{family}' has no address yet: kubectl get isvc {family}")
        return str(status["url"])

    def split(self, family: str, split: Split) -> None:
        """Make the canary the latest revision with its share, or the champion with all of it."""
        latest = self._latest(family)
        if latest is None:
            self._client.create(self._service(family, split.champion, 100), namespace=self._namespace)
        elif split.canary is None:
            if latest != split.champion:  # a rollback is immediate; a new revision takes a while
                self._patch(family, latest, 0)
            self._patch(family, split.champion, 100)
        else:
            self._patch(family, split.canary, split.weight)
        self._wait(family, split.canary or split.champion)

    def attempts(self, family: str, since: float) -> pd.DataFrame:
        """Attempts from the request log. A missing server logs none, but then its revision is not ready either."""
        logged = requests.read(self._home, family, pd.Timestamp(since, unit="s", tz="UTC").to_pydatetime())
        first = logged[logged["row"] == 0]
        return pd.DataFrame(
            {
                "at": first["occurred_at"].astype("int64") / 1e6,
                "version": first["version"],
                "ok": first["status"] == 200,
                "latency_ms": first["latency_ms"].astype(float),
            }
        )

    def close(self) -> None:
        """Leaves the services running."""

    def _latest(self, family: str) -> str | None:
        """The version of the latest revision; None where the family has no service yet.

        Raises `NotOurs` for a service of that name that adloop did not create.
        """
        items = self._client.get(namespace=self._namespace).get("items") or []
        found = next((item for item in items if _about(item).get("name") == family), None)
        if found is None:
            return None
        version = (_about(found).get("annotations") or {}).get(ANNOTATION)
        if not version:
            raise NotOurs(
                f"the InferenceService '{family}' in the namespace {self._namespace} has no annotation {ANNOTATION}, "
                f"so adloop did not make it and leaves it alone: rename it, or release in another namespace "
                f"(ADLOOP_KSERVE_NAMESPACE)"
            )
        return str(version)

    def _patch(self, family: str, version: str, percent: int) -> None:
        self._client.patch(family, self._service(family, version, percent), namespace=self._namespace)

    def _wait(self, family: str, version: str) -> None:
        deadline = time.monotonic() + PATIENCE
        reason = "no status yet"
        while time.monotonic() < deadline:
            found = self._client.get(family, namespace=self._namespace)
            status = found.get("status") or {}
            conditions = status.get("conditions") or []
            ready: dict[str, Any] = next((one for one in conditions if one.get("type") == "Ready"), {})
            if status.get("observedGeneration") == _about(found).get("generation"):
                if ready.get("status") == "True":
                    return
                reason = ready.get("message") or reason
                if ready.get("reason") == "RevisionFailed":
                    break
            time.sleep(LOOK)
        raise CannotServe(version, reason)

    def _service(self, family: str, version: str, percent: int) -> "V1beta1InferenceService":
        from kserve import V1beta1InferenceService, V1beta1InferenceServiceSpec, V1beta1PredictorSpec, constants
        from kubernetes import client

        arguments = ["--bundle", "/mnt/models", "--name", family, "--version", version, "--host", "0.0.0.0"]  # noqa: S104
        container = client.V1Container(
            name="kserve-container",
            image=self._image,
            command=["python", "-m", "serving.inference"],
            args=[*arguments, "--http-port", str(PORT)],
            env=[
                client.V1EnvVar(name="STORAGE_URI", value=self._address(family, version)),
                client.V1EnvVar(name="ADLOOP_API_KEYS", value=f"{KEYS}/api.json"),
            ],
            ports=[client.V1ContainerPort(container_port=PORT, protocol="TCP")],
            volume_mounts=[client.V1VolumeMount(name="keys", mount_path=KEYS, read_only=True)],
        )
        keys = client.V1Volume(name="keys", secret=client.V1SecretVolumeSource(secret_name=SECRET))
        predictor = V1beta1PredictorSpec(containers=[container], volumes=[keys], canary_traffic_percent=percent)
        return V1beta1InferenceService(
            api_version=constants.KSERVE_V1BETA1,
            kind=constants.KSERVE_KIND_INFERENCESERVICE,
            metadata=client.V1ObjectMeta(name=family, namespace=self._namespace, annotations={ANNOTATION: version}),
            spec=V1beta1InferenceServiceSpec(predictor=predictor),
        )


def _about(item: dict[str, Any]) -> dict[str, Any]:
    """An object's metadata."""
    found: dict[str, Any] = item.get("metadata") or {}
    return found

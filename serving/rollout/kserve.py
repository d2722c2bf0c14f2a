"""Splits traffic on a cluster: one InferenceService per family.

In KServe's Standard mode the canary is an entry of `spec.canary`, in Knative mode the latest revision with
`canaryTrafficPercent`. Either mode ignores the field of the other one, so a service in another mode is refused.
The tests check the requests to the Kubernetes API against a fake API server, and the objects against KServe's schema;
KServe's controller takes no part in them. On a cluster, failures of a canary reach clients: nothing retries on the
champion, as this package's Envoy does.
"""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.lake import Place
from features.records import shared
from features.settings import Settings
from serving.released.split import Split
from serving.rollout.inference_service import MODE, VERSION, InferenceServiceTemplate, Object
from serving.rollout.plan import CannotServe
from serving.rollout.request_attempts import RequestAttempts

if TYPE_CHECKING:
    from kubernetes.client import CustomObjectsApi

#: Seconds a version may take to come up: nodes may have to be started for it.
PATIENCE = 900.0
LOOK = 1.0
#: KServe's resource: group, version and plural.
GROUP, API, PLURAL = "serving.kserve.io", "v1beta1", "inferenceservices"
#: What earlier releases of KServe call the modes.
_MODES = {"RawDeployment": "Standard", "Serverless": "Knative"}


class NotOurs(ValueError):
    """A service with a family's name that adloop did not create, or in another deployment mode."""


def on_cluster(settings: Settings, namespace: str, address: Callable[[str, str], str]) -> "InferenceServices":
    """Connect to the cluster this process runs in, or the one in `~/.kube/config`. Raises `ConnectionError`.

    Args:
        address: `(family, version) -> s3://…`, the URI of the signed bundle.
    """
    from kubernetes.client import CustomObjectsApi
    from kubernetes.config import ConfigException, load_config

    if settings.records_uri is None:
        raise ValueError(
            "a canary on a cluster is judged by what its servers record, and they share that in S3 only: set "
            "ADLOOP_RECORDS_URI to an s3:// address, for the servers too"
        )
    try:
        load_config()
    except ConfigException as unknown:
        raise ConnectionError(
            f"releases go to KServe (ADLOOP_KSERVE_NAMESPACE={namespace}), but this is no pod of a cluster and "
            f"~/.kube/config names none: {unknown}"
        ) from unknown
    template = InferenceServiceTemplate(namespace, settings.server_image, settings.kserve_mode, address)
    return InferenceServices(CustomObjectsApi(), template, shared(settings))


class InferenceServices:
    """A `Traffic` of InferenceServices named after their families.

    Args:
        records: where the servers' records are read.
    """

    def __init__(self, client: "CustomObjectsApi", template: InferenceServiceTemplate, records: Place) -> None:
        self._client, self._template, self._records = client, template, records
        self._mode = template.mode
        self._attempts: dict[tuple[str, float], RequestAttempts] = {}

    def url(self, family: str) -> str:
        """The family's address, once it is ready: where the traffic is split.

        With Knative that is also the address inside the cluster, which a private cluster reaches. In Standard mode that
        one leads past the Gateway to the champion alone.
        """
        status = _status(self._get(family) or {})
        inside = (status.get("address") or {}).get("url") if self._mode == "Knative" else None
        url = inside or status.get("url")
        if not url:
            raise LookupError(f"the InferenceService '{family}' has no address yet: kubectl get isvc {family}")
        return str(url)

    def split(self, family: str, split: Split) -> None:
        """Make this the traffic, in the way of the deployment mode. Raises `NotOurs`."""
        there = self._ours(family)
        if there is None and split.canary is not None:  # as there is nothing that it could share traffic with
            self.split(family, Split(champion=split.champion))
            there = self._ours(family)
        if self._mode == "Standard":
            self._apply(family, self._template.standard(family, split), there)
        else:
            self._knative(family, split, there)
        self._wait(family, split)

    def attempts(self, family: str, since: float) -> pd.DataFrame:
        """Attempts from the request log. A missing server logs none, but then its version is not ready either."""
        if (family, since) not in self._attempts:
            self._attempts = {(family, since): RequestAttempts(self._records, family, since)}
        return self._attempts[family, since].seen()

    def close(self) -> None:
        """Leaves the services running."""

    def _knative(self, family: str, split: Split, there: Object | None) -> None:
        """Make the canary the latest revision with its share, or the champion with all of it."""
        latest = _annotations(there).get(VERSION, split.champion)
        if split.canary is None and latest != split.champion:  # a rollback is immediate; a new revision takes a while
            self._apply(family, self._template.knative(family, latest, 0), there)
        version, percent = (split.champion, 100) if split.canary is None else (split.canary, split.weight)
        self._apply(family, self._template.knative(family, version, percent), there)

    def _ours(self, family: str) -> Object | None:
        """The family's service; None where there is none yet. Raises `NotOurs`."""
        found = self._get(family)
        if found is None:
            return None
        where = f"the InferenceService '{family}' in the namespace {self._template.namespace}"
        if not _annotations(found).get(VERSION):
            raise NotOurs(
                f"{where} has no annotation {VERSION}, so adloop did not make it and leaves it alone: rename it, or "
                f"release in another namespace (ADLOOP_KSERVE_NAMESPACE)"
            )
        for mode in (_annotations(found).get(MODE), _status(found).get("deploymentMode")):
            if mode and _MODES.get(mode, mode) != self._mode:
                raise NotOurs(
                    f"{where} is in KServe's mode {mode}, in which a canary of mode {self._mode} would get all "
                    f"traffic: set ADLOOP_KSERVE_MODE={_MODES.get(mode, mode)}, or delete the service and release again"
                )
        return found

    def _apply(self, family: str, made: Object, there: Object | None) -> None:
        if there is None:
            self._ask(self._client.create_namespaced_custom_object, made)
        else:  # a merge patch removes what is null
            self._ask(
                self._client.patch_namespaced_custom_object, family, {**made, "spec": {"canary": None, **made["spec"]}}
            )

    def _get(self, family: str) -> Object | None:
        return self._ask(self._client.get_namespaced_custom_object, family)

    def _ask(self, call: Callable[..., Any], *about: Any) -> Object | None:
        """The answer of the Kubernetes API; None where there is no such service. Raises `ConnectionError`."""
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            found: Object = call(GROUP, API, self._template.namespace, PLURAL, *about)
        except ApiException as refused:
            if refused.status == 404 and call == self._client.get_namespaced_custom_object:
                return None
            said = _said(refused.body) or refused.reason
            raise ConnectionError(
                f"the Kubernetes API refuses InferenceServices in the namespace {self._template.namespace} "
                f"({refused.status}): {said}; infra/kubernetes/base/accounts.yaml has the role that a release needs"
            ) from refused
        except HTTPError as away:
            raise ConnectionError(f"the Kubernetes API does not answer: {away}") from away
        return found

    def _wait(self, family: str, split: Split) -> None:
        """Return once the split is in force. Raises `CannotServe`."""
        version = split.canary or split.champion
        deadline, reason = time.monotonic() + PATIENCE, "no status yet"
        while time.monotonic() < deadline:
            found = self._ours(family) or {}
            status = _status(found)
            if status.get("observedGeneration") == _about(found).get("generation"):
                ready: Object = next((one for one in status.get("conditions") or [] if one.get("type") == "Ready"), {})
                canary = _canary(status, split)
                if ready.get("status") == "True" and (self._mode == "Knative" or canary.get("ready")):
                    return
                failed = ((canary.get("modelStatus") or {}).get("lastFailureInfo") or {}).get("message")
                reason = failed or ready.get("message") or reason
                if failed or ready.get("reason") == "RevisionFailed":
                    break
            time.sleep(LOOK)
        raise CannotServe(version, reason)


def _canary(status: Object, split: Split) -> Object:
    """What KServe says of the canary in Standard mode; ready where the split has none."""
    if split.canary is None:
        return {"ready": True}
    said: list[Object] = status.get("canaryStatuses") or []
    return next((one for one in said if one.get("name") == f"v{split.canary}"), {})


def _said(body: Any) -> str:
    """The message of a `Status` of Kubernetes; empty for any other body."""
    try:
        return str(json.loads(body)["message"])
    except (TypeError, ValueError, KeyError):
        return ""


def _about(item: Object | None) -> dict[str, Any]:
    """An object's metadata."""
    return (item or {}).get("metadata") or {}


def _annotations(item: Object | None) -> dict[str, str]:
    return _about(item).get("annotations") or {}


def _status(item: Object) -> dict[str, Any]:
    return item.get("status") or {}

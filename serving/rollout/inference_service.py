"""The InferenceService of a family, from the template `family.yaml` beside this file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from features.settings import Mode
from features.yaml_file import from_yaml
from serving.released.split import Split

#: Annotations: the version that adloop made a service for, and KServe's deployment mode.
VERSION, MODE = "adloop/version", "serving.kserve.io/deploymentMode"
#: What Knative refuses of a pod and of its container: it scales, drains and spreads pods in its own way.
_NOT_IN_KNATIVE = (
    *("scaleMetric", "scaleTarget", "deploymentStrategy", "securityContext"),
    *("terminationGracePeriodSeconds", "topologySpreadConstraints"),
)
_NOT_IN_KNATIVE_CONTAINERS = ("lifecycle",)
#: What KServe refuses of a canary, which has its share of the champion's replicas.
_NOT_IN_CANARIES = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget")

Object = dict[str, Any]


@dataclass(frozen=True)
class InferenceServiceTemplate:
    """Fills the template.

    Args:
        image: the server image.
        address: `(family, version) -> s3://…`, the URI of the signed bundle.
    """

    namespace: str
    image: str
    mode: Mode
    address: Callable[[str, str], str]

    def knative(self, family: str, version: str, percent: int) -> Object:
        """`version` as the latest revision, with so many percent of the requests; the one before has the others."""
        made = self._filled(family, version)
        predictor = made["spec"]["predictor"]
        _drop(predictor, _NOT_IN_KNATIVE)
        _drop(predictor["containers"][0], _NOT_IN_KNATIVE_CONTAINERS)
        predictor["canaryTrafficPercent"] = percent
        return made

    def standard(self, family: str, split: Split) -> Object:
        """The champion, and a canary beside it where the split has one. A name a version: KServe promotes a canary
        without a restart when the predictor takes its name."""
        made = self._filled(family, split.champion)
        made["spec"]["predictor"]["name"] = f"v{split.champion}"
        if split.canary is not None:
            predictor = self._filled(family, split.canary)["spec"]["predictor"]
            _drop(predictor, _NOT_IN_CANARIES)
            predictor["name"] = f"v{split.canary}"
            made["spec"]["canary"] = [{"trafficPercent": split.weight, "predictor": predictor}]
        return made

    def _filled(self, family: str, version: str) -> Object:
        address = self.address(family, version)
        if not address.startswith("s3://"):
            raise ValueError(
                f"the bundle of {family} {version} is at {address}, where a cluster cannot fetch it: set "
                f"ADLOOP_ARTIFACTS_URI to an s3:// address, and train again"
            )
        about = {"family": family, "version": version, "address": address}
        made: Object = _fill(
            _template(), {**about, "namespace": self.namespace, "image": self.image, "mode": self.mode}
        )
        return made


@cache
def _template() -> Object:
    made: Object = from_yaml(Path(__file__).with_name("family.yaml").read_text())
    return made


def _fill(part: Any, values: dict[str, str]) -> Any:
    """A copy with the names in its texts replaced; a value cannot change the structure."""
    if isinstance(part, dict):
        return {name: _fill(one, values) for name, one in part.items()}
    if isinstance(part, list):
        return [_fill(one, values) for one in part]
    return Template(part).substitute(values) if isinstance(part, str) else part


def _drop(part: Object, names: Iterable[str]) -> None:
    for name in names:
        del part[name]

"""Sign a judged bundle and make it a version: a challenger if every gate let it through, rejected if not."""

from dataclasses import dataclass
from pathlib import Path

from features.settings import Settings
from models.registry import Registry


@dataclass(frozen=True)
class Registered:
    """A version in the registry: `accepted`, `released` or, for a reason, `rejected`."""

    family: str
    version: str
    status: str
    reason: str


def register(bundle: Path, evaluation: Path, settings: Settings) -> Registered:
    """Register `bundle` with the verdict in `evaluation`. The same bundle and verdict again are the same version."""
    version = Registry(settings).register(bundle, evaluation)
    return Registered(version.family, version.version, version.status, version.reason)

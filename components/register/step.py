"""Sign an evaluated bundle and register it: as challenger if it passed every gate, else as rejected."""

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
    """Register `bundle` with the result in `evaluation`. The same pair gives the same version."""
    version = Registry(settings).register(bundle, evaluation)
    return Registered(version.family, version.version, version.status, version.reason)

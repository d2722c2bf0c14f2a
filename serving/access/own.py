"""The owner's key: created at first use, sent by adloop's own commands."""

import os
from pathlib import Path

from filelock import FileLock

from features.settings import Settings
from serving.access import keys

NAME = "adloop"


def key(settings: Settings) -> str:
    """The key of adloop's own commands: `ADLOOP_API_KEY`, or the one in `path`, made where that lacks a scope.

    Raises `LookupError` where it cannot be created because the key file is read-only.
    """
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    place = path(settings)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(place.with_suffix(".lock"), mode=0o600):
        stored = place.read_text().strip() if place.exists() else ""
        if keys.Keys(settings).scopes(stored) == set(keys.SCOPES):
            return stored
        try:
            made = keys.make(settings, NAME, keys.SCOPES, 1e9)
        except OSError as denied:
            raise LookupError(f"cannot create adloop's own key ({denied}): set ADLOOP_API_KEY") from denied
        _write(place, made)
    return made


def header(settings: Settings) -> dict[str, str]:
    """Request header with the key."""
    return {"authorization": f"Bearer {key(settings)}"}


def path(settings: Settings) -> Path:
    """Path of the key's file, readable by its owner only."""
    return settings.home / "keys" / "own.key"


def _write(place: Path, made: str) -> None:
    new = place.with_name(f".{place.name}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(made + "\n")
    new.replace(place)

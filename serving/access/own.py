"""The key of this machine's owner: made when it is first needed, and sent by adloop's own commands."""

import os
from pathlib import Path

from filelock import FileLock

from features.settings import Settings
from serving.access import keys

NAME = "adloop"


def key(settings: Settings) -> str:
    """The key that adloop's own commands send: `ADLOOP_API_KEY`, or the one in `path`, made where it is not in force.

    Raises `LookupError` where it cannot be made, as the hashes lie where this machine may not write.
    """
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    place = path(settings)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(place.with_suffix(".lock"), mode=0o600):
        kept = place.read_text().strip() if place.exists() else ""
        if keys.Keys(settings).known(kept):
            return kept
        try:
            made = keys.make(settings, NAME, keys.SCOPES, 1e9)
        except OSError as denied:
            raise LookupError(f"no key of adloop's own can be made ({denied}): name one by ADLOOP_API_KEY") from denied
        _write(place, made)
    return made


def header(settings: Settings) -> dict[str, str]:
    """The key as the header of a request."""
    return {"authorization": f"Bearer {key(settings)}"}


def path(settings: Settings) -> Path:
    """Where it lies, readable by its owner only."""
    return settings.home / "keys" / "own.key"


def _write(place: Path, made: str) -> None:
    new = place.with_name(f".{place.name}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(made + "\n")
    new.replace(place)

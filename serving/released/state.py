"""State of a release on disk or in S3, from which an interrupted release resumes."""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from features.lake import Place, Remote
from features.records import AnyPlace
from serving.released.split import Split

log = logging.getLogger("adloop.rollout")


class Course(BaseModel):
    """A canary release in progress: its judged `steps`, and the reason why it `ended`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    champion: str
    started: float
    weight: int = 0
    steps: tuple[dict[str, Any], ...] = ()
    ended: str | None = None


class ReleaseState(BaseModel):
    """The intended traffic of a family, and its current release."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: str | None = None
    course: Course | None = None

    def split(self) -> Split | None:
        """The intended split."""
        if self.champion is None:
            return None
        if self.course is None or self.course.ended is not None or not self.course.weight:
            return Split(champion=self.champion)
        return Split(champion=self.champion, canary=self.course.version, weight=self.course.weight)


def path(home: AnyPlace, family: str) -> AnyPlace:
    return home / "rollout" / f"{family}.json"  # type: ignore[return-value]


def load(home: Place, family: str) -> ReleaseState:
    """The state; empty where nothing was released yet. A damaged one is set aside (in S3, replaced by the next): the
    registry knows the champion, and a release that was under way begins again."""
    file = path(home, family)
    try:
        return ReleaseState.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return ReleaseState()
    except ValidationError as damaged:
        log.error("%s is damaged and set aside, the champion gets all traffic: %s", file, damaged.errors()[0]["msg"])
        if isinstance(file, Path):
            with suppress(OSError):
                file.replace(file.with_suffix(".damaged"))
        return ReleaseState()


def standing(home: Place, family: str, champion: str) -> Split:
    """The current split: from the state if it is about this champion, else all traffic to the registry's champion."""
    split = load(home, family).split()
    return split if split is not None and split.champion == champion else Split(champion=champion)


def save(home: Place, family: str, state: ReleaseState) -> None:
    """Replace the state atomically."""
    file, written = path(home, family), state.model_dump_json(indent=1).encode()
    if isinstance(file, Remote):
        file.write_bytes(written)
    else:
        _replace(file, written)


def _replace(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    with new.open("wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    new.replace(file)

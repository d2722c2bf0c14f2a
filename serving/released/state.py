"""How far a release is, on disk: whoever runs it again goes on from there."""

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from serving.released.split import Split


class Course(BaseModel):
    """A canary on its way. `steps` are those that were judged; `ended` says why there will be no more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    champion: str
    started: float
    weight: int = 0
    steps: tuple[dict[str, Any], ...] = ()
    ended: str | None = None


class State(BaseModel):
    """What traffic of a family should be, and the course that is on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: str | None = None
    course: Course | None = None

    def split(self) -> Split | None:
        """The traffic this state asks for."""
        if self.champion is None:
            return None
        if self.course is None or self.course.ended is not None or not self.course.weight:
            return Split(champion=self.champion)
        return Split(champion=self.champion, canary=self.course.version, weight=self.course.weight)


def path(home: Path, family: str) -> Path:
    return home / "rollout" / f"{family}.json"


def load(home: Path, family: str) -> State:
    """The state; empty where nothing was released yet."""
    file = path(home, family)
    return State.model_validate_json(file.read_bytes()) if file.exists() else State()


def standing(home: Path, family: str, champion: str) -> Split:
    """Who is to answer now: as the state says of this champion; of another, the registry's champion alone."""
    split = load(home, family).split()
    return split if split is not None and split.champion == champion else Split(champion=champion)


def save(home: Path, family: str, state: State) -> None:
    """Replace the state, whole or not at all."""
    file = path(home, family)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    with new.open("wb") as written:
        written.write(state.model_dump_json(indent=1).encode())
        written.flush()
        os.fsync(written.fileno())
    new.replace(file)

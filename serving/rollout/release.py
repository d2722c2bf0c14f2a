"""Canary releases: step by step to full traffic, or rollback. The registry is updated at the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from filelock import FileLock

from features.lake import Place
from models.registry import REJECTED, Version
from serving.released import state
from serving.released.split import Split
from serving.released.state import Course, ReleaseState
from serving.rollout.plan import CannotServe, Plan, Traffic
from serving.rollout.step import RolloutStep

Outcome = Literal["first", "unchanged", "released", "rolled_back"]


class Aliases(Protocol):
    """The methods of the registry that a release uses (`models.registry.Registry`)."""

    def champion(self, family: str) -> Version | None: ...
    def previous(self, family: str) -> Version | None: ...
    def version(self, family: str, version: str) -> Version: ...
    def promote(self, family: str, version: str) -> Version: ...
    def reject(self, family: str, version: str, reason: str) -> Version: ...


@dataclass(frozen=True)
class Result:
    """The outcome of a release, and the record of each step."""

    outcome: Outcome
    reason: str
    course: list[dict[str, Any]] = field(default_factory=list)


class Release:
    """Releases versions of one family over one kind of traffic.

    Args:
        home: has the lock, as one process releases a family at a time.
        shared: has the state of the release and the records of the servers, see `features.records.shared`.
    """

    def __init__(self, family: str, traffic: Traffic, registry: Aliases, plan: Plan, home: Path, shared: Place) -> None:
        self.family, self.traffic, self.registry, self.plan = family, traffic, registry, plan
        self.home, self.shared = home, shared

    def run(self, version: str, during: Callable[[], None] = lambda: None) -> Result:
        """Release `version` against the champion. `during` is called at each poll and may raise.

        Can be killed at any point and run again: judged steps are kept, an interrupted step restarts, and decided
        outcomes are carried out.
        """
        with _alone(self.home, self.family):
            champion = self.registry.champion(self.family)
            stands = state.load(self.shared, self.family)
            course = stands.course if stands.course is not None and stands.course.version == version else None
            if champion is None:
                return self._first(version)
            if champion.version == version:
                if stands == ReleaseState(champion=version):
                    return Result("unchanged", f"version {version} is the champion already")
                return self._already(version, course)
            if course is None or course.champion != champion.version:
                refused = self.registry.version(self.family, version)
                if refused.status == REJECTED:
                    return Result("unchanged", f"version {version} was rejected: {refused.reason}")
                course = Course(version=version, champion=champion.version, started=time.time())
            return self._go_on(course, during)

    def _first(self, version: str) -> Result:
        self.traffic.split(self.family, Split(champion=version))
        self.registry.promote(self.family, version)
        self._save(version, None)
        return Result("first", "the first version: no champion to compare with")

    def _already(self, version: str, course: Course | None) -> Result:
        """Handle a version that is champion in the registry but not in the state: after a kill, or set by hand."""
        self.traffic.split(self.family, Split(champion=version))
        self._save(version, None)
        if course is not None and course.version == version:
            return Result("released", "better or equal at every step", list(course.steps))
        return Result("unchanged", f"version {version} is the champion already, and now gets all traffic")

    def _go_on(self, course: Course, during: Callable[[], None]) -> Result:
        for weight in self.plan.steps[len(course.steps) :]:
            if course.ended is not None:
                break
            course = self._step(course, weight, during)
        ended = course.ended or ""
        if ended:
            self.traffic.split(self.family, Split(champion=course.champion))
            if course.steps[-1]["verdict"] == "roll back":  # too few requests are no reason to reject
                self.registry.reject(self.family, course.version, f"canary: {ended}")
            self._save(course.champion, None)
            return Result("rolled_back", ended, list(course.steps))
        self.registry.promote(self.family, course.version)
        self.traffic.split(self.family, Split(champion=course.version))
        self._save(course.version, None)
        return Result("released", "better or equal at every step", list(course.steps))

    def _step(self, course: Course, weight: int, during: Callable[[], None]) -> Course:
        """Judge one step and save the verdict."""
        course = course.model_copy(update={"weight": weight})
        self._save(course.champion, course)
        try:
            self.traffic.split(self.family, Split(champion=course.champion, canary=course.version, weight=weight))
        except CannotServe as cannot:
            if cannot.version != course.version:
                raise
            record = {"weight": weight, "verdict": "roll back", "reason": str(cannot)}
        else:
            record = RolloutStep(self.family, self.traffic, self.plan, self.shared, course).watch(during)
        ended = record["reason"] if record["verdict"] != "go on" else None
        course = course.model_copy(update={"steps": (*course.steps, record), "ended": ended})
        self._save(course.champion, course)
        return course

    def _save(self, champion: str, course: Course | None) -> None:
        state.save(self.shared, self.family, ReleaseState(champion=champion, course=course))


def roll_back(family: str, move: Callable[[Split], None], registry: Aliases, home: Path, shared: Place) -> str:
    """Return to the previous champion and mark the current one rejected. Returns the restored version.

    `move` gives the previous champion the traffic first. Raises as it does, and `LookupError` without a previous
    champion.
    """
    with _alone(home, family):
        champion, previous = registry.champion(family), registry.previous(family)
        if champion is None or previous is None or previous.status == REJECTED:
            raise LookupError(f"{family}: no earlier champion to return to")
        move(Split(champion=previous.version))
        registry.promote(family, previous.version)
        registry.reject(family, champion.version, "rolled back by hand")
        state.save(shared, family, ReleaseState(champion=previous.version))
        return previous.version


def _alone(home: Path, family: str) -> FileLock:
    """Lock of a family's release; the kernel frees it when its holder dies."""
    lock = home / "rollout" / f"{family}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(lock)

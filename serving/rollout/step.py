"""One step of a release: polls until the canary has enough requests, then judges it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from features.lake import Place
from models import catalog
from models.evaluation.metrics import Metric
from models.family import Family
from serving.inference import outcomes, requests
from serving.records import export
from serving.released.state import Course
from serving.rollout import judge
from serving.rollout.decision_attempts import Attempts, spent
from serving.rollout.judge import LabelledAnswers, Side
from serving.rollout.plan import Plan, Traffic

#: Seconds between looks.
LOOK = 0.2
#: Seconds for answers and their outcomes to reach the log, and the copy of it in S3.
SETTLE, SETTLE_IN_S3 = 3 * requests.EVERY, 3 * export.EVERY_S


@dataclass
class RolloutStep:
    """The current step of `course`, starting now; `records` is where those of its servers are read."""

    family: str
    traffic: Traffic
    plan: Plan
    records: Place
    course: Course
    since: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self._decisions = Attempts(self.records, self.family, self.since)

    def watch(self, during: Callable[[], None]) -> dict[str, Any]:
        """Poll until there are enough requests, or the canary is significantly worse. Returns the step's record."""
        deadline = time.monotonic() + self.plan.step_timeout_s
        while True:
            during()
            canary, champion = self._sides()
            worse = judge.while_waiting(canary, champion, self.plan.tolerance)
            if worse is not None:
                return self._record(canary, champion, judge.CanaryVerdict("roll back", worse, {}))
            if min(canary.requests, champion.requests) >= self.plan.min_requests:
                time.sleep(SETTLE if isinstance(self.records, Path) else SETTLE_IN_S3)
                return self._judged()
            if time.monotonic() > deadline:
                reason = f"only {canary.requests} requests in {self.plan.step_timeout_s:g} s"
                return self._record(canary, champion, judge.CanaryVerdict("too few requests", reason, {}))
            time.sleep(LOOK)

    def _judged(self) -> dict[str, Any]:
        canary, champion = self._sides()
        family = catalog.family(self.family)
        metric = family.metrics[0]
        logged = requests.read(self.records, self.family, datetime.fromtimestamp(self.course.started, UTC))
        answered = logged[logged["status"] == 200]
        known = outcomes.joined(self.records, self.family, logged)
        versions = self.course.version, self.course.champion
        ours, theirs = (_answers(answered[answered["version"] == version], metric) for version in versions)
        mine, its = (_outcomes(known[known["version"] == version], family) for version in versions)
        bids = spent(self.records, self.family, self.course.started)
        money = bids[bids["version"] == versions[0]], bids[bids["version"] == versions[1]]
        verdict = judge.at_end(canary, champion, (ours, theirs), (mine, its), metric, self.plan.tolerance, money)
        return self._record(canary, champion, verdict)

    def _sides(self) -> tuple[Side, Side]:
        """Canary and champion. At full traffic, the champion's figures are those of the previous step."""
        served, decided = self.traffic.attempts(self.family, self.since), self._decisions.seen()
        seen = pd.concat([served, decided], ignore_index=True)
        canary = Side.of(seen[seen["version"] == self.course.version])
        champion = Side.of(seen[seen["version"] == self.course.champion])
        if self.course.weight == 100 and self.course.steps:
            champion = Side(**self.course.steps[-1]["champion"])
        return canary, champion

    def _record(self, canary: Side, champion: Side, verdict: judge.CanaryVerdict) -> dict[str, Any]:
        return {
            "weight": self.course.weight,
            "verdict": verdict.decision,
            "reason": verdict.reason,
            "canary": asdict(canary),
            "champion": asdict(champion),
            **verdict.figures,
        }


def _answers(logged: pd.DataFrame, metric: Metric) -> "pd.Series[Any]":
    """The output that the family's first metric judges; empty where only decisions were made."""
    return requests.answers(logged).get(metric.answer, pd.Series(dtype="float64"))


def _outcomes(known: pd.DataFrame, family: Family) -> LabelledAnswers:
    """The last answer of each entity, so that frequent requests have no extra weight; with request context, one per
    outcome."""
    once = ["entity_id", *(family.label if family.context else ())]
    named, unnamed = known[known["entity_id"].notna()], known[known["entity_id"].isna()]
    rows = pd.concat([named.drop_duplicates(once, keep="last"), unnamed], ignore_index=True)
    truth = rows.reindex(columns=list(family.label))
    return LabelledAnswers(truth, requests.answers(rows))

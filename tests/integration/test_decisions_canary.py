"""A release that only the decision endpoint has traffic for: its decisions are what the canary is judged on."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pandas as pd
import pytest
import yaml

from features.settings import Settings
from models import bundle
from models.registry import Registry
from serving.decisions.api.app import Backend
from serving.decisions.api.server import open_backend
from serving.decisions.kinds.bid import Auction
from serving.decisions.params import DecisionParams
from serving.decisions.predict.champions import released
from serving.decisions.records import Decision
from serving.decisions.state.store import CampaignSettings
from serving.released import state
from serving.released.split import Split
from serving.released.state import Course, ReleaseState
from serving.rollout.decision_attempts import COLUMNS
from serving.rollout.plan import Plan
from serving.rollout.release import Release, Result
from tests.integration import probe_endpoint as probe

ROOT = Path(__file__).parents[2]
PARAMS = DecisionParams.model_validate_json(json.dumps(yaml.safe_load((ROOT / "params.yaml").read_text())["decisions"]))
PLAN = Plan.model_validate(
    {
        "steps": [30, 100],
        "min_requests": 40,
        "step_timeout_s": 60,
        "tolerance": {"errors": 0.01, "latency_ratio": 2, "latency_floor_ms": 250, "shift": 0.2, "outcome": 0.0},
    }
)
numbers = count()


class Nobody:
    """Model servers that nobody asks."""

    def url(self, family: str) -> str:
        raise AssertionError("nobody asks")

    def split(self, family: str, split: Split) -> None:
        """The endpoint follows the state of the release by itself."""

    def attempts(self, family: str, since: float) -> pd.DataFrame:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)

    def close(self) -> None: ...


@pytest.fixture(scope="module", autouse=True)
def _probe() -> Iterator[None]:
    probe.install()
    yield
    probe.remove()


@pytest.fixture(scope="module")
def first(_probe: None, registry_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose champion is version 1."""
    made = Settings(home=shutil.copytree(registry_home, tmp_path_factory.mktemp("first") / "home"))
    register(probe.Bidder(), made)
    Release("bidder", Nobody(), Registry(made), PLAN, made.home, made.home).run("1")
    return made.home


@pytest.fixture
def settings(first: Path, tmp_path: Path) -> Settings:
    """A copy of that home."""
    return Settings(home=shutil.copytree(first, tmp_path / "home"))


def register(model: probe.Bidder, settings: Settings) -> str:
    """An accepted version of the real registry."""
    place = settings.home.parent / f"trained-{next(numbers)}"
    trained, evaluation = probe.write(place / "bundle", "bidder", model, settings), place / "evaluation"
    evaluation.mkdir()
    judged = {"bundle_digest": bundle.verify(trained, None), "passed": True, "metrics": {}, "gates": []}
    (evaluation / "evaluation.json").write_text(json.dumps(judged))
    (evaluation / "card.md").write_text("# Probe")
    return Registry(settings).register(trained, evaluation).version


def release(version: str, backend: Backend, settings: Settings, decisions: list[Decision]) -> Result:
    """Release it while the endpoint decides."""

    def during() -> None:
        told = {"predicted_ctr": 0.1}
        asked = [Auction(f"o{next(numbers)}", time.time(), "a", "c", features=told) for _ in range(25)]
        decisions.extend(asyncio.run(backend.decide.ask(asked)))

    return Release("bidder", Nobody(), Registry(settings), PLAN, settings.home, settings.home).run(version, during)


@pytest.mark.parametrize(("shift", "outcome"), [(0.1, "released"), (float("nan"), "rolled_back")])
def test_a_canary_is_judged_on_the_decisions_it_was_asked_for(settings: Settings, shift: float, outcome: str) -> None:
    version, decisions = register(probe.Bidder(shift), settings), list[Decision]()
    backend = open_backend(released(settings), PARAMS, 5, settings)
    try:
        backend.store.configure("a", "c", CampaignSettings(daily_limit=1e6))
        done = release(version, backend, settings, decisions)
    finally:
        backend.close()
    assert done.outcome == outcome, done
    champion = Registry(settings).champion("bidder")
    assert champion is not None and champion.version == (version if outcome == "released" else "1")
    assert done.course[0]["canary"]["requests"] >= (40 if outcome == "released" else 1)
    by_canary = [one for one in decisions if one.versions["bidder"] == version]
    assert len(by_canary) >= sum(step["canary"]["requests"] for step in done.course) > 0
    if outcome == "rolled_back":
        assert "errors" in done.reason
        assert {one.arm for one in by_canary} == {"fallback"}
        assert "fallback" not in {one.arm for one in decisions if one not in by_canary}


def test_a_canary_that_was_tampered_with_decides_nothing_and_keeps_nobody_from_starting(settings: Settings) -> None:
    version = register(probe.Bidder(0.1), settings)
    (Registry(settings).download("bidder", version) / "model" / "model.json").write_text('{"shift": 9.0}')
    course = Course(version=version, champion="1", started=time.time(), weight=50)
    state.save(settings.home, "bidder", ReleaseState(champion="1", course=course))
    backend = open_backend(released(settings), PARAMS, 5, settings)
    try:
        asked = [
            Auction(f"o{next(numbers)}", time.time(), "a", "c", features={"predicted_ctr": 0.1}) for _ in range(40)
        ]
        assert {one.versions["bidder"] for one in asyncio.run(backend.decide.ask(asked))} == {"1"}
    finally:
        backend.close()

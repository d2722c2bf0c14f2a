"""A simulated day of placements: the real model, endpoint and feedback; then its log is replayed and evaluated."""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.featurize.step import featurize
from components.train.step import train
from features.settings import Settings
from features.simulator.creatives import CreativeMarket
from features.sources import creative_market
from features.store import Online
from models.bundle import Bundle, open_bundle
from models.evaluation.policy_value import value_not_below_champion
from models.registry import Registry
from serving.decisions.kinds.creative import FAMILY
from serving.decisions.log.entry import Entry, read
from serving.decisions.params import read as params_of
from serving.decisions.rotation import rotations
from serving.experiments import challenge_creatives
from serving.experiments.replay import replay
from serving.experiments.simulation import placements, run
from serving.experiments.simulation.records import CreativeDay
from serving.monitoring import decided
from serving.records import reading
from tests.integration.small_market import PARAMS, judged
from tests.toyland import local

SMALL = {"components": 4, "trees": 5, "rounds": 20, "steps": 40}


@dataclass(frozen=True)
class Played:
    """A day that was played, its home, and what was logged."""

    settings: Settings
    day: CreativeDay
    entries: list[Entry]
    champion: Bundle

    @property
    def place(self) -> Path:
        return self.settings.home / "decisions"


@pytest.fixture(scope="module")
def played(registry_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    root = tmp_path_factory.mktemp("placements")
    settings = Settings(home=shutil.copytree(registry_home, root / "home"))
    written = yaml.safe_load(PARAMS.read_text())
    section: dict[str, Any] = {**written[FAMILY], **SMALL, "seed": written["seed"]}
    section["window"] = {**section["window"], "max_examples": 6000}
    (root / "tables").mkdir()
    creative_market.read(root / "tables")
    featurize(root / "tables", FAMILY, section, None, settings, root / "features")
    train(root / "features", FAMILY, section, root / "checkpoint", root / "bundle")
    registry = Registry(settings)
    version = registry.register(root / "bundle", judged(root / "bundle", root / "evaluation")).version
    registry.promote(FAMILY, version)
    with pytest.MonkeyPatch.context() as patch, run.endpoint(settings.home / "decisions", PARAMS, settings) as client:
        _wait_for_the_champion(client.url)
        patch.setattr(placements, "PLACEMENTS", 100)
        day = placements.play(client, CreativeMarket(creative_market.SEED), run.start(1), 5, version)
    entries = [read(written) for written in reading.records(settings.home / "decisions" / "log")]
    yield Played(settings, day, entries, open_bundle(registry.download(FAMILY, version), None))


def _wait_for_the_champion(url: str) -> None:
    """The endpoint answers without, where its models take long to load."""
    deadline = time.monotonic() + 200
    while local.get(f"{url}/health/ready", timeout=30).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_chosen_creatives_are_expected_to_be_clicked_more_than_those_of_an_equal_rotation(played: Played) -> None:
    day = played.day
    assert day.placements == len(played.entries) == 100 * len(day.rates) and len(day.rates) >= 8
    assert day.against_equal.value is not None and day.against_equal.low is not None and day.against_equal.low > 1
    assert day.of_best.value is not None and 0.5 < day.of_best.value < 1
    assert day.arms["policy"] > 6 * day.arms["baseline"] > 0 and set(day.arms) == {"policy", "baseline"}


def test_features_looked_up_online_are_in_the_record_of_the_chosen_one(played: Played) -> None:
    for one in played.entries[:50]:
        assert one.predictions.features["headline"] and not one.predictions.inputs
        assert one.predictions.answers == one.predictions.candidates[one.decision.target]
        assert set(one.decision.propensities) == set(one.opportunity.candidates)  # type: ignore[attr-defined]


def test_it_is_replayed_bit_for_bit(played: Played) -> None:
    again = replay(played.place / "log")
    assert (again.count, again.differing, again.faults) == (len(played.entries), 0, ())


def test_a_customer_mostly_keeps_a_creative(played: Played) -> None:
    shown = Counter((one.opportunity.customer_id, one.decision.target) for one in played.entries)
    often = Counter(one.opportunity.customer_id for one in played.entries)
    kept = [
        max(count for (who, _), count in shown.items() if who == one) / many for one, many in often.items() if many > 2
    ]
    assert sum(kept) / len(kept) > 0.75


def test_what_came_of_it_is_counted_and_judges_the_model(played: Played) -> None:
    asked = decided.read(played.settings.home, FAMILY)
    labels = decided.outcomes(played.settings.home, FAMILY, asked)
    assert len(asked) == len(labels) == len(played.entries)
    assert labels["ctr"].sum() == played.day.clicks > 0
    found = rotations(played.place, params_of(PARAMS)[0].creatives, run.start(1) + 86_400)
    assert sum(one.impressions for one in found) == len(played.entries) and not any(one.reason for one in found)


def test_the_champion_as_its_own_challenger_is_as_good_and_one_that_is_wrong_is_not(played: Played) -> None:
    online = Online(played.settings)
    version = played.day.version
    asked = played.place, version, played.champion, played.champion, online, 3
    verdict = challenge_creatives.judge(value_not_below_champion, *asked)
    assert verdict.passed and abs(verdict.figures["gain"]) < 1e-4, verdict.reason
    with pytest.raises(LookupError, match="no outcomes yet"):
        challenge_creatives.judge(value_not_below_champion, played.place, "77", *asked[2:])

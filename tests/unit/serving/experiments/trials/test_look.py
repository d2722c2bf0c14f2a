from collections import Counter
from datetime import date

import pandas as pd
import pytest

from features.schema import Schema
from features.settings import Settings
from serving.decisions.feedback import Feedback, Observed
from serving.decisions.log.writer import DecisionLog
from serving.decisions.state.sqlite import SqliteStore
from serving.experiments.trials.experiment import Arm
from serving.experiments.trials.look import look
from serving.experiments.trials.registry import ExperimentRegistry
from tests.unit.serving.decisions.logged import PARAMS, decided
from tests.unit.serving.experiments.trials.made import experiment

#: The day of the first decisions that are logged here.
DAY = date(2023, 11, 14)
#: Decisions up to the last click, which came five seconds after its own.
KNOWN = 596
ENGINE = {
    "name": "engine",
    "metric": "click",
    "arms": (Arm(name="baseline", share=0.1), Arm(name="policy", share=0.9)),
    "started_on": DAY,
    "planned_on": DAY,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """600 decisions, each 10 with a click, as an endpoint keeps them."""
    home = tmp_path_factory.mktemp("home")
    place = home / "decisions"
    feedback = Feedback(place / "feedback.db", SqliteStore(place / "state.db", PARAMS), PARAMS)
    log = DecisionLog(place / "log", PARAMS, feedback.expect)
    for at in range(600):
        log.append(*decided(at))
    log.close()
    made = [decided(at)[4] for at in range(0, 600, 10)]
    feedback.take(
        [Observed(f"{one.decision_id}", "ours", one.decision_id, "click", one.decided_at + 5) for one in made]
    )
    feedback.close()
    return home


def test_decisions_are_judged_by_the_arm_they_were_drawn_for(home):
    arms = Counter(decided(at)[4].arm for at in range(KNOWN))
    found = look(experiment(**ENGINE), None, Schema(), Settings(home=home))
    assert {arm.name: arm.units for arm in found.arms} == {name: arms[name] for name in ("baseline", "policy")}
    assert found.verdict.word == "withheld"
    assert ExperimentRegistry(Settings(home=home)).findings() == [found]


def test_one_campaigns_decisions_may_be_judged_alone(home):
    arms = Counter(decided(at)[4].arm for at in range(0, KNOWN, 3))
    found = look(experiment(**ENGINE, campaign_id="campaign 0"), None, Schema(), Settings(home=home))
    assert found.arms[1].units == arms["policy"]


def test_decisions_before_the_start_do_not_count(home):
    later = {**ENGINE, "started_on": date(2023, 11, 20)}
    with pytest.raises(LookupError, match="no exposure from 2023-11-20, when it started"):
        look(experiment(**later), None, Schema(), Settings(home=home), pd.Timestamp("2023-11-30"))


def test_other_arms_than_those_logged_are_told(home):
    with pytest.raises(LookupError, match="no decision of the arms A, B has known outcomes"):
        look(experiment(**ENGINE | {"arms": experiment().arms}), None, Schema(), Settings(home=home))


def test_without_a_log_the_data_are_asked_for(tmp_path):
    with pytest.raises(LookupError, match=r"no decision is logged.*--data DIR"):
        look(experiment(**ENGINE), None, Schema(), Settings(home=tmp_path))

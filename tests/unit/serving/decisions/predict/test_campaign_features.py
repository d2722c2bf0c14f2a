"""What a bidder reads of a campaign's standing: the state's word first, then the caller's, then an estimate."""

import numpy as np

from serving.decisions.kinds.bid import Auction
from serving.decisions.predict import campaign_features
from serving.decisions.predict.feature_matrix import Columns, FeatureMatrix
from serving.decisions.records import Spend, State

NAMES = (
    *("budget", "left", "target_cpc", "hour", "weekday", "auctions", "remaining", "recent_cost", "pacing_debt"),
    "auctions_7d",
)
#: Six in the evening of the first Thursday there was.
EVENING = 18 * 3600.0
STATE = State(campaign=Spend(60.0, 60.0, reserved=10.0, daily_limit=100.0, limit=65.0, returning=6.0), target_cpc=2.0)


def told(state: State, **said: float) -> dict[str, float]:
    """The columns, 1400 auctions having come in the last week."""
    matrix = FeatureMatrix(Columns((name, "float64") for name in NAMES), 1)
    matrix.know("auctions_7d", np.array([1400.0]))
    asked = [Auction("o", EVENING, "a", "c", features=said)]
    matrix.say(asked)
    campaign_features.insist(matrix, [state])
    campaign_features.estimate(matrix, asked, [state])
    return {name: float(matrix.column(name)[0]) for name in NAMES}


def test_what_nobody_says_is_estimated_from_clock_spend_and_last_week() -> None:
    found = told(STATE)
    assert (found["hour"], found["weekday"]) == (18, 3)
    assert (found["auctions"], found["remaining"]) == (200, 50)
    assert found["recent_cost"] == 64 / 150
    assert found["pacing_debt"] == (0.75 - 0.64) * 150 / 2


def test_the_hour_is_that_of_the_campaigns_clock() -> None:
    columns = Columns([("hour", "float64"), ("weekday", "float64"), ("zone", "object")])
    matrix, names = FeatureMatrix(columns, 4), ["America/Los_Angeles", "Pacific/Auckland", None, "Mars/Olympus"]
    matrix.texts["zone"][:] = names
    campaign_features.estimate(matrix, [Auction("o", EVENING, "a", "c")] * 4, [STATE] * 4)
    assert matrix.column("hour").tolist() == [10, 6, 18, 18]
    assert matrix.column("weekday").tolist() == [3, 4, 3, 3]
    assert matrix.texts["zone"] == [*names[:3], None] and matrix.faults[:3] == [[], [], []]
    assert matrix.faults[3] == ["feature 'zone': expected an IANA time zone, got 'Mars/Olympus'"]


def test_money_is_as_the_state_expects_it_whatever_a_caller_says() -> None:
    found = told(STATE, budget=1e6, left=1e6, target_cpc=1e6)
    assert (found["budget"], found["left"], found["target_cpc"]) == (100, 1, 2)


def test_what_a_caller_says_of_the_day_is_not_estimated() -> None:
    found = told(STATE, auctions=400.0, remaining=300.0, hour=3.0, pacing_debt=-1.0)
    assert (found["auctions"], found["remaining"], found["hour"], found["pacing_debt"]) == (400, 300, 3, -1)
    assert found["recent_cost"] == 64 / 100


def test_a_store_that_knows_nothing_leaves_the_callers_word_and_gaps() -> None:
    found = told(State(known=False), budget=50.0)
    assert found["budget"] == 50
    assert np.isnan(found["left"]) and np.isnan(found["pacing_debt"])

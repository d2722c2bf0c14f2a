"""From rows to bids: alike in a trial and in a request, in today's prices, and never above what is left."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.bidding import frame, training
from models.bidding.fit import CANDIDATES, best
from models.bidding.model import BiddingModel, trial
from models.inputs import InvalidRows
from tests.unit.models.bidding.campaigns import PARAMS, split


def test_rows_become_episodes_again_whatever_stands_between(rows: pd.DataFrame, model: BiddingModel) -> None:
    test = split(rows, "test")
    mixed = test.sort_values(["remaining", "episode"], ascending=[False, True], kind="stable")
    pd.testing.assert_frame_equal(trial(model, mixed).loc[test.index], trial(model, test))
    with pytest.raises(ValueError, match="expected 20 auctions in each"):
        frame.episodes(test.iloc[1:])


def test_a_trial_bids_as_a_request_with_the_same_history_would(rows: pd.DataFrame, model: BiddingModel) -> None:
    """The examples' own history is that of the pacing policy: played by it, both must bid alike."""
    steady = rows.assign(auctions_7d=0.0)
    test = split(steady, "test")
    pd.testing.assert_frame_equal(trial(model, test), model.predict(test), rtol=1e-6)


def test_bids_follow_prices_up(rows: pd.DataFrame, model: BiddingModel) -> None:
    """All money doubled is the same market in another coin."""
    test, money = split(rows, "test").assign(auctions_7d=1e12), ["budget", "left", "recent_cost", "price_7d"]
    doubled = test.assign(**{name: test[name] * 2 for name in money})
    assert model.predict(doubled)["bid"].to_numpy() == pytest.approx(2 * model.predict(test)["bid"].to_numpy())


def test_a_campaign_that_was_not_learnt_is_paced_by_its_bare_budget(rows: pd.DataFrame, model: BiddingModel) -> None:
    test = split(rows, "test").assign(campaign_id="unheard of", market_price=1.0)
    assert model.predict(test)["bid"].to_numpy() == pytest.approx((test["left"] / test["remaining"]).to_numpy())
    mixed = pd.concat([test.head(3), split(rows, "test").head(3)], ignore_index=True)
    both = pd.concat([model.predict(test.head(3)), model.predict(split(rows, "test").head(3))], ignore_index=True)
    pd.testing.assert_frame_equal(model.predict(mixed), both)


def test_no_bid_is_above_what_is_left(rows: pd.DataFrame, model: BiddingModel) -> None:
    poor = split(rows, "test").assign(left=lambda rows: rows["left"] * 1e-4)
    assert (model.predict(poor)["bid"] <= poor["left"]).all()
    for unknown in ("left", "remaining"):  # nobody knows what there is, or for how many auctions
        assert (model.predict(poor.assign(**{unknown: np.nan}))["bid"] == 0).all()


@pytest.mark.parametrize(
    ("name", "value"), [("left", "much"), ("hour", True), ("budget", np.inf), ("price_7d", "dear"), ("campaign_id", 7)]
)
def test_a_value_that_cannot_be_is_named(name: str, value: object, rows: pd.DataFrame, model: BiddingModel) -> None:
    with pytest.raises(InvalidRows, match=f"'{name}'"):
        model.predict(split(rows, "test").head(3).assign(**{name: value}))


def test_the_drivers_of_a_bid_are_what_is_unusual(rows: pd.DataFrame, model: BiddingModel) -> None:
    usual = split(rows, "train").query("campaign_id == 'dear'")["predicted_value"].median()
    row = split(rows, "test").query("campaign_id == 'dear'").head(1)
    (drivers,) = model.explain(row.assign(predicted_value=usual * 50))["top_drivers"]
    assert drivers[0]["feature"] == "predicted_value" and drivers[0]["effect"] > 0


def test_the_best_of_what_was_held_out_is_shipped_and_a_stopped_fit_goes_on(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, valid = split(rows, "train"), split(rows, "valid")
    model = training.fit(train, valid, PARAMS, tmp_path)
    won = json.loads((tmp_path / training.WON).read_text())
    assert list(won) == list(CANDIDATES) and model.about.policy == best(won)

    def never(data: object) -> object:
        raise AssertionError("chosen again")

    monkeypatch.setattr(training, "held_out", never)
    again = training.fit(train, valid, PARAMS, tmp_path)
    pd.testing.assert_frame_equal(again.predict(valid), model.predict(valid))
    (tmp_path / training.WON).write_text(json.dumps(won | {"linear": [1e9] * len(won["linear"])}))
    assert training.fit(train, valid, PARAMS, tmp_path).about.policy == "linear"

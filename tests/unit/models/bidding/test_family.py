"""From a log to examples, from examples to bids, and from bids to figures and verdicts, all by hand count."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.tables import Tables
from models.bidding import frame, training
from models.bidding.examples import by_budget, examples
from models.bidding.fit import CANDIDATES, RATIOS
from models.bidding.metrics import METRICS, TOTALS
from models.bidding.model import BiddingModel, trial
from models.bidding.params import BiddingParams
from models.bidding.verdicts import never_overspends, value_is_calibrated
from models.evaluation import bootstrap
from models.evaluation.gates import Evidence
from models.family import InvalidRows

LENGTH, DAILY, DAYS = 20, 50, 40
SECTION = {
    "seed": 3,
    "window": {"horizon_days": 7, "step_days": 1, "min_history_days": 14},
    "goal": "clicks",
    "auctions": LENGTH,
    "rounds": 1,
    "episodes": 2,
    "steps": 5,
}
PARAMS = BiddingParams.read(SECTION)


def log(seed: int = 0) -> pd.DataFrame:
    """Two campaigns of other prices over forty days."""
    rng = np.random.default_rng(seed)
    parts = []
    for campaign, price in (("cheap", 10.0), ("dear", 50.0)):
        count = DAILY * DAYS
        chance = rng.gamma(1, 0.1, count).clip(0.001, 0.9)
        seconds = np.sort(rng.integers(0, DAYS * 86400, count))
        parts.append(
            pd.DataFrame(
                {
                    "campaign_id": campaign,
                    "occurred_at": pd.Timestamp("2024-03-01") + pd.to_timedelta(seconds, unit="s"),
                    "market_price": np.round(price * rng.gamma(2, 0.5, count), 2),
                    "click": (rng.random(count) < chance).astype(float),
                    "predicted_ctr": chance,
                }
            )
        )
    return pd.concat(parts)


def tables(rows: pd.DataFrame, folder: Path) -> Tables:
    rows.to_parquet(folder / "auctions.parquet", index=False, coerce_timestamps="us")
    return Tables(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return examples(tables(log(), tmp_path_factory.mktemp("log")), PARAMS)


@pytest.fixture(scope="module")
def rows(made: pd.DataFrame) -> pd.DataFrame:
    """The examples with what the feature service would know: prices as they are."""
    price = made.groupby("campaign_id")["market_price"].transform("mean")
    return made.assign(price_7d=price, auctions_7d=float(DAILY * 7))


def split(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return rows[rows["split"] == name].reset_index(drop=True)


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> BiddingModel:
    """The policy that the examples' own history was played by: pacing as train alone tells the market."""
    train = split(rows, "train")
    return training.baseline("pacing")(train, train.head(0), PARAMS, tmp_path_factory.mktemp("checkpoint"))


def test_episodes_are_whole_and_lie_in_one_split(made: pd.DataFrame) -> None:
    of_episode = made.groupby("episode")
    assert (of_episode.size() == LENGTH).all()
    for name in ("split", "campaign_id", "event_timestamp", "budget"):
        assert (of_episode[name].nunique() == 1).all()
    assert (of_episode["remaining"].first() == LENGTH).all() and (of_episode["remaining"].last() == 1).all()


def test_splits_follow_time_and_what_is_known_is_of_the_night_before(tmp_path: Path) -> None:
    made = examples(tables(log(), tmp_path), PARAMS, cutoff="2024-03-30")
    moments = made.groupby("split")["event_timestamp"].agg(["min", "max"])
    assert moments.loc["train", "max"] < pd.Timestamp("2024-03-23") == moments.loc["valid", "min"]
    assert moments.loc["valid", "max"] < pd.Timestamp("2024-03-30") == moments.loc["test", "min"]
    assert (made["event_timestamp"] == made["event_timestamp"].dt.normalize()).all()


def test_nothing_later_than_as_of_is_an_example(tmp_path: Path) -> None:
    given = tables(log(), tmp_path)
    early = examples(given, PARAMS, as_of="2024-04-01")
    assert early["event_timestamp"].max() < pd.Timestamp("2024-04-01")
    assert len(early) < len(examples(given, PARAMS))


def test_a_history_too_short_says_by_how_much(tmp_path: Path) -> None:
    short = log()[lambda rows: rows["occurred_at"] < "2024-03-20"]
    with pytest.raises(ValueError, match=r"history is 9\.0 days too short for 14 days"):
        examples(tables(short, tmp_path), PARAMS)


def test_conversions_need_their_values(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs conversion_value and predicted_value"):
        examples(tables(log(), tmp_path), BiddingParams.read({**SECTION, "goal": "conversions"}))


def test_conversions_are_bought_by_their_value(tmp_path: Path) -> None:
    rows = log()
    rows["conversion_value"], rows["predicted_value"] = rows["click"] * 8, rows["predicted_ctr"] * 8
    made = examples(tables(rows, tmp_path), BiddingParams.read({**SECTION, "goal": "conversions"}))
    assert (made["value"] == made["click"] * 8).all() and made["value"].any()
    assert made["predicted_value"].mean() == pytest.approx(rows["predicted_ctr"].mean() * 8, rel=0.05)


def test_a_replay_without_time_keeps_its_own_episodes(tmp_path: Path) -> None:
    rows = log().drop(columns="occurred_at")
    rows["episode"] = rows.groupby("campaign_id").cumcount() // 40
    short = BiddingParams.read({**SECTION, "window": {"horizon_days": 1, "step_days": 1, "min_history_days": 1}})
    long = pd.concat([rows.assign(episode=rows["episode"] + 100 * part) for part in range(3)])
    made = examples(tables(long.sort_values("campaign_id", kind="stable"), tmp_path), short)
    assert (made.groupby("episode").size() == 40).all()
    assert made["episode"].nunique() == len(long) // 40, "no episode is left out"


def test_every_budget_comes_up_in_every_split(made: pd.DataFrame) -> None:
    price = split(made, "train").groupby("campaign_id")["market_price"].mean()
    ratio = made["budget"] / LENGTH / made["campaign_id"].map(price)
    assert set(ratio.round(6)) == {round(one, 6) for one in RATIOS}
    assert ratio.groupby(made["split"]).nunique().eq(len(RATIOS)).all()


def test_hindsight_buys_the_cheapest_clicks_and_stays_within_the_budget(made: pd.DataFrame) -> None:
    bought = made[made["optimal"] > 0]
    assert (bought["click"] == 1).all() and len(bought) > 20
    cost = bought.groupby("episode")["market_price"].sum()
    assert (cost <= made.groupby("episode")["budget"].first()[cost.index]).all()
    missed = made[(made["click"] == 1) & (made["optimal"] == 0)]
    dearest = bought.groupby("episode")["market_price"].max()
    assert (missed["market_price"] >= missed["episode"].map(dearest).fillna(0)).all()


def test_situations_differ_by_budget_alone(made: pd.DataFrame) -> None:
    test, learnt = split(made, "test"), split(made, "train")
    told = by_budget(test, learnt)
    assert list(told) == ["1/32", "1/16", "1/8", "1/4"]
    changed = ["budget", "optimal", "price_in_pace"]
    for rows in told.values():
        pd.testing.assert_frame_equal(rows.drop(columns=changed), test.drop(columns=changed))
    assert (told["1/4"]["budget"] / told["1/32"]["budget"]).to_numpy() == pytest.approx(8)
    assert told["1/4"]["optimal"].sum() > told["1/32"]["optimal"].sum()


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
    assert (model.predict(poor.assign(left=np.nan))["bid"] == 0).all()


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


TRUTH = pd.DataFrame(
    {
        "episode": [0, 0, 1, 1],
        "market_price": [2.0, 4.0, 1.0, 9.0],
        "click": [1.0, 0.0, 1.0, 1.0],
        "value": [1.0, 0.0, 1.0, 1.0],
        "optimal": [1.0, 0.0, 1.0, 0.0],
        "price_in_pace": [0.5, 1.0, 0.25, 2.25],
    }
)
ANSWERS = pd.DataFrame({"bid": [2.0, 5.0, 0.5, 9.0], "expected_value": [0.5, 0.5, 1.0, 1.0]})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("share_of_hindsight", 2 / 2),
        ("value_per_spend", 1000 * 2 / 3.75),
        ("clicks_per_mille", 500),
        ("win_rate", 3 / 4),
        ("budget_use", 3.75 / 4),
        ("clicks", 2),
        ("cost", 15),
        ("wins", 3),
    ],
)
def test_figures_by_hand(name: str, expected: float) -> None:
    metric = next(metric for metric in (*METRICS, *TOTALS) if metric.name == name)
    assert metric.measure(TRUTH, ANSWERS) == pytest.approx(expected)
    # An episode drawn twice is its rows twice.
    first = [0, 1, 0, 1]
    twice = TRUTH.iloc[first].assign(episode=[0, 0, 1, 1])
    drawn = metric.resample(TRUTH, ANSWERS, np.array([[2.0, 0.0]]))
    assert drawn[0] == pytest.approx(metric.measure(twice, ANSWERS.iloc[first]))


def test_no_bid_wins_nothing_even_at_no_price() -> None:
    free, none = TRUTH.assign(market_price=0.0), ANSWERS.assign(bid=0.0)
    assert METRICS[3].measure(free, none) == 0


def test_intervals_are_over_episodes(rows: pd.DataFrame, model: BiddingModel) -> None:
    """Rows that hang together say less than their number: a hundred copies of an episode are one episode."""
    test = split(rows, "test")
    answers = trial(model, test)
    copies = pd.concat([test] * 4, ignore_index=True), pd.concat([answers] * 4, ignore_index=True)
    one = bootstrap.interval(METRICS[3], test[list(frame.LABEL)], answers, 1)
    four = bootstrap.interval(METRICS[3], *copies, 1)
    assert (one.low, one.high) == pytest.approx((four.low, four.high))
    assert one.low < one.value < one.high


def evidence(truth: pd.DataFrame, answers: pd.DataFrame) -> Evidence:
    return Evidence(truth, truth, answers, answers, None, truth, METRICS[0], (), 1)


def test_spending_more_than_the_budget_is_refused(rows: pd.DataFrame, model: BiddingModel) -> None:
    test = split(rows, "test")
    truth, answers = test[list(frame.LABEL)], trial(model, test)
    passed = never_overspends(evidence(truth, answers))
    assert passed.passed and passed.figures["most"] > 0.5
    refused = never_overspends(evidence(truth, answers.assign(bid=1e9)))
    assert not refused.passed and refused.figures["over"] > 0


def test_values_that_do_not_come_true_are_refused(rows: pd.DataFrame, model: BiddingModel) -> None:
    test = split(rows, "test")
    truth, answers = test[list(frame.LABEL)], trial(model, test)
    assert value_is_calibrated(evidence(truth, answers)).passed
    assert not value_is_calibrated(evidence(truth, answers.assign(expected_value=answers["expected_value"] * 3))).passed


def test_the_best_of_what_was_held_out_is_shipped_and_a_stopped_fit_goes_on(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, valid = split(rows, "train"), split(rows, "valid")
    model = training.fit(train, valid, PARAMS, tmp_path)
    won = json.loads((tmp_path / training.WON).read_text())
    assert set(won) == set(CANDIDATES) and won[model.about.policy] == max(won.values()) > 0

    def never(lesson: object) -> object:
        raise AssertionError("chosen again")

    monkeypatch.setattr(training, "held_out", never)
    again = training.fit(train, valid, PARAMS, tmp_path)
    pd.testing.assert_frame_equal(again.predict(valid), model.predict(valid))
    (tmp_path / training.WON).write_text(json.dumps(won | {"linear": 1e9}))
    assert training.fit(train, valid, PARAMS, tmp_path).about.policy == "linear"

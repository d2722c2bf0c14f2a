"""What a model has learnt of a market with planted effects."""

from pathlib import Path

import market
import numpy as np
import pandas as pd
import pytest

from components.frame import Frame
from features.simulator.creatives import START
from models.creative import FAMILY
from models.creative.metrics import METRICS
from models.creative.model import CreativeModel
from models.evaluation.gates import Evidence
from models.inputs import InvalidRows

MARKET = market.MARKET


@pytest.fixture(scope="module")
def test(frame: Frame) -> pd.DataFrame:
    return frame.split("test")


def days(test: pd.DataFrame) -> pd.Series:
    """Days since the market's start: windows begin on Mondays."""
    return (test["event_timestamp"] - START).dt.days + test["weekday"].astype(int)


def unseen(test: pd.DataFrame, headline: str, **changed: object) -> pd.DataFrame:
    """A creative that nothing is known of but its text, in a context of a known campaign."""
    row = test.iloc[[0]].copy()
    history = [
        name for name in row if name.startswith(("shown_", "ctr_", "conversion_lift", "engagement_lift", "cpc_"))
    ]
    row[history] = np.nan
    return row.assign(headline=headline, creative_id="unheard of", **changed)


def test_rates_are_nearer_to_the_truth_than_the_campaigns_history(
    model: CreativeModel, frame: Frame, test: pd.DataFrame
):
    truth = MARKET.click_rate(test["creative_id"], test["channel"], test["audience"], days(test))
    naive = next(iter(FAMILY.baselines.values()))
    plain = naive(frame.split("train"), frame.split("valid"), FAMILY.params.read(market.SECTION), Path())
    own, other = (np.log(one.predict(test)["ctr"] / truth) for one in (model, plain))
    assert (own**2).mean() < 0.6 * (other**2).mean()


def test_planted_effects_of_texts_are_found_in_their_order(model: CreativeModel, test: pd.DataFrame) -> None:
    """A number and an emotional word help, a question hurts, whatever the campaign."""
    plain, number, emotional, question = (
        model.predict(unseen(test, headline))["ctr"].item()
        for headline in (
            "Discover current city trips",
            "Discover 10 current city trips",
            "Discover amazing city trips",
            "Looking for current city trips?",
        )
    )
    assert question < plain < min(number, emotional)


def test_a_topic_is_worth_more_to_its_audience(model: CreativeModel, test: pd.DataFrame) -> None:
    def ratio(headline: str) -> float:
        old, young = (model.predict(unseen(test, headline, audience=who))["ctr"].item() for who in ("55+", "18-34"))
        return old / young

    assert ratio("Discover regular pension plans") > 1.2 * ratio("Discover regular running shoes")


def test_an_unseen_creative_gets_a_sensible_rate_and_a_wide_interval(model: CreativeModel, test: pd.DataFrame) -> None:
    known = model.predict(test.nlargest(20, "shown_expected_clicks"))
    new = model.predict(unseen(test, "Something else altogether", campaign_id="never seen"))
    width = (known["ctr_high"] / known["ctr_low"]).mean()
    assert new["ctr_high"].item() / new["ctr_low"].item() > 1.2 * width
    assert (new["ctr"] * new["ctr_strength"]).item() < (known["ctr"] * known["ctr_strength"]).min()
    assert known["ctr"].min() / 3 < new["ctr"].item() < 3 * known["ctr"].max()


def test_answers_hold_together(model: CreativeModel, test: pd.DataFrame) -> None:
    answers = model.predict(test)
    assert set(answers) == model.says
    for name in ("ctr", "conversion_rate", "engagement", "cpc"):
        assert (answers[f"{name}_low"] < answers[name]).all() and (answers[name] < answers[f"{name}_high"]).all()
    assert (answers.filter(regex="strength") > 0).all(axis=None)


def test_columns_are_answered_as_the_frame(model: CreativeModel, frame: Frame, test: pd.DataFrame) -> None:
    rows = test[frame.columns].head(50)
    texts = {name: [one if isinstance(one, str) else None for one in rows[name]] for name in rows.select_dtypes(object)}
    numbers = {name: rows[name].to_numpy(dtype=float) for name in rows if name not in texts}
    found = model.answer_columns(lambda name: numbers.get(name, np.full(len(rows), np.nan)), texts)
    pd.testing.assert_frame_equal(pd.DataFrame(found, index=rows.index), model.predict(rows))


def test_some_answers_alone_are_the_same_to_the_bit(model: CreativeModel, frame: Frame, test: pd.DataFrame) -> None:
    rows = test[frame.columns].head(50)
    whole, asked = model.predict(rows), {"ctr", "ctr_strength", "conversion_rate"}
    alone = model.only(asked).predict(rows)
    assert asked <= set(alone) and not {"engagement", "cpc"} & set(alone)
    pd.testing.assert_frame_equal(alone, whole[list(alone)], check_exact=True)


def test_the_better_of_two_is_told_with_a_probability_that_holds(model: CreativeModel, test: pd.DataFrame) -> None:
    """Of pairs in one campaign and context that are told apart with 85%, say, so many truly are the better ones."""
    where = {"channel": "feed", "audience": "35-54", "weekday": 2}
    by = test.loc[(test[list(where)] == pd.Series(where)).all(axis=1)].reset_index(drop=True)
    truth = MARKET.click_rate(by["creative_id"], "feed", "35-54", days(by))
    first, second = np.nonzero(np.triu(by["campaign_id"].to_numpy()[:, None] == by["campaign_id"].to_numpy(), 1))
    said, won = model.beats(by.iloc[first], by.iloc[second]), truth[first] > truth[second]
    sure = np.maximum(said, 1 - said)
    right = won == (said > 0.5)
    for low, high in ((0.6, 0.9), (0.9, 1.0)):
        band = (sure >= low) & (sure < high)
        assert band.sum() > 30
        assert right[band].mean() == pytest.approx(sure[band].mean(), abs=0.1)
    assert np.allclose(model.beats(by.head(3), by.tail(3)) + model.beats(by.tail(3), by.head(3)), 1)
    with pytest.raises(ValueError, match="got 2 and 1"):
        model.beats(by.head(2), by.head(1))


def test_explanations_name_what_the_creative_has_done(model: CreativeModel, test: pd.DataFrame) -> None:
    best = test.loc[[(test["ctr_lift"] * (test["shown_clicks"] > 50)).idxmax()]]
    drivers = {one["feature"]: one["effect"] for one in model.explain(best)["top_drivers"].item()}
    assert drivers["history"] > 0.2


def test_an_output_without_outcomes_is_left_out_and_the_gates_say_so(log: pd.DataFrame, tmp_path: Path) -> None:
    clicks = log.drop(columns=["conversions", "spend"])
    frame = market.frame_of(tmp_path, clicks.astype(dict.fromkeys(["impressions", "clicks", "engagements"], float)))
    (tmp_path / "checkpoint").mkdir()
    model = market.fitted(frame, tmp_path / "checkpoint", trees=3, rounds=10, steps=20)
    test = frame.split("test")
    answers = model.predict(test)
    assert not [name for name in answers if name.startswith(("conversion_rate", "cpc"))]
    assert {"ctr", "engagement"} <= set(answers)
    truth = test[list(FAMILY.label)]
    evidence = Evidence(test, truth, answers, {"naive": answers}, None, test, METRICS[0], (), 1, FAMILY.outcomes)
    said = [gate(evidence).reason for gate in FAMILY.gates[5:8]]
    assert "left out" in said[0] and "left out" in said[2] and "left out" not in said[1]


def test_a_wrong_text_is_named(model: CreativeModel, test: pd.DataFrame) -> None:
    with pytest.raises(InvalidRows, match="headline"):
        model.predict(test.head(2).assign(headline=7))

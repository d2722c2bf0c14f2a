"""Models that are asked together: what fails is left out and said, and spoils nothing beside it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.packed.reader import Vectors
from features.store import OnlineStoreUnavailable
from serving.decisions.kinds import bid, campaign, retention
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.campaign import Review
from serving.decisions.kinds.kind import Kind, Need
from serving.decisions.kinds.retention import CustomerAtRisk
from serving.decisions.predict.feature_matrix import Columns, FeatureMatrix
from serving.decisions.predict.features import PAUSE_S, Features
from serving.decisions.predict.predictor import BundlePredictor
from serving.decisions.predict.predictors import Predictors
from serving.decisions.rebuild import from_json, to_json
from serving.decisions.records import Opportunity, Predictions, State


@dataclass(frozen=True)
class Said:
    """A predictor that answers by a function of its matrix."""

    family: str
    columns: Mapping[str, str]
    says: frozenset[str]
    answer: Callable[[FeatureMatrix], Mapping[str, Any]]
    service: str | None = None
    version: str = "1"

    def bound(self, columns: Columns, answers: Collection[str]) -> Callable[[FeatureMatrix], Mapping[str, Any]]:
        return self.answer


def column(matrix: FeatureMatrix, name: str) -> Any:
    return matrix.numbers[:, matrix.columns.floats[name]]


def doubled(matrix: FeatureMatrix) -> Mapping[str, Any]:
    x = column(matrix, "x")
    if (x == 13).any():
        raise RuntimeError("thirteen")
    return {"predicted_ctr": np.where(x == 7, np.inf, 2 * x)}


CLICKS = Said("clicks", {"x": "float64"}, frozenset({"predicted_ctr"}), doubled)
BIDDER = Said(
    "a_bidder",
    {"predicted_ctr": "float64"},
    frozenset({"policy_bid"}),
    lambda matrix: {"policy_bid": column(matrix, "predicted_ctr") + 1},
)


def together(*models: Said, kind: Kind = bid.KIND, entity: str = "customer_id", **more: Any) -> Predictors:
    """The predictors of a kind that needs all that these say, each answer by its own name."""
    needs = {name: Need(one.family, name, entity) for one in models for name in one.says}
    return Predictors(replace(kind, needs=needs, **more), {one.family: one for one in models})


def asked(x: Any, customer: str | None = None, **more: Any) -> Opportunity:
    return Auction("o", 1.0, "a", "c", customer_id=customer, features={"x": x}, **more)


def answers(predictors: Predictors, opportunities: list[Opportunity], features: Features) -> list[Predictions]:
    asked = predictors.ask(opportunities, features)
    return predictors.predict(opportunities, [State() for _ in opportunities], asked)


class Looks:
    """A model of a picture's vector: the sum of its numbers."""

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"predicted_ctr": [np.nan if one is None else float(sum(one)) for one in rows["looks"]]})


def looking() -> Predictors:
    """The predictors of a kind that needs what `Looks` answers."""
    about = SimpleNamespace(family="ads", columns={"looks": "object"}, inputs={"looks": "vector"}, feature_service=None)
    rows = pd.DataFrame({"looks": [[1.0, 2.0]]})
    predictor = BundlePredictor(SimpleNamespace(manifest=about, model=Looks(), reference=lambda: rows), "1")
    predictor.service = "s"
    needs = {"predicted_ctr": Need("ads", "predicted_ctr", "customer_id")}
    return Predictors(replace(bid.KIND, needs=needs), {"ads": predictor})


class Away:
    """An online store that fails so many times."""

    def __init__(self, times: int) -> None:
        self.times, self.asked = times, 0

    def ask(self, service: str, ids: Any) -> Any:
        found = self.vectors(service, ids)
        return lambda: found

    def vectors(self, service: str, ids: Any) -> Any:
        self.asked += 1
        if self.asked <= self.times:
            raise OnlineStoreUnavailable("the online store does not answer")

        class Reader:
            columns = ("y", "x", "flag")

        numbers = np.array([[1.0, 5.0, 1.0] if one == "known" else [np.nan] * 3 for one in ids])
        known = [one == "known" for one in ids]
        looks = [[1.0, 2.0] if one else None for one in known]
        return Reader, Vectors(numbers, {"plan": ["gold"] * len(ids)}, np.array(known), {"looks": looks})


def test_who_reads_anothers_answer_is_asked_after_it() -> None:
    predictors = together(BIDDER, CLICKS)
    (said,) = answers(predictors, [asked(2)], Features(Away(0)))
    assert (said.answers.get("predicted_ctr"), said.answers.get("policy_bid"), said.faults) == (4.0, 5.0, ())
    assert said.versions == {"clicks": "1", "a_bidder": "1"}


def test_a_line_that_breaks_a_model_or_has_no_finite_answer_spoils_no_other() -> None:
    predictors = together(CLICKS, BIDDER)
    fine, broken, strange = answers(predictors, [asked(2), asked(13), asked(7)], Features(Away(0)))
    assert (fine.answers.get("predicted_ctr"), fine.answers.get("policy_bid"), fine.faults) == (4.0, 5.0, ())
    assert broken.answers.get("predicted_ctr") is None and broken.answers.get("policy_bid") is None
    assert broken.faults[0] == "clicks 1 failed: RuntimeError: thirteen"
    assert strange.answers.get("predicted_ctr") is None
    assert strange.faults[0] == "clicks 1: predicted_ctr is not a finite number"


class Rates:
    """A model of columns, whose answers are the column `x` and have any names."""

    beside = ()

    def __init__(self, *says: str) -> None:
        self.says = frozenset(says)

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(dict.fromkeys(self.says, rows["x"]))

    def answer_columns(self, column: Callable[[str], Any], texts: Any) -> Mapping[str, Any]:
        return dict.fromkeys(self.says, column("x"))


class SelectiveRates(Rates):
    def only(self, answers: Collection[str]) -> Rates:
        return Rates(*self.says.intersection(answers))


@pytest.mark.parametrize(("model", "told"), [(Rates, {"ctr", "cpc"}), (SelectiveRates, {"ctr"})])
def test_a_model_that_can_choose_is_asked_for_what_is_needed_alone(model: type[Rates], told: set[str]) -> None:
    about = SimpleNamespace(family="ads", columns={"x": "float64"}, inputs={"x": "number"}, feature_service=None)
    rows = pd.DataFrame({"x": [1.0]})
    predictor = BundlePredictor(SimpleNamespace(manifest=about, model=model("ctr", "cpc"), reference=lambda: rows), "1")
    matrix = FeatureMatrix(Columns(predictor.columns.items()), 1)
    assert predictor.says == {"ctr", "cpc"}
    assert set(predictor.bound(matrix.columns, ["ctr"])(matrix)) == told


def test_what_a_caller_says_comes_over_what_the_store_has() -> None:
    served = Said("clicks", {"x": "float64"}, frozenset({"predicted_ctr"}), doubled, service="s")
    predictors = together(served)
    own, stored, new, nobody = answers(
        predictors, [asked(3, "known"), asked(None, "known"), asked(None, "new"), asked(None)], Features(Away(0))
    )
    assert (own.answers.get("predicted_ctr"), stored.answers.get("predicted_ctr")) == (6.0, 10.0)
    assert not own.faults and not stored.faults
    assert "not a finite number" in new.faults[0] and "not a finite number" in nobody.faults[0]


def test_a_vector_comes_from_the_store_or_the_caller_and_is_told_as_read() -> None:
    own = Auction("o", 1.0, "a", "c", customer_id="known", features={"looks": [4.0, 4.0, 4.0]})
    told, stored, new = answers(looking(), [own, asked(None, "known"), asked(None, "new")], Features(Away(0)))
    assert [one.answers.get("predicted_ctr") for one in (told, stored, new)] == [12.0, 3.0, None]
    assert [one.features for one in (told, stored, new)] == [{"looks": [4.0] * 3}, {"looks": [1.0, 2.0]}, {}]
    assert from_json(Predictions, to_json(stored)).features == stored.features


def test_features_are_asked_for_before_the_state_is_loaded_and_waited_for_once() -> None:
    told: list[str] = []

    class Waits(Away):
        def ask(self, service: str, ids: Any) -> Any:
            told.append(f"asked for {ids}")
            found = super().ask(service, ids)
            return lambda: (told.append("waited"), found())[1]

    served = Said("clicks", {"x": "float64"}, frozenset({"predicted_ctr"}), doubled, service="s")
    predictors, ask = together(served), [asked(None, "known"), asked(None, "new"), asked(None, "known")]
    features = predictors.ask(ask, Features(Waits(0)))
    assert told == ["asked for ['known', 'new']"]
    said = predictors.predict(ask, [State() for _ in ask], features)
    assert told[1:] == ["waited"]
    assert [one.answers.get("predicted_ctr") for one in said] == [10.0, None, 10.0]


def test_features_are_read_by_what_the_service_is_of_and_each_once() -> None:
    read: list[list[str]] = []

    class Remembers(Away):
        def vectors(self, service: str, ids: Any) -> Any:
            read.append(ids)
            return super().vectors(service, ids)

    served = Said("clicks", {"x": "float64"}, frozenset({"predicted_ctr"}), doubled, "s")
    asks = [Auction(f"o{place}", 1.0, "a", name) for place, name in enumerate(["new", "known", "new", "known"])]
    said = answers(together(served, entity="campaign_id"), asks, Features(Remembers(0)))
    assert read == [["new", "known"]]
    assert [one.answers.get("predicted_ctr") for one in said] == [None, 10.0, None, 10.0]


def test_a_customer_who_is_asked_about_must_be_known() -> None:
    churn = Said(
        "churn",
        {"y": "float64"},
        frozenset({"churn_probability"}),
        lambda s: {"churn_probability": column(s, "y")},
        "s",
    )
    known, new = answers(
        Predictors(retention.KIND, {"churn": churn, "clicks": CLICKS}),
        [CustomerAtRisk("o", 1.0, "a", "c", customer_id=name) for name in ("known", "new")],
        Features(Away(0)),
    )
    assert (known.answers.get("churn_probability"), known.answers.get("predicted_ctr"), known.faults) == (1.0, None, ())
    assert new.faults[0] == "customer 'new' is not in the online store"


def test_a_store_that_is_away_is_said_and_not_waited_for_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("serving.decisions.predict.features.monotonic", lambda: now)
    served = Said("clicks", {"x": "float64"}, frozenset({"predicted_ctr"}), doubled, service="s")
    online = Away(1)
    predictors, features = together(served), Features(online)
    away, anonymous = answers(predictors, [asked(2, "known"), asked(2)], features)
    assert away.faults == ("the online store does not answer",) and anonymous.faults == ()
    assert away.answers.get("predicted_ctr") == 4.0
    (paused,) = answers(predictors, [asked(2, "known")], features)
    assert paused.faults == ("the online store failed a moment ago",)
    assert online.asked == 1
    now += PAUSE_S
    (back,) = answers(predictors, [asked(2, "known")], features)
    assert back.faults == ()


@pytest.mark.parametrize(
    ("columns", "value", "fault"),
    [
        ({"x": "float64"}, "soon", "feature 'x': expected a finite number, got 'soon'"),
        ({"x": "float64"}, True, "feature 'x': expected a finite number, got 'True'"),
        ({"x": "bool"}, 1, "feature 'x': expected true or false, got '1'"),
        ({"x": "object"}, 3, "feature 'x': expected text, got 3"),
        ({"x": "object"}, [3.0], "feature 'x': expected text, got [3.0]"),
        ({"x": "vector"}, 3, "feature 'x': expected a list of numbers, got 3"),
        ({"x": "float64"}, [3.0], "feature 'x': expected a finite number, got '[3.0]'"),
    ],
)
def test_a_feature_of_the_wrong_type_is_named(columns: dict[str, str], value: Any, fault: str) -> None:
    one = Said("clicks", columns, frozenset({"predicted_ctr"}), lambda s: {"predicted_ctr": np.zeros(len(s.numbers))})
    (said,) = answers(together(one), [asked(value)], Features(Away(0)))
    assert said.faults == (fault,)


def test_a_look_at_a_campaign_asks_no_model() -> None:
    look = Review("o", 1.0, "a", "c", features={"x": 13})
    (said,) = answers(Predictors(campaign.KIND, {"clicks": CLICKS}), [look], Features(Away(0)))
    assert (said.versions, said.faults) == ({}, ())


def test_answers_of_one_name_by_two_families_are_two_answers() -> None:
    says = frozenset({"value"})
    families = {"ltv": 2, "scores": 3}
    ltv, scores = (Said(name, {"x": "float64"}, says, partial(_times, times)) for name, times in families.items())
    needs = {"value": Need("ltv", "value", "customer_id"), "score": Need("scores", "value", "customer_id")}
    both = Predictors(replace(bid.KIND, needs=needs), {"ltv": ltv, "scores": scores, "clicks": CLICKS})
    (said,) = answers(both, [asked(5)], Features(Away(0)))
    assert said.answers == {"value": 10.0, "score": 15.0}
    assert said.versions == {"ltv": "1", "scores": "1"}


def _times(times: float, matrix: FeatureMatrix) -> Mapping[str, Any]:
    return {"value": times * column(matrix, "x")}


def test_an_entity_that_a_request_has_no_field_for_fails_nothing() -> None:
    served = Said("clicks", {"x": "float64"}, frozenset({"predicted_ctr"}), doubled, service="s")
    (said,) = answers(together(served, entity="placement_id"), [asked(2, "known")], Features(Away(0)))
    assert (said.answers, said.faults) == ({"predicted_ctr": 4.0}, ())


def test_an_answer_that_a_version_does_not_give_is_a_fault_unless_it_is_optional() -> None:
    needs = {"rate": Need("clicks", "predicted_ctr", ""), "worth": Need("clicks", "worth", "", optional=True)}
    (said,) = answers(Predictors(replace(bid.KIND, needs=needs), {"clicks": CLICKS}), [asked(5)], Features(Away(0)))
    assert (said.answers, said.faults) == ({"rate": 10.0}, ())
    needs["worth"] = Need("clicks", "worth", "")
    (said,) = answers(Predictors(replace(bid.KIND, needs=needs), {"clicks": CLICKS}), [asked(5)], Features(Away(0)))
    assert said.answers == {} and said.faults == ("clicks 1 failed: KeyError: 'worth'",)

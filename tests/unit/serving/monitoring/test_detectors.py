"""Both sets of detectors alike: what drifts is found in its column alone; what must move with time is no alarm, what
stands still or breaks is one."""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest

from features.movement import GROWS, clock
from serving.monitoring.coding import CATEGORIES, Coding
from serving.monitoring.detector import Detector, Expected, detector, usual
from serving.monitoring.stability import psi

KINDS = ("alibi", "scipy")
MOVING = Expected({"year_sin": clock(-1, 1), "tenure": GROWS, "orders": GROWS})


def rows(count: int, seed: int, days: float = 0.0) -> pd.DataFrame:
    """Customers of a world that stays as it is, so many days later."""
    rng = np.random.default_rng(seed)
    tenure = rng.uniform(1, 400, count) + days
    frame = pd.DataFrame(
        {
            "year_sin": np.sin(2 * np.pi * (50 + days) / 365.25),
            "tenure": tenure,
            "orders": rng.poisson(tenure / 20) + 1.0,
            "recency": rng.exponential(20, count),
            "returns_28d": np.where(rng.random(count) < 0.03, rng.lognormal(2, 0.4, count), 0.0),
            "horizon": 28.0,
            "plan": rng.choice(["basic", "gold", None], count, p=[0.6, 0.3, 0.1]),
            "opted_in": rng.random(count) < 0.7,
            "source": "web",
            "untold": np.nan,
            "unsaid": None,
        }
    )
    frame["gap"] = np.where(rng.random(count) < 0.2, np.nan, rng.gamma(2, 10, count))
    return frame


@cache
def usual_detector(kind: str) -> Detector:
    return detector(kind, rows(2000, 1), 0.01, 0.1, MOVING)


def moved(kind: str, window: pd.DataFrame, reference: pd.DataFrame | None = None) -> dict[str, str]:
    watch = usual_detector(kind) if reference is None else detector(kind, reference, 0.01, 0.1, MOVING)
    return {name: drift.why for name, drift in watch.detect(window).items() if drift.drifted}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("days", [0, 45, 90, 250])
def test_time_alone_is_no_alarm(kind: str, days: int) -> None:
    assert moved(kind, rows(1000, 2, days)) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_clock_and_an_age_that_are_not_declared_would_alarm(kind: str) -> None:
    found = detector(kind, rows(2000, 1), 0.01, 0.1).detect(rows(1000, 2, 90))
    assert found["year_sin"].drifted and found["tenure"].drifted


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", rows(10, 1).columns)
def test_a_column_that_goes_missing_is_an_alarm(kind: str, column: str) -> None:
    window = rows(1000, 2, 60)
    expected = {} if column in ("untold", "unsaid") else {column: pytest.approx}
    for nothing in (None, np.nan):
        assert set(moved(kind, window.assign(**{column: nothing}))) == set(expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("column", "factor"),
    [
        *product(["tenure", "orders", "recency", "returns_28d", "horizon", "gap"], [100, 0.01, 24]),
        *product(["year_sin"], [100, 24]),  # a hundredth of a sine is a sine
    ],
)
def test_another_unit_is_an_alarm(kind: str, column: str, factor: float) -> None:
    window = rows(1000, 2, 60)
    assert set(moved(kind, window.assign(**{column: window[column] * factor}))) == {column}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("column", "value"),
    [("recency", 12.0), ("returns_28d", 0.0), ("plan", "gold"), ("opted_in", True), ("orders", 3.0), ("gap", 5.0)],
)
def test_a_column_that_stands_still_is_an_alarm(kind: str, column: str, value: object) -> None:
    assert set(moved(kind, rows(1000, 2, 60).assign(**{column: value}))) == {column}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("column", "value"), [("horizon", 30.0), ("horizon", 27.9), ("source", "app"), ("untold", 1.0), ("unsaid", "yes")]
)
def test_a_column_that_never_varied_and_does_is_an_alarm(kind: str, column: str, value: object) -> None:
    drift = usual_detector(kind).detect(rows(1000, 2).assign(**{column: value}))[column]
    assert drift.drifted and drift.psi > 1 and drift.p_value < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_new_values_are_an_alarm_though_they_are_few(kind: str) -> None:
    window = rows(1000, 2)
    window.loc[:19, "plan"] = "platinum"
    assert moved(kind, window) == {"plan": "new values: 2%"}


@pytest.mark.parametrize("kind", KINDS)
def test_names_that_are_rarely_the_same_are_no_news(kind: str) -> None:
    rng = np.random.default_rng(5)
    cities = [f"city {number}" for number in (3000 * rng.power(0.3, 4000)).astype(int)]
    reference, window = (rows(2000, seed).assign(city=part) for seed, part in ((1, cities[:2000]), (2, cities[2000:])))
    assert moved(kind, window, reference) == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("before", "now"), [(0.0, 0.05), (0.2, 0.35), (0.3, 0.0), (0.9, 0.5)])
def test_another_share_of_missing_values_is_an_alarm(kind: str, before: float, now: float) -> None:
    frames = [rows(2000, 1), rows(1000, 2)]
    for seed, (share, frame) in enumerate(zip((before, now), frames, strict=True)):
        frame.loc[np.random.default_rng(seed).random(len(frame)) < share, ["recency", "tenure"]] = np.nan
    assert {"recency", "tenure"} <= set(moved(kind, frames[1], frames[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_values_in_other_types_are_no_alarm(kind: str) -> None:
    window = rows(1000, 2)
    told = window.assign(
        opted_in=window["opted_in"].astype(float),
        orders=window["orders"].astype("int64"),
        horizon=28,
        recency=window["recency"].astype(object),
        untold=None,
    )
    told.loc[5, "opted_in"] = np.nan
    assert moved(kind, told) == {}
    assert moved(kind, window.assign(opted_in=window["opted_in"].astype(object))) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_that_became_texts_are_missing_and_no_crash(kind: str) -> None:
    assert moved(kind, rows(1000, 2).assign(recency="n/a")) == {"recency": "missing: 0% to 100%"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_of_nothing_is_all_missing(kind: str) -> None:
    window = rows(300, 2)
    found = moved(kind, pd.DataFrame(None, index=window.index, columns=window.columns, dtype=object))
    assert set(found) == set(window.columns) - {"untold", "unsaid"}


@pytest.mark.parametrize("kind", KINDS)
def test_false_alarms_of_unmoved_rows_stay_below_the_threshold(kind: str) -> None:
    watch = detector(kind, rows(2000, 1), 0.01, 0.0, MOVING)
    alarms = sum(any(drift.drifted for drift in watch.detect(rows(250, seed)).values()) for seed in range(100, 160))
    assert alarms <= 4  # 0.6 are expected at most; more than 4 have a chance below 1 in 1000


@pytest.mark.parametrize("kind", KINDS)
def test_what_always_moved_so_far_is_no_news_and_more_is(kind: str) -> None:
    """A column nobody declared anything of: the reference is of a year in which it went up every month."""
    reference, before, after = (pd.DataFrame({"level": np.random.default_rng(s).normal(m, 1, 2000)})
                                for s, m in ((1, 0.0), (2, -0.5), (3, 0.5)))  # fmt: skip
    expected = Expected(usual=usual(reference, [before], {}))
    assert detector(kind, reference, 0.01, 0.1).detect(after)["level"].drifted
    assert not detector(kind, reference, 0.01, 0.1, expected).detect(after)["level"].drifted
    assert detector(kind, reference, 0.01, 0.1, expected).detect(after * 4)["level"].drifted


def buyers(count: int, seed: int, recency: float = 30.0, card: float = 0.4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    spend = rng.lognormal(3, 1, count)
    spend[rng.random(count) < 0.2] = np.nan
    return pd.DataFrame(
        {
            "recency": rng.exponential(recency, count),
            "orders": rng.poisson(4, count),
            "spend": spend,
            "card": rng.random(count) < card,
            "region": rng.choice(["north", "south", "east", None], count, p=[0.5, 0.3, 0.1, 0.1]),
            "top_drivers": [[{"feature": "recency", "effect": 1.0}]] * count,
        }
    )


@pytest.mark.parametrize("kind", KINDS)
def test_unmoved_rows_do_not_drift(kind):
    found = detector(kind, buyers(2000, 1), threshold=0.01, min_psi=0.1).detect(buyers(1000, 2))
    assert set(found) == {"recency", "orders", "spend", "card", "region"}
    assert not any(drift.drifted for drift in found.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", ["recency", "card", "spend", "region"])
def test_planted_drift_is_found_in_its_column_alone(kind, column):
    window = buyers(1000, 2, recency=60.0 if column == "recency" else 30.0, card=0.7 if column == "card" else 0.4)
    if column == "spend":
        window["spend"] = np.nan  # a feature that stopped coming in
    if column == "region":
        window["region"] = window["region"].replace("south", "overseas")
    found = detector(kind, buyers(2000, 1), threshold=0.01, min_psi=0.1).detect(window)
    assert [name for name, drift in found.items() if drift.drifted] == [column]


def test_both_sets_agree():
    reference, window = buyers(2000, 1), buyers(1000, 3, recency=40.0, card=0.5)
    alibi, scipy = (detector(kind, reference, 0.01, 0.1).detect(window) for kind in KINDS)
    for name in scipy:
        assert alibi[name].statistic == pytest.approx(scipy[name].statistic, rel=1e-5)
        assert alibi[name].p_value == pytest.approx(scipy[name].p_value, rel=1e-4, abs=1e-30)
        assert alibi[name].drifted == scipy[name].drifted


def test_false_alarms_stay_below_the_threshold():
    watch = detector("scipy", buyers(2000, 1), threshold=0.05, min_psi=0.0)
    alarms = sum(any(d.drifted for d in watch.detect(buyers(300, seed)).values()) for seed in range(100, 200))
    assert alarms <= 11  # 5 expected, more than 11 has a chance below 1%


def test_a_sure_but_small_shift_is_no_drift():
    watch = detector("scipy", buyers(20_000, 1), threshold=0.01, min_psi=0.1)
    drift = watch.detect(buyers(20_000, 2, recency=32.0))["recency"]
    assert drift.p_value < 0.001 and not drift.drifted


def test_a_column_that_is_not_logged_is_named():
    watch = detector("scipy", buyers(500, 1), threshold=0.01, min_psi=0.1)
    with pytest.raises(KeyError, match="orders"):
        watch.detect(buyers(500, 2).drop(columns="orders"))


def test_rare_categories_are_pooled():
    names = pd.DataFrame({"city": [f"city {place % 200}" for place in range(2000)]})
    coded = Coding.of(names).encode(names)
    assert len(np.unique(coded)) == CATEGORIES + 1


def test_psi_matches_its_definition():
    reference, window = np.repeat([0.0, 1.0], [600, 400]), np.repeat([0.0, 1.0], [300, 700])
    p, q = np.array([600.5, 400.5]) / 1001, np.array([300.5, 700.5]) / 1001
    assert psi(reference, window, categorical=True) == pytest.approx(float(np.sum((q - p) * np.log(q / p))))
    assert psi(reference, reference, categorical=True) == 0.0

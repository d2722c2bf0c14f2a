from pathlib import Path

import lifetimes
import numpy as np
import pandas as pd
import pytest
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter

from models.ltv.btyd import BgNbd, GammaGamma

# The package's own loaders need a module that setuptools no longer has.
DATA = Path(lifetimes.__file__).parent / "datasets"


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    """The tenth of CDNOW that the papers fit: 39 weeks of calibration, in weeks."""
    return pd.read_csv(DATA / "cdnow_customers_summary.csv").astype(float)


@pytest.fixture(scope="module")
def fitted(sample: pd.DataFrame) -> BgNbd:
    return BgNbd.fit(*arrays(sample))


def arrays(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(frame[name].to_numpy(dtype=float) for name in ("frequency", "recency", "T"))


def test_bg_nbd_finds_the_published_estimates(fitted: BgNbd) -> None:
    found = [fitted.r, fitted.alpha, fitted.a, fitted.b]

    assert found == pytest.approx([0.243, 4.414, 0.793, 2.426], rel=0.005)  # Fader, Hardie and Lee (2005), table 2


def test_expectations_are_those_of_lifetimes(sample: pd.DataFrame, fitted: BgNbd) -> None:
    peer = BetaGeoFitter()
    peer.params_ = pd.Series({"r": fitted.r, "alpha": fitted.alpha, "a": fitted.a, "b": fitted.b})
    x, t_x, age = arrays(sample)

    purchases = peer.conditional_expected_number_of_purchases_up_to_time(39.0, x, t_x, age)
    assert fitted.purchases(x, t_x, age, np.full(len(x), 39.0)) == pytest.approx(purchases, rel=1e-6)
    assert fitted.alive(x, t_x, age) == pytest.approx(peer.conditional_probability_alive(x, t_x, age), rel=1e-6)


def test_the_modified_bg_nbd_is_that_of_lifetimes(sample: pd.DataFrame) -> None:
    x, t_x, age = arrays(sample)
    peer = ModifiedBetaGeoFitter().fit(x, t_x, age)

    found = BgNbd.fit(x, t_x, age, modified=True)

    assert [found.r, found.alpha, found.a, found.b] == pytest.approx(peer.params_[["r", "alpha", "a", "b"]], rel=0.005)
    peer.params_ = pd.Series({"r": found.r, "alpha": found.alpha, "a": found.a, "b": found.b})
    purchases = peer.conditional_expected_number_of_purchases_up_to_time(39.0, x, t_x, age)
    assert found.purchases(x, t_x, age, np.full(len(x), 39.0)) == pytest.approx(purchases, rel=1e-6)
    assert found.alive(x, t_x, age) == pytest.approx(peer.conditional_probability_alive(x, t_x, age), rel=1e-6)
    assert (found.alive(x, t_x, age)[x == 0] < 1).all()


@pytest.mark.parametrize("modified", [False, True])
def test_histories_choose_whether_the_first_purchase_may_be_the_last(modified: bool) -> None:
    """Customers drawn by the definition: after each purchase, or each from the second on, some leave."""
    customers, most, rng = 20_000, 60, np.random.default_rng(3)
    rate, leaving = rng.gamma(1.0, 1 / 20, (customers, 1)), rng.beta(1.5, 3, (customers, 1))
    age = rng.uniform(100, 200, customers)
    left = rng.random((customers, most)) < leaving
    if not modified:
        left[:, 0] = False
    days = np.cumsum(rng.exponential(1 / rate, (customers, most)), axis=1)
    bought = ~np.logical_or.accumulate(left, axis=1) & (days <= age[:, None])
    x, t_x = bought.sum(axis=1).astype(float), np.where(bought, days, 0.0).max(axis=1)

    found = BgNbd.likelier(x, t_x, age)

    assert found.modified == modified
    assert found == BgNbd.fit(x, t_x, age, modified)
    assert [found.r, found.alpha, found.a, found.b] == pytest.approx([1.0, 20.0, 1.5, 3.0], rel=0.15)


def test_gamma_gamma_finds_the_published_estimates() -> None:
    repeaters = pd.read_csv(DATA / "cdnow_customers_summary_with_transactions.csv").query("x > 0")
    n, mean = repeaters["x"].to_numpy(dtype=float), repeaters["zbar"].to_numpy(dtype=float)

    found = GammaGamma.fit(n, mean)

    assert [found.p, found.q, found.gamma] == pytest.approx([6.25, 3.74, 15.44], rel=0.01)  # Fader and Hardie (2013)
    peer = GammaGammaFitter()
    peer.params_ = pd.Series({"p": found.p, "q": found.q, "v": found.gamma})
    expected = peer.conditional_expected_average_profit(repeaters["x"], repeaters["zbar"])
    assert found.mean_value(n, mean) == pytest.approx(expected.to_numpy(), rel=1e-6)


def test_the_unit_of_time_does_not_matter(sample: pd.DataFrame, fitted: BgNbd) -> None:
    x, t_x, age = arrays(sample)

    in_days = BgNbd.fit(x, 7 * t_x, 7 * age)

    assert in_days.alpha == pytest.approx(7 * fitted.alpha, rel=1e-3)
    assert in_days.r == pytest.approx(fitted.r, rel=1e-3)


def test_a_chance_of_buying_is_at_most_the_purchases_expected_and_grows_with_time(
    sample: pd.DataFrame, fitted: BgNbd
) -> None:
    x, t_x, age = arrays(sample)
    short, long = np.full(len(x), 4.0), np.full(len(x), 40.0)

    assert (fitted.buys(x, t_x, age, long) <= fitted.purchases(x, t_x, age, long)).all()
    assert (fitted.buys(x, t_x, age, short) < fitted.buys(x, t_x, age, long)).all()
    assert (fitted.alive(x, t_x, age)[x == 0] == 1).all()


def test_the_chance_of_buying_is_what_simulated_customers_do() -> None:
    """From the model's own definition, without its formula: draw rate and dropout, and wait for a purchase."""
    model, horizon, rng = BgNbd(r=0.6, alpha=20.0, a=0.8, b=2.5), 30.0, np.random.default_rng(5)
    rate = rng.gamma(model.r + 2, 1 / (model.alpha + 50), 200_000)  # two repeats in 50 days, still alive
    alive = model.alive(*(np.array([v]) for v in (2.0, 40.0, 50.0)))[0]

    bought = alive * (rng.exponential(1 / rate) < horizon).mean()

    assert model.buys(*(np.array([v]) for v in (2.0, 40.0, 50.0, horizon)))[0] == pytest.approx(bought, abs=0.005)


def test_nobody_ever_repeating_gives_finite_estimates() -> None:
    zeros, age = np.zeros(50), np.linspace(1, 100, 50)

    fitted = BgNbd.fit(zeros, zeros, age)

    purchases = fitted.purchases(zeros, zeros, age, np.full(50, 30.0))
    assert np.isfinite(purchases).all() and (purchases < 0.1).all()


def test_no_purchase_of_any_value_is_said() -> None:
    with pytest.raises(ValueError, match="purchase of positive value"):
        GammaGamma.fit(np.array([0.0, 1.0]), np.array([5.0, 0.0]))

"""How far predictions are off is learnt from counts, and weights of members from what they got right."""

import numpy as np
import pandas as pd
import pytest

from models.creative.metrics import covered
from models.creative.outputs import CPC, CTR
from models.creative.precision import Precision, Spread, gamma_quantile
from models.creative.stack import MemberWeights

RNG = np.random.default_rng(4)
COUNT = 3000


def test_a_planted_precision_is_found() -> None:
    true = Precision(base=30.0, share=0.5, most=300.0)
    rate, exposure = np.full(COUNT, 0.02), RNG.choice([0.0, 200.0], COUNT)
    own = rate * RNG.gamma(true.events(exposure)) / true.events(exposure)
    trials = RNG.poisson(20_000, COUNT)
    found = Precision.fit(rate, exposure, RNG.binomial(trials, own), trials)
    for history in (0.0, 200.0):
        assert found.events(np.array([history])) == pytest.approx(true.events(np.array([history])), rel=0.15)


def test_a_planted_spread_of_prices_is_found() -> None:
    clicks = RNG.integers(1, 200, COUNT).astype(float)
    paid = clicks * np.exp(RNG.normal(0, np.sqrt(0.04 + 0.3 / clicks)))
    found = Spread.fit(np.ones(COUNT), paid, clicks)
    assert (found.own, found.click) == (pytest.approx(0.04, rel=0.15), pytest.approx(0.3, rel=0.15))


def test_intervals_of_the_planted_precision_cover_as_promised() -> None:
    rate, events = np.full(COUNT, 0.02), np.full(COUNT, 40.0)
    clicks = RNG.binomial(5_000, rate * RNG.gamma(events) / events)
    names = [f"c{place:05d}" for place in range(COUNT)]
    truth = pd.DataFrame({"of_creative": names, "clicks": clicks, "impressions": 5_000})
    answers = pd.DataFrame({"ctr": rate, "ctr_strength": events / rate})
    assert covered(truth, answers, 0.8).mean() == pytest.approx(0.8, abs=0.03)
    sure = answers.assign(ctr_strength=answers["ctr_strength"] * 20)
    assert covered(truth, sure, 0.8).mean() < 0.65


def test_quantiles_are_those_of_the_beta() -> None:
    from scipy.stats import beta, norm

    mean, events = 0.03, 12.0
    found = gamma_quantile(np.array([mean]), np.array([events]), float(norm.ppf(0.9)))
    assert found == pytest.approx(beta(events, events / mean - events).ppf(0.9), rel=0.02)


def test_a_member_that_knows_gets_the_weight() -> None:
    effect = RNG.normal(0, 0.3, COUNT)
    trials = np.full(COUNT, 2_000.0)
    start = CTR.link(np.full(COUNT, 0.02))
    clicks = RNG.binomial(2_000, CTR.unlink(start + effect)).astype(float)
    corrections = np.column_stack([effect, RNG.normal(0, 0.3, COUNT)])
    knowing, guessing = MemberWeights.fit(CTR, start, corrections, clicks, trials).weights
    assert knowing == pytest.approx(1, abs=0.1) and guessing < 0.1


def test_weights_of_prices_do_not_depend_on_the_currency() -> None:
    effect, clicks = RNG.normal(0, 0.3, COUNT), np.full(COUNT, 50.0)
    found = [
        MemberWeights.fit(CPC, np.full(COUNT, np.log(unit)), effect[:, None], unit * clicks * np.exp(effect), clicks)
        for unit in (1.0, 100.0)
    ]
    assert found[0].weights == pytest.approx(found[1].weights, abs=1e-3)
    assert found[0].weights[0] == pytest.approx(1, abs=0.05)

"""Shares are the probabilities to be the best, and what is drawn has them."""

import numpy as np
import pytest

from serving.decisions import case
from serving.decisions.kinds.bid import Auction
from serving.decisions.rules.bandit import Rate, at_least, best, draw, posterior, top_two

#: Mean and strength of the prior, successes and trials, by candidate.
CASES = [
    [(0.02, 1000, 5, 300), (0.02, 1000, 12, 300)],
    [(0.02, 100, 0, 0), (0.02, 100, 3, 50), (0.02, 1000, 1200, 40_000)],
    [(0.01, 100, 2, 11), (0.03, 100, 0, 0), (0.02, 50, 40, 1000), (0.02, 50, 0, 500)],
    [(0.5, 4, 3, 10), (0.5, 4, 9, 12)],
]


@pytest.mark.parametrize("case", CASES)
def test_shares_are_the_probabilities_to_be_the_best(case: list[tuple[float, float, int, int]]) -> None:
    rng = np.random.default_rng(3)
    draws = [rng.beta(mean * n + won, (1 - mean) * n + seen - won, 200_000) for mean, n, won, seen in case]
    expected = np.bincount(np.argmax(draws, axis=0), minlength=len(case)) / 200_000
    found = best(tuple(posterior(*one) for one in case))
    assert sum(found) == pytest.approx(1)
    np.testing.assert_allclose(found, expected, atol=0.012)


def test_a_product_of_rates_has_the_mean_and_spread_of_both() -> None:
    rng = np.random.default_rng(3)
    product = posterior(0.05, 200, 30, 700).times(posterior(0.1, 50, 4, 30))
    draws = rng.beta(40, 860, 400_000) * rng.beta(9, 71, 400_000)
    assert product.mean == pytest.approx(draws.mean(), rel=0.01)
    assert product.spread == pytest.approx(draws.var() / draws.mean() ** 2, rel=0.03)


def test_more_evidence_narrows_and_two_clicks_of_eleven_are_no_certainty() -> None:
    few, many = posterior(0.02, 500, 2, 11), posterior(0.02, 500, 1200, 40_000)
    assert few.spread > 20 * many.spread and few.mean < many.mean


def test_clicks_reported_before_their_impressions_do_not_break_the_rate() -> None:
    assert 0 < posterior(0.02, 100, 5, 2).mean < 1


def test_a_hundred_candidates_of_which_one_is_known_to_be_the_best() -> None:
    found = best(tuple(posterior(0.02, 1000, 400 + 300 * (place == 7), 20_000) for place in range(100)))
    assert found[7] > 0.999 and sum(found) == pytest.approx(1)
    assert best((Rate(0.02, 0.01),)) == (1.0,)


def test_the_challenger_of_the_leader_gets_half() -> None:
    shares = top_two((0.9, 0.08, 0.02))
    assert sum(shares) == pytest.approx(1) and 0.45 < shares[0] < 0.56 and shares[1] > 3 * shares[2]
    rng = np.random.default_rng(3)
    p = np.array([0.6, 0.3, 0.1])
    leader = rng.choice(3, 200_000, p=p)
    others = np.where(np.arange(3) == leader[:, None], 0, p)
    challenger = (others.cumsum(1) < rng.random((200_000, 1)) * others.sum(1, keepdims=True)).sum(1)
    shown = np.where(rng.random(200_000) < 0.5, leader, challenger)
    np.testing.assert_allclose(top_two(tuple(p)), np.bincount(shown) / 200_000, atol=0.005)


def test_each_gets_at_least_its_floor() -> None:
    shares = at_least((1.0, 0.0, 0.0, 0.0), 0.2)
    assert min(shares) == pytest.approx(0.05) and sum(shares) == pytest.approx(1)


def test_draws_have_the_shares_and_move_no_more_than_the_shares() -> None:
    uniforms = np.random.default_rng(3).random((20_000, 3))
    before = np.array([draw((0.5, 0.3, 0.2), one) for one in uniforms])
    np.testing.assert_allclose(np.bincount(before) / 20_000, [0.5, 0.3, 0.2], atol=0.012)
    after = np.array([draw((0.4, 0.4, 0.2), one) for one in uniforms])
    moved = before != after
    assert moved.mean() < 0.15 and not (moved & (after == 0)).any()
    gone = np.array([draw((0.5, 0.0, 0.5), one) for one in uniforms[:2000]])
    assert set(gone) == {0, 2}


def test_the_highest_number_that_can_be_drawn_is_below_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case, "digest", lambda *_: b"\xff" * 16)
    highest = case.uniform(Auction("auction", 1.7e9, "ours", "spring"), 7, "arm")
    assert highest < 1
    assert draw([0.5, 0.5], [highest, 0.2]) == 1

"""Credit of textbook journeys by hand, and what tests make of it."""

import numpy as np
import pandas as pd
import pytest

from features.journeys import Journeys
from models.evaluation.attribution.collinear import inseparable
from models.evaluation.attribution.credit import credit
from models.evaluation.attribution.holdout import holdout_lift
from models.evaluation.attribution.markov import removal
from models.evaluation.attribution.paths import path_sums
from models.evaluation.attribution.report import attribute


def counts(*rows, groups=1):
    """Journeys `(path, journeys, value)`, alike in each of some groups of customers."""
    frame = pd.DataFrame(rows, columns=["path", "journeys", "value"])
    frame["path"] = frame["path"].map(lambda path: [*path])
    frame["orders"] = (frame["value"] > 0) * frame["journeys"]
    return pd.concat([frame.assign(cluster=one) for one in range(groups)], ignore_index=True)


def journeys(*rows, groups=1, reached=1000):
    found, day = counts(*rows, groups=groups), pd.Timestamp("2026-01-01")
    names = sorted({channel for path in found["path"] for channel in path})
    return Journeys(found, dict.fromkeys(names, reached), day, day)


def values(found):
    return {one.channel: (one.last_touch.value, one.shapley.value, one.markov.value) for one in found}


#: Three customers: A B C bought, A alone and B C did not.
TEXTBOOK = (("ABC", 1, 1.0), ("A", 1, 0.0), ("BC", 1, 0.0))


def test_the_textbook_chain_by_hand():
    # To meet A costs half of the orders if it leads nowhere, to meet B or C all of them.
    shares = removal(path_sums(counts(*TEXTBOOK)).whole)
    np.testing.assert_allclose(shares, [[0.2, 0.4, 0.4]])
    found = values(credit(path_sums(counts(*TEXTBOOK, groups=5)), 0))
    np.testing.assert_allclose(found["A"], (0, 5 / 3, 1.0))
    np.testing.assert_allclose(found["C"], (5, 5 / 3, 2.0))


def test_shapley_is_that_of_the_game_of_journeys():
    # v(A)=3, v(B)=4, v(AB)=13: A is worth (3 + 13 - 4) / 2, B the rest.
    found = values(credit(path_sums(counts(("A", 1, 3.0), ("B", 2, 4.0), ("BA", 1, 6.0))), 0))
    assert found["A"][:2] == (9.0, 6.0)
    assert found["B"][:2] == (4.0, 7.0)


def test_removal_effects_are_those_of_chains_without_the_channel():
    rng = np.random.default_rng(3)
    rows = [
        ("".join(rng.choice([*"ABCD"], rng.integers(1, 6))), int(rng.integers(1, 9)), float(rng.integers(0, 3)))
        for _ in range(40)
    ]
    sums = path_sums(counts(*rows)).whole
    left = sums.moves[0].sum(axis=1) + np.append(0, sums.ended[0])
    chain, ends = sums.moves[0] / left[:, None], np.append(0, sums.last[0]) / left

    def worth(removed):
        kept = chain.copy()
        kept[:, removed] = 0
        return np.linalg.solve(np.eye(5) - kept, ends)[0]

    whole = np.linalg.solve(np.eye(5) - chain, ends)[0]
    lost = np.array([whole - worth(channel) for channel in range(1, 5)])
    np.testing.assert_allclose(removal(sums)[0], lost / lost.sum())


def test_all_rules_share_the_same_value():
    found = values(credit(path_sums(counts(*TEXTBOOK, ("", 4, 9.0), ("CA", 2, 5.0), groups=3)), 0))
    np.testing.assert_allclose(np.sum([*found.values()], axis=0), [18.0, 18.0, 18.0])


def test_intervals_are_seeded_and_hold_the_figure():
    rng = np.random.default_rng(0)
    frame = pd.concat(
        [counts(("AB", 3, v), ("B", 2, v / 2)).assign(cluster=at) for at, v in enumerate(rng.gamma(2, 5, 50))]
    )
    first, again = (credit(path_sums(frame), 7) for _ in range(2))
    assert first == again
    assert all(one.shapley.low < one.shapley.value < one.shapley.high for one in first)


def test_collinear_channels_are_one_and_are_to_be_tested():
    rows = (("AB", 95, 100.0), ("BA", 40, 30.0), ("A", 3, 1.0), ("C", 50, 20.0), ("CA", 2, 0.0))
    (pair,) = inseparable(path_sums(counts(*rows)))
    assert str(pair).startswith("A and B cannot be told apart, test this one: A.")
    found = attribute(journeys(*rows), {}, 0)
    assert [one.credit.channel for one in found.channels] == ["A + B", "C"]


def test_a_holdout_tells_collinear_channels_apart_and_scales_credit():
    rows, lift = (("AB", 95, 100.0), ("C", 50, 20.0)), holdout_lift(arms(0.5, 0.4))
    found = {one.credit.channel: one for one in attribute(journeys(*rows, groups=2), {"A": lift}, 0).channels}
    assert set(found) == {"A", "B", "C"}
    assert found["A"].value.value == pytest.approx(100.0)  # .1 more of each of 1000 customers
    assert found["C"].value == found["C"].credit.shapley


def arms(treated, control, units=4000):
    """Sums of outcomes that are 0 or 1."""
    rows = [("on", units, treated * units, treated * units), ("holdout", units, control * units, control * units)]
    return pd.DataFrame(rows, columns=["arm", "units", "total", "squares"])


def test_the_lift_of_a_holdout_has_welchs_interval():
    found = holdout_lift(arms(0.5, 0.4)).value
    half = 1.9602 * np.sqrt((0.25 + 0.24) / 3999)
    assert (found.low, found.high) == pytest.approx((0.1 - half, 0.1 + half), abs=1e-5)


def test_an_experiment_without_a_holdout_and_an_unknown_channel_are_refused():
    with pytest.raises(ValueError, match="expected one of holdout"):
        holdout_lift(arms(0.5, 0.4).replace("holdout", "B"))
    with pytest.raises(ValueError, match="arm 'holdout': expected at least 30"):
        holdout_lift(arms(0.5, 0.4, units=20))
    with pytest.raises(ValueError, match="expected a channel of A, B, C, got D"):
        attribute(journeys(*TEXTBOOK), {"D": holdout_lift(arms(0.5, 0.4))}, 0)
    with pytest.raises(ValueError, match="expected 1 to 60 channels, got 0"):
        path_sums(counts(("", 1, 1.0)))

import numpy as np
import pytest
from scipy.stats import norm

from serving.experiments.trials.assignment import assigned, position
from serving.experiments.trials.confidence_sequence import Bounds, relative, sequence
from serving.experiments.trials.experiment import TooSmall, full_weeks, size
from serving.experiments.trials.moments import effects, moments
from serving.experiments.trials.posterior import of_mean, of_rate, posterior
from serving.experiments.trials.sample_ratio import one_look, sample_ratio
from serving.experiments.trials.sample_size import ControlOutcome, detectable, required
from serving.experiments.trials.winners_curse import learnt
from tests.unit.serving.experiments.trials.made import sums_of

HALVES = (0.5, 0.5)


def test_the_textbooks_size_of_two_proportions():
    assert required(ControlOutcome(0.014), 0.1, HALVES, 0.05, 0.8) / 2 == pytest.approx(116_001, abs=1)


def test_too_little_traffic_is_refused_with_the_figures():
    with pytest.raises(TooSmall, match=r"40,000 an arm, and 116,00\d an arm are needed.*lift of 0\.17"):
        size(ControlOutcome(0.014), 0.1, HALVES, 0.05, 0.8, units=80_000)
    assert size(ControlOutcome(0.014), 0.1, HALVES, 0.05, 0.8, units=240_000) <= 240_000


def test_the_textbooks_size_of_two_means():
    # 16 s^2 / d^2 an arm, Lehr's rule (1992), within its rounding.
    assert required(ControlOutcome(50.0, 20.0), 0.04, HALVES, 0.05, 0.8) / 2 == pytest.approx(16 * 400 / 4, rel=0.02)


@pytest.mark.parametrize("expected", [ControlOutcome(0.014), ControlOutcome(0.4), ControlOutcome(8.0, 30.0)])
@pytest.mark.parametrize("shares", [HALVES, (0.9, 0.1), (0.4, 0.3, 0.3)])
def test_the_detectable_lift_is_the_one_that_needs_these_units(expected, shares):
    lift = detectable(expected, 50_000, shares, 0.05, 0.8)
    assert required(expected, lift, shares, 0.05, 0.8) == pytest.approx(50_000, rel=1e-3)


def test_the_size_holds_its_power():
    units, rng = required(ControlOutcome(0.05), 0.2, HALVES, 0.05, 0.8) // 2, np.random.default_rng(0)
    first, second = rng.binomial(units, 0.05, 4000) / units, rng.binomial(units, 0.06, 4000) / units
    error = np.sqrt((first * (1 - first) + second * (1 - second)) / units)
    assert np.mean((second - first) / error > norm.ppf(0.975)) == pytest.approx(0.8, abs=0.02)


def test_uneven_shares_and_more_arms_need_more_units():
    even, three, uneven = (0.5, 0.5), (1 / 3, 1 / 3, 1 / 3), (0.9, 0.1)
    sizes = [required(ControlOutcome(0.05), 0.1, shares, 0.05, 0.8) for shares in (even, three, uneven)]
    assert sizes == sorted(sizes)
    assert sizes[1] > 1.5 * sizes[0]  # a third arm, and a stricter level


@pytest.mark.parametrize(("daily", "days"), [(8200, 35), (1e9, 7), (232_002 / 14, 14), (232_002 / 14 - 1, 21)])
def test_the_duration_is_in_full_weeks(daily, days):
    assert full_weeks(232_002, daily) == days


@pytest.mark.parametrize(("mean", "sd"), [(0.0, None), (1.0, None), (-1.0, 2.0), (1.0, 0.0), (float("nan"), None)])
def test_impossible_expectations_are_refused(mean, sd):
    with pytest.raises(ValueError, match=r"expected a number between 0 and 1|expected numbers above 0"):
        ControlOutcome(mean, sd)


UNITS = [f"visitor-{number}" for number in range(20_000)]
ARMS = (("A", 0.5), ("B", 0.3), ("C", 0.2))


def test_arms_get_their_shares_and_units_keep_their_arm():
    arms = assigned("headline", "headline", (0.0, 1.0), ARMS, UNITS)
    for name, share in ARMS:
        assert np.mean(arms == name) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(UNITS)))
    assert (arms[::-1] == assigned("headline", "headline", (0.0, 1.0), ARMS, UNITS[::-1])).all()


def test_experiments_of_different_layers_are_independent():
    first = assigned("headline", "headline", (0.0, 1.0), ARMS, UNITS)
    second = assigned("button", "button", (0.0, 1.0), ARMS, UNITS)
    for one, share in ARMS:
        for other, of_it in ARMS:
            together = np.mean((first == one) & (second == other))
            assert together == pytest.approx(share * of_it, abs=4 * np.sqrt(share * of_it / len(UNITS)))


def test_experiments_of_one_layer_exclude_each_other_and_a_wider_segment_moves_nobody():
    first = assigned("headline", "page", (0.0, 0.4), ARMS, UNITS)
    second = assigned("button", "page", (0.4, 1.0), ARMS, UNITS)
    assert ((first == None) != (second == None)).all()  # noqa: E711
    wider = assigned("headline", "page", (0.0, 0.6), ARMS, UNITS)
    assert (wider[first != None] == first[first != None]).all()  # noqa: E711


def test_positions_are_even():
    counts, _ = np.histogram(position("salt", UNITS), bins=20, range=(0, 1))
    assert ((counts - 1000) ** 2 / 1000).sum() < 45  # chi2 of 19 degrees, p .0007


def test_a_wrong_ratio_is_told_with_its_chi2():
    found = sample_ratio(np.array([[5000.0, 5300.0]]), HALVES, 28)
    assert (found.mismatch, round(found.chi2, 2), round(found.p_value, 3)) == (True, 8.74, 0.003)
    assert not sample_ratio(np.array([[5000.0, 5100.0]]), HALVES, 28).mismatch
    assert not sample_ratio(np.array([[9000.0, 1040.0]]), (0.9, 0.1), 28).mismatch
    assert not sample_ratio(np.array([[95.0, 5.0]]), (0.99, 0.01), 28).mismatch  # one is expected: too few to tell
    later = np.array([[100.0, 140.0], [5000.0, 5050.0], [9000.0, 9100.0]])
    assert (sample_ratio(later, HALVES, 28).mismatch, sample_ratio(later, HALVES, 28).day) == (False, 3)
    wrong_once = np.array([[100.0, 180.0], [9000.0, 9080.0]])
    assert (sample_ratio(wrong_once, HALVES, 28).mismatch, sample_ratio(wrong_once, HALVES, 28).day) == (True, 1)


def test_the_level_of_a_look_is_pococks():
    # Constants of Jennison and Turnbull, "Group Sequential Methods", 2000, table 2.1.
    for looks, constant in ((2, 2.178), (5, 2.413), (10, 2.555), (20, 2.672)):
        assert norm.isf(one_look(looks, 0.05) / 2) == pytest.approx(constant, abs=2e-3)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.2), (0.25, 0.25, 0.5)])
def test_sound_experiments_are_rarely_accused_however_often_one_looks(shares):
    rng = np.random.default_rng(1)
    counts = rng.multinomial(400, shares, size=(1000, 28)).cumsum(axis=1).astype(float)
    accused = np.mean([sample_ratio(one, shares, 28).mismatch for one in counts])
    naive = np.mean([any(sample_ratio(one[[day]], shares, 1).mismatch for day in range(28)) for one in counts[:200]])
    assert accused <= 0.05 < 0.15 < naive


def test_cuped_reduces_the_error_and_does_not_bias():
    rng, effects_seen, saved = np.random.default_rng(2), [], []
    for _ in range(300):
        before = rng.normal(10, 3, (2, 400))
        after = 0.8 * before + rng.normal([[0.0], [0.5]], 1.5, (2, 400))
        found = moments(sums_of(list(zip(after, before, strict=True))))
        effects_seen.append([found.mean[0, 1] - found.mean[0, 0], found.raw[0, 1] - found.raw[0, 0]])
        saved.append(found.saved[0])
    adjusted, raw = np.array(effects_seen).T
    assert adjusted.mean() == pytest.approx(0.5, abs=0.03)
    assert adjusted.var() < 0.45 * raw.var()
    assert np.mean(saved) == pytest.approx(0.8**2 * 9 / (0.8**2 * 9 + 1.5**2), abs=0.02)
    assert np.sqrt(found.error[0] @ found.error[0]) == pytest.approx(adjusted.std(), rel=0.15)


def test_an_unrelated_covariate_changes_nothing():
    rng = np.random.default_rng(3)
    values, before = rng.normal(5, 1, (2, 5000)), rng.normal(0, 1, (2, 5000))
    found = moments(sums_of(list(zip(values, before, strict=True))))
    assert found.mean == pytest.approx(found.raw, abs=2e-3)
    assert abs(found.saved[0]) < 0.01


def test_the_error_is_that_of_single_units_and_of_totals():
    clicks, rows = np.random.default_rng(4).binomial(1, 0.2, 1000).astype(float), np.zeros(1000)
    found = moments(sums_of([(clicks, rows), (clicks, rows)]))
    assert found.error[0, 0] == pytest.approx(clicks.std() / np.sqrt(1000))
    effect, error = effects(found)
    assert (effect[0, 0], error[0, 0]) == (
        0.0,
        pytest.approx(np.sqrt(2) * clicks.std() / np.sqrt(1000) / clicks.mean()),
    )


def around(effect, error):
    return lambda multiple: Bounds(effect - multiple * error, effect + multiple * error)


def test_bounds_of_a_ratio_exclude_zero_exactly_if_the_difference_does():
    rng = np.random.default_rng(13)
    mean, error = rng.uniform(0.5, 2, (2, 500)), rng.uniform(0.01, 0.4, (2, 500))
    found = relative(mean, error, np.full(500, 1.96))
    apart = (mean[1] - mean[0]) / np.hypot(*error)
    assert ((found.low[0] > 0) == (apart > 1.96)).all()
    assert ((found.high[0] < 0) == (apart < -1.96)).all()
    # With a certain control they are the treated arm's own.
    one = relative(np.array([[2.0], [3.0]]), np.array([[1e-9], [0.2]]), np.array([2.0]))
    assert (one.low[0, 0], one.high[0, 0]) == (pytest.approx(2.6 / 2 - 1), pytest.approx(3.4 / 2 - 1))


def test_bounds_of_a_ratio_to_a_control_that_may_be_zero_have_no_upper_end():
    found = relative(np.array([[0.5], [40.0]]), np.array([[0.7], [6.0]]), np.array([3.0]))
    assert found.low[0, 0] > 0
    assert found.high[0, 0] == np.inf
    nothing = relative(np.array([[0.0], [np.nan]]), np.array([[0.0], [np.nan]]), np.array([3.0]))
    assert (nothing.low[0, 0], nothing.high[0, 0]) == (-np.inf, np.inf)


def test_bounds_of_a_ratio_cover_it():
    rng, units = np.random.default_rng(14), 3000
    for rates in ((0.01, 0.012), (0.2, 0.1), (0.05, 0.05)):
        mean = rng.binomial(units, np.array(rates)[:, None], (2, 4000)) / units
        found = relative(mean, np.sqrt(mean * (1 - mean) / units), np.full(4000, 1.96))
        truth = rates[1] / rates[0] - 1
        assert np.mean((found.low[0] <= truth) & (truth <= found.high[0])) == pytest.approx(0.95, abs=0.015)


def test_the_sequence_holds_at_all_times_together():
    """An A/A test looked at daily; the usual interval fails several times as often."""
    rng, days, daily = np.random.default_rng(5), 28, 1000
    noise = rng.normal(size=(4000, days)).cumsum(axis=1)
    units = np.arange(1, days + 1) * float(daily)
    error = np.broadcast_to(2 / np.sqrt(units), noise.shape)
    effect = noise * 2 / np.sqrt(daily) / np.arange(1, days + 1)
    for planned in (None, 13, 27):
        bounds = sequence(around(effect, error), units, 0.05, days * daily, planned)
        assert np.mean(((bounds.low > 0) | (bounds.high < 0)).any(axis=1)) <= 0.05
    assert np.mean((np.abs(effect) > 1.96 * error).any(axis=1)) > 0.2


def test_the_look_at_the_planned_size_is_nearly_as_good_as_the_textbooks():
    units = np.arange(1, 29) * 1000.0
    error = 2 / np.sqrt(units)
    effect = np.full(28, 2.8016 * error[-1])  # found by the textbook with a power of 80%
    low = sequence(around(effect, error), units, 0.05, units[-1], 27).low
    assert norm.cdf(low[-1] / error[-1]) > 0.75
    assert sequence(around(effect, error), units, 0.05, units[-1], None).low[-1] < 0 < low[-1]


def test_the_posterior_agrees_with_sampling():
    rng = np.random.default_rng(6)
    counts = [(120, 4000), (150, 4000), (140, 3500)]
    found = posterior([of_rate(*one) for one in counts], 0.2)
    drawn = np.array([rng.beta(total + 0.5, units - total + 0.5, 400_000) for total, units in counts])
    assert found.best == pytest.approx(np.bincount(drawn.argmax(axis=0)) / 400_000, abs=4e-3)
    assert found.loss == pytest.approx((drawn.max(axis=0) - drawn).mean(axis=1), rel=0.02)
    assert found.equivalent == pytest.approx((np.abs(drawn[1:] / drawn[0] - 1) < 0.2).mean(axis=1), abs=4e-3)


def test_the_posterior_of_means_agrees_with_the_formula():
    found = posterior([of_mean(10.0, 0.3), of_mean(10.5, 0.4)], 0.01)
    error = np.hypot(0.3, 0.4)
    assert found.best[1] == pytest.approx(norm.cdf(0.5 / error), abs=1e-3)
    # E max(0, d) of a normal d.
    assert found.loss[0] == pytest.approx(0.5 * norm.cdf(0.5 / error) + error * norm.pdf(0.5 / error), rel=1e-3)


def test_the_corrected_effects_of_winners_are_true_on_average():
    rng, ratios, raw = np.random.default_rng(7), [], []
    for _ in range(40):
        truth = rng.normal(0, 0.01, 500)
        seen = truth + rng.normal(0, 0.01, 500)
        account = learnt(seen, np.full(500, 0.01))
        won = seen > 1.96 * 0.01
        ratios.append(sum(account.correct(one, 0.01).value for one in seen[won]) / truth[won].sum())
        raw.append(seen[won].sum() / truth[won].sum())
    assert 0.9 < np.mean(ratios) < 1.1
    assert np.mean(raw) == pytest.approx(2, abs=0.2)


def test_corrected_intervals_cover_the_truth_of_winners():
    rng = np.random.default_rng(8)
    truth = rng.normal(0, 0.03, 3000)
    error = rng.uniform(0.01, 0.06, 3000)
    seen = truth + rng.normal(0, error)
    account = learnt(seen[:200], error[:200])
    won = np.flatnonzero(seen > 1.96 * error)
    found = [account.correct(seen[one], error[one]) for one in won]
    assert np.mean([one.low <= true <= one.high for one, true in zip(found, truth[won], strict=True)]) > 0.92


def test_a_first_experiment_is_corrected_by_the_prior():
    account = learnt([0.3], [0.15])
    first = account.correct(0.3, 0.15)
    assert 0 < first.value < 0.15
    precise = learnt([0.3], [0.01]).correct(0.3, 0.01)
    assert precise.value == pytest.approx(0.3, rel=0.01)
    with pytest.raises(ValueError, match="errors above 0"):
        learnt([0.1], [0.0])

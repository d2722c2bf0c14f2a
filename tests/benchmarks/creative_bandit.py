"""The bandit beside a fixed-horizon test at equal error, and beside Vowpal Wabbit on replayed tests of Upworthy."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.params import load
from features.settings import Settings
from serving.decisions.rules.bandit import at_least, best, posterior
from tests.benchmarks import creative_tests as tests
from tests.benchmarks.creative_tests import ERROR, SEED, TESTS, Array, Trial
from tests.benchmarks.ltv import PARAMS

#: Replayed tests and impressions of each; a decision is for a batch of them.
REPLAYED, IMPRESSIONS, TOGETHER = 300, 4_000, 50
#: Exploration of Vowpal Wabbit; the best of them counts.
PEERS = ("--epsilon 0.05", "--squarecb", "--bag 5", "--cover 3")


def rows(settings: Settings) -> list[dict[str, Any]]:
    made = tests.trials(tests.read())
    unit = f"impressions over those of a fixed-horizon test at {ERROR:.0%} clearly wrong in {TESTS} simulated tests"
    found: list[dict[str, Any]] = [
        {
            "name": "creative.bandit.impressions_vs_fixed",
            **tests.ratio(tests.course(made), tests.fixed(made)),
            "goal": "<= .60",
            "unit": unit,
        }
    ]
    name = "creative.bandit.value_vs_vw"
    try:
        found.append({"name": name, **versus_vw(made[:REPLAYED])})
    except ImportError as missing:
        found.append({"name": name, "goal": ">= 1", "absent": f"{missing}: make benchmark installs the peers"})
    return [{**one, **tests.about()} for one in found]


def versus_vw(made: Sequence[Trial]) -> dict[str, Any]:
    """Clicks of the bandit over those of the best setting of Vowpal Wabbit, by the true rates of what was shown."""
    ours = np.array([earned(one, np.random.default_rng([SEED, place])) for place, one in enumerate(made)])
    peers = {setting: vowpal(made, setting) for setting in PEERS}
    setting = max(peers, key=lambda one: peers[one].sum())
    best_peer = peers[setting]
    rng = np.random.default_rng(SEED)
    weights = rng.multinomial(len(made), np.full(len(made), 1 / len(made)), 2000)
    low, high = np.quantile((weights @ ours) / (weights @ best_peer), [0.025, 0.975])
    hindsight = np.array([one.rates.max() for one in made])
    return {
        "value": float(ours.sum() / best_peer.sum()),
        "low": float(low),
        "high": float(high),
        "baseline": float(best_peer.sum() / hindsight.sum()),
        "goal": ">= 1",
        "unit": f"clicks over those of cb_explore_adf {setting}, {len(made)} tests of {IMPRESSIONS:,} impressions; "
        "beside it the peer's share of hindsight",
    }


def earned(trial: Trial, rng: np.random.Generator) -> float:
    """Mean true rate of what Thompson sampling shows."""
    clicks, shown, total = np.zeros(len(trial.rates), int), np.zeros(len(trial.rates), int), 0.0
    floor = load(PARAMS).decisions.creatives.floor
    for _ in range(IMPRESSIONS // TOGETHER):
        state = zip(trial.mean.tolist(), trial.strength.tolist(), clicks.tolist(), shown.tolist(), strict=True)
        shares = at_least(best(tuple(posterior(*arm) for arm in state)), floor)
        batch = rng.multinomial(TOGETHER, shares)
        clicks, shown = clicks + rng.binomial(batch, trial.rates), shown + batch
        total += float(batch @ trial.rates)
    return total / IMPRESSIONS


def vowpal(made: Sequence[Trial], setting: str) -> Array:
    """Mean true rate of what Vowpal Wabbit shows: an arm is its identity and its predicted rate."""
    from vowpalwabbit import Workspace

    learner = Workspace(f"--cb_explore_adf {setting} --cb_type mtr --quiet --random_seed {SEED} -q ap")
    rng, found = np.random.default_rng(SEED), []
    for place, one in enumerate(made):
        lines = [f"|a id={place}_{arm} |p rate:{rate:.5f}" for arm, rate in enumerate(one.mean)]
        total = 0.0
        for _ in range(IMPRESSIONS // TOGETHER):
            shares = np.array(learner.predict(["shared |s c", *lines]))
            shown = rng.choice(len(lines), TOGETHER, p=shares / shares.sum())
            total += float(one.rates[shown].sum())
            for arm, clicked in zip(shown.tolist(), (rng.random(TOGETHER) < one.rates[shown]).tolist(), strict=True):
                told = [
                    f"0:{-float(clicked)}:{shares[arm]:.6f} {lines[arm]}" if n == arm else line
                    for n, line in enumerate(lines)
                ]
                learner.learn(["shared |s c", *told])
        found.append(total / IMPRESSIONS)
    learner.finish()
    return np.array(found)

"""Whom to keep: by uplift learnt from a randomised past, beside the riskiest, and beside the most value at stake.

In the simulated business those at middling risk who care (half of all) can be kept, the riskiest are lost anyway, as
in Ascarza, "Retention futility: targeting high-risk customers might be ineffective" (2018). What each target group
keeps is known, as it is planted.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from features.settings import Settings
from models.evaluation.metrics import Array
from models.uplift.x_learner import fit

RUNS, PAST, CUSTOMERS, TREATED, SEED = 20, 6000, 20_000, 0.2, 0


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Value kept at the same number of customers treated, as a multiple of what each rule keeps."""
    ratios, digest = [], sha256()
    for run in range(RUNS):
        rng = np.random.default_rng([SEED, run])
        past, stay, value, _, took = business(rng, PAST)
        digest.update(past.to_numpy().tobytes())
        model = fit(past, pd.Series(took), pd.Series(stay * value), run)
        now, _, value, kept, _ = business(rng, CUSTOMERS)
        risk = now["risk"].to_numpy()
        by = {"uplift": model.predict(now), "risk": risk, "stake": risk * value}
        ratios.append({name: _kept(score, kept) for name, score in by.items()})
    told = {"seed": SEED, "data_hash": digest.hexdigest()}
    found = pd.DataFrame(ratios)
    about = f"{TREATED:.0%} of {CUSTOMERS} simulated customers treated, learnt from {PAST}; mean of {RUNS}, t interval"
    for name, rule, goal in (
        ("value_vs_risk_ranking", "risk", "> 1"),
        ("value_vs_stake_ranking", "stake", ""),
    ):
        yield {
            "name": f"retention.{name}",
            **_mean(found["uplift"] / found[rule]),
            "baseline": 1.0,
            "goal": goal,
            "unit": f"value kept over that of ranking by {rule}, {about}",
        } | told


def business(rng: np.random.Generator, count: int) -> tuple[pd.DataFrame, Array, Array, Array, Array]:
    """Features, whether each customer stayed, its value, what treating it keeps of that, and who was treated."""
    traits = rng.normal(size=(count, 6))
    risk = 1 / (1 + np.exp(-(1.2 * traits[:, 0] + 0.6 * traits[:, 1] - 0.3)))
    value = rng.lognormal(4, 0.5, count)
    saves = 0.35 * np.exp(-(((risk - 0.5) / 0.22) ** 2)) * (traits[:, 2] > 0)
    took = rng.random(count) < 0.5
    stay = (rng.random(count) < 1 - risk + saves * took).astype(float)
    features = pd.DataFrame(traits, columns=[f"trait_{at}" for at in range(6)]).assign(risk=risk, value=value)
    return features, stay, value, saves * value, took


def _kept(score: Array, kept: Array) -> float:
    """Value that is kept by treating those of the highest score."""
    return float(kept[np.argsort(-score)[: int(TREATED * len(score))]].sum())


def _mean(values: "pd.Series[float]") -> dict[str, float]:
    from scipy.special import stdtrit

    mean, half = values.mean(), stdtrit(RUNS - 1, 0.975) * values.std(ddof=1) / RUNS**0.5
    return {"value": float(mean), "low": float(mean - half), "high": float(mean + half)}

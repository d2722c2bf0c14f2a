"""Tests on regions: GeoLift's published walkthrough, where its panel is at hand, and planted lifts in simulated panels.

The walkthrough is that of GeoLift's documentation: 40 cities, chicago and portland treated for 15 days from day 91.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features import regions
from features.settings import Settings
from models.evaluation.geo.analysis import analyse

#: GeoLift's test panel as CSV: location, date, Y.
PANEL = Path(__file__).parents[3] / "shared/data/geolift/panel.csv"
TREATED, BEFORE = ("chicago", "portland"), 90
#: What it publishes, and how far off it is to be at most.
PUBLISHED, OFF = {"att": 155.556, "lift": 0.054, "incremental": 4667.0}, 0.02
RUNS, REGIONS, DAYS, TEST, LIFT, SEED = 500, 40, 105, 15, 0.05, 0


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """The walkthrough's three figures, and how often intervals hold a planted lift."""
    yield from _walkthrough()
    rng, held, naive, shown, digest = np.random.default_rng(SEED), [], [], [], sha256()
    for _ in range(RUNS):
        panel = _panel(rng)
        start, treated = panel.index[-TEST], list(panel.columns[:2])
        truth = LIFT * panel.loc[start:, treated].to_numpy().mean()
        panel.loc[start:, treated] *= 1 + LIFT
        digest.update(panel.to_numpy().tobytes())
        found = analyse(panel, tuple(map(str, treated)), start)
        held.append(found.effect.low <= truth <= found.effect.high)
        shown.append(found.p <= 0.05)
        naive.append(_before_and_after(panel, treated, start, truth))
    told = {"seed": SEED, "data_hash": digest.hexdigest()}
    about = f"share of {RUNS} simulated panels of {REGIONS} regions and {DAYS} days, lift {LIFT:.0%} in two regions"
    yield {
        "name": "attribution.geo.coverage",
        **_share(held),
        "baseline": float(np.mean(naive)),
        "goal": ">= .93, <= .97",
        "unit": f"{about}: 95% interval holds it, baseline before and after with Welch's interval; normal interval",
    } | told
    yield {"name": "attribution.geo.power", **_share(shown), "unit": f"{about}: shown; normal interval"} | told


def _walkthrough() -> Iterator[dict[str, Any]]:
    names = {f"attribution.geo.walkthrough_{name}": (name, figure) for name, figure in PUBLISHED.items()}
    goals = {name: f">= {figure * (1 - OFF):.4g}, <= {figure * (1 + OFF):.4g}" for name, (_, figure) in names.items()}
    if not PANEL.is_file():
        yield from (
            {"name": name, "goal": goals[name], "absent": "GeoLift's panel is not at shared/data/geolift/panel.csv"}
            for name in names
        )
        return
    panel = regions.read(PANEL, "location", "date", "Y")
    found = analyse(panel, TREATED, panel.index[BEFORE])
    measured = {"att": found.effect, "lift": found.lift, "incremental": found.incremental}
    for name, (figure, published) in names.items():
        one = measured[figure]
        yield {
            "name": name,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "baseline": published,
            "goal": goals[name],
            "unit": "as published, baseline what is published; conformal interval",
            "data_hash": sha256(PANEL.read_bytes()).hexdigest(),
        }


def _panel(rng: np.random.Generator) -> pd.DataFrame:
    """Regions that share a week and a course; what is their own lasts from day to day."""
    week = 1 + 0.3 * np.sin(2 * np.pi * np.arange(DAYS) / 7)
    course = np.cumsum(rng.normal(0, 0.02, DAYS))
    own, last = np.empty((DAYS, REGIONS)), rng.normal(0, 1, REGIONS)
    for day in range(DAYS):
        last = own[day] = 0.3 * last + np.sqrt(1 - 0.3**2) * rng.normal(0, 1, REGIONS)
    shares = np.outer(week, rng.normal(1, 0.2, REGIONS)) + np.outer(course, rng.normal(1, 0.5, REGIONS)) + 0.05 * own
    names = [f"r{at}" for at in range(REGIONS)]
    return pd.DataFrame(rng.lognormal(8, 0.5, REGIONS) * shares, pd.date_range("2026-01-01", periods=DAYS), names)


def _before_and_after(panel: pd.DataFrame, treated: list[Any], start: pd.Timestamp, truth: float) -> bool:
    """Whether Welch's interval of the treated regions' mean after and before holds the truth."""
    from scipy.stats import ttest_ind

    mean = panel[treated].mean(axis=1)
    low, high = ttest_ind(mean[mean.index >= start], mean[mean.index < start], equal_var=False).confidence_interval()
    return bool(low <= truth <= high)


def _share(found: list[bool]) -> dict[str, float]:
    share = float(np.mean(found))
    half = 1.96 * (share * (1 - share) / len(found)) ** 0.5
    return {"value": share, "low": share - half, "high": share + half}

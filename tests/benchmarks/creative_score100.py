"""A hundred candidates: how long the creative model takes to score them, and a whole decision among them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import yaml

from components.featurize.step import featurize
from components.params import load
from components.train.step import train
from features.settings import Settings
from features.sources import creative_market
from features.store import Online
from models.bundle import open_bundle
from serving.decisions.decide import decide
from serving.decisions.kinds import creative
from serving.decisions.kinds.creative import FAMILY, Placement
from serving.decisions.predict.features import Features
from serving.decisions.predict.predictor import BundlePredictor
from serving.decisions.predict.predictors import Predictors
from serving.decisions.records import Counters, State, WindowedCounters
from tests.benchmarks.ltv import PARAMS
from tests.benchmarks.rows import spread

SEED, CANDIDATES, TIMES = 3, 100, 200


def rows(settings: Settings) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        home = Settings(home=Path(folder) / "home")
        champion = BundlePredictor(trained(Path(folder), home), "1")
        predictors, features = Predictors(creative.KIND, {FAMILY: champion}), Features(Online(home))
        names = sorted(creative_market.CreativeMarket(creative_market.SEED).all)[:CANDIDATES]
        scored, decided = timed(names, predictors, features)
    unit = f"ms, {CANDIDATES} candidates whose texts were seen; interval: 10-90% of {TIMES} times"
    about = {"unit": unit, "seed": SEED}
    found = {
        "creative.score100.p50_ms": (scored, "<= 3"),
        "creative.score100.decision_p50_ms": (decided, "<= 5"),
    }
    return [
        {"name": name, **dict(zip(("value", "low", "high"), spread(times), strict=True)), "goal": goal, **about}
        for name, (times, goal) in found.items()
    ]


def trained(place: Path, home: Settings) -> Any:
    """The model of the bundled market; its features are online."""
    written = yaml.safe_load(PARAMS.read_text())
    section = {**written[FAMILY], "seed": written["seed"]}
    (place / "tables").mkdir()
    creative_market.read(place / "tables")
    featurize(place / "tables", FAMILY, section, None, home, place / "features")
    train(place / "features", FAMILY, section, place / "checkpoint", place / "bundle")
    return open_bundle(place / "bundle", None)


def timed(names: list[str], predictors: Predictors, features: Features) -> tuple[list[float], list[float]]:
    """Milliseconds of each prediction, and of each prediction and decision; what came of the candidates changes."""
    params, rng = load(PARAMS).decisions, np.random.default_rng(SEED)
    scored, decided = [], []
    for number in range(TIMES + 20):
        shown = rng.integers(0, 5000, len(names))
        seen = zip(names, shown.tolist(), rng.binomial(shown, 0.02).tolist(), strict=True)
        state = State(arms={name: WindowedCounters(past=Counters(0, n, clicks)) for name, n, clicks in seen})
        asked = Placement(
            f"o{number}", 1.7e9, "a", "market-03", channel="feed", audience="18-34", candidates={n: {} for n in names}
        )
        began = perf_counter()
        (said,) = predictors.predict([asked], [state], features)
        scored.append(1000 * (perf_counter() - began))
        decide(asked, said, state, params, SEED)
        decided.append(1000 * (perf_counter() - began))
    return scored[20:], decided[20:]

"""Bidding on iPinYou: policies tuned on the first half of each campaign's episodes, compared on the second half."""

import hashlib
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from features.settings import Settings
from models.bidding import market
from models.bidding.auctions import Episodes, join, read_ipinyou
from models.bidding.environment import Policy, replay
from models.bidding.evaluation import Comparison, compare
from models.bidding.fit import FITS, RATIOS, TrainingData, best, held_out
from models.evaluation.bootstrap import Interval
from tests.benchmarks.rows import spread

IPINYOU = Path(__file__).parents[3] / "shared/data/ipinyou_rlb"
#: Episodes of each campaign, from its first on, that are learnt from; the rest is reported on.
LEARN = 50
SEED, REPEATS = 1, 5
#: The budgets that the goals over the linear policy and MCPC are set for.
TIGHT = RATIOS[:2]
GOALS = {
    "vs_linear": ">= 1.10",
    "vs_mcpc": ">= 1.35",
    "vs_rlb": ">= 1",
    "dqn_vs_linear": ">= 1.10",
    "dqn_vs_mcpc": ">= 1.35",
    "dqn_vs_rlb": ">= 1",
    "dqn_below_linear": "<= 0",
}
#: Rows at those budgets together, and rows at one budget.
AT_TIGHT = ("vs_linear", "vs_mcpc", "dqn_vs_linear", "dqn_vs_mcpc")
OTHERS = ("linear", "mcpc", "rlb")
BY_BUDGET = {
    f"{name}_1in{round(1 / at)}": at
    for name in (*(f"vs_{one}" for one in OTHERS), "share_of_hindsight")
    for at in RATIOS
}
NAMES = (*GOALS, "share_of_hindsight", *BY_BUDGET)


def rows(settings: Settings) -> list[dict[str, Any]]:
    """`vs_*` are of the policy that is released by held-out parts of the learning half; `dqn_*` of the network.

    The log tells of no prices but those that are learnt from, so no money is known to be not worth spending. The
    baseline of a share of hindsight is the linear policy's.
    """
    if not IPINYOU.is_dir():
        absent = f"{IPINYOU.name} is not there"
        told = [{"name": f"bidding.ipinyou.{name}", "goal": GOALS.get(name, ""), "absent": absent} for name in NAMES]
        return [*told, {"name": "bidding.auctions_per_s", "absent": absent}]
    learn, test = halves(read())
    with tempfile.TemporaryDirectory() as folder:
        data = TrainingData(learn, SEED, Path(folder))
        released = best(held_out(data))
        policies: dict[str, Policy] = {name: fit(data) for name, fit in FITS.items()}
    compared = compare(policies, test, data.markets, RATIOS, SEED)
    return [*figures(compared, released), speed(learn, data)]


def read() -> Episodes:
    """All campaigns there are."""
    return join([read_ipinyou(path) for path in sorted(IPINYOU.glob("*.validation.txt.gz"))])


def halves(episodes: Episodes) -> tuple[Episodes, Episodes]:
    """Each campaign's first `LEARN` episodes, and its later ones."""
    first = np.zeros(len(episodes), dtype=bool)
    for name in episodes.campaigns:
        first[np.flatnonzero(episodes.campaign == name)[:LEARN]] = True
    return episodes.select(first), episodes.select(~first)


def figures(compared: Comparison, released: str) -> list[dict[str, Any]]:
    """All rows but the speed."""
    tight = {"ratios": TIGHT}
    found: dict[str, Interval] = {
        "vs_linear": compared.against(released, "linear", **tight),
        "vs_mcpc": compared.against(released, "mcpc", **tight),
        "vs_rlb": compared.against(released, "rlb"),
        "dqn_vs_linear": compared.against("dqn", "linear", **tight),
        "dqn_vs_mcpc": compared.against("dqn", "mcpc", **tight),
        "dqn_vs_rlb": compared.against("dqn", "rlb"),
        "share_of_hindsight": compared.share(released),
    }
    for name, at in BY_BUDGET.items():
        other, one = name.removeprefix("vs_").partition("_1in")[0], {"ratios": [at]}
        found[name] = compared.against(released, other, **one) if other in OTHERS else compared.share(released, **one)
    usual = {name: compared.share("linear", ratios=[at]).value for name, at in BY_BUDGET.items() if "share" in name}
    usual["share_of_hindsight"] = compared.share("linear").value
    told = [_row(name, interval, released) | {"baseline": usual.get(name)} for name, interval in found.items()]
    below = float(len(compared.below("dqn", "linear")))
    unit = "campaigns and budgets, at which the whole interval of the difference is below 0"
    return [*told, _told("dqn_below_linear", {"value": below, "unit": unit})]


def speed(episodes: Episodes, data: TrainingData) -> dict[str, Any]:
    """Auctions replayed a second by the linear policy, on one core."""
    budget = market.budgets(data.markets, episodes, RATIOS)
    taken = []
    for _ in range(REPEATS):
        begun = perf_counter()
        replay(episodes, budget, data.linear)
        taken.append(budget.size * episodes.auctions / (perf_counter() - begun))
    value, low, high = spread(taken)
    unit = f"auctions/s, median and 10-90% of {REPEATS} replays by the linear policy"
    return {"name": "bidding.auctions_per_s", "value": value, "low": low, "high": high, "unit": unit}


def _row(name: str, interval: Interval, released: str) -> dict[str, Any]:
    policy = "dqn" if name.startswith("dqn") else released
    what = "of hindsight's clicks" if "share" in name else "of the other's clicks"
    few = "1/32 and 1/16" if name in AT_TIGHT else "all"
    budgets = f"1/{name.rpartition('1in')[2]}" if name in BY_BUDGET else few
    return _told(name, {**vars(interval), "unit": f"{what} by {policy}, budgets: {budgets}"})


def _told(name: str, rest: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(IPINYOU.glob("*.validation.txt.gz"))))
    told = {"name": f"bidding.ipinyou.{name}", "goal": GOALS.get(name, ""), "seed": SEED}
    return {**told, "data_hash": digest.hexdigest()[:16], **rest}

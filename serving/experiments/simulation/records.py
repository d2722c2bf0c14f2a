"""Results of a simulation, stored as JSON."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from features.settings import Settings
from serving.decisions.rebuild import from_json, to_json

FILE = "result.json"

#: Bidders: the engine, and the rules that get the same auctions and budgets.
ENGINE, CONSTANT, LINEAR = "adloop", "constant", "linear"
BIDDERS = (ENGINE, CONSTANT, LINEAR)


@dataclass(frozen=True, slots=True)
class SimulatedCampaign:
    """A campaign's setup; daily amounts in the simulator's unit of money."""

    account_id: str
    campaign_id: str
    budget: float
    account_limit: float
    target_cpc: float
    constant: float


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of one campaign with one bidder.

    Attributes:
        place: index in `Simulation.campaigns`.
        hour: since the start of the simulation.
        bids: auctions with a bid; `bid` is the mean bid.
        value: of conversions from this hour's impressions, whenever they occur.
        worth: expected value of these impressions by the simulator's true click and conversion rates.
    """

    place: int
    hour: int
    bidder: str
    auctions: int
    bids: int
    bid: float
    wins: int
    spend: float
    clicks: float
    conversions: int
    value: float
    worth: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its bootstrap interval over campaigns; None where undefined (one campaign, no spend)."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Speed:
    """Latency of the endpoint for its client in ms; `per_s` is decisions per second."""

    requests: int
    decisions: int
    p50_ms: float
    p99_ms: float
    per_s: float


@dataclass(frozen=True, slots=True)
class CreativeDay:
    """A day of placements, for which the endpoint chose creatives.

    Attributes:
        version: of the creative model.
        rates: by campaign: true click rate of the chosen creatives, of an equal rotation and of the best one each time,
            in the same placements.
        against_equal: expected clicks divided by those of an equal rotation; `of_best` by those of the best ones.
        arms: number of decisions by arm.
    """

    version: str
    placements: int
    clicks: int
    rates: Mapping[str, tuple[float, ...]]
    against_equal: Estimate
    of_best: Estimate
    arms: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Simulation:
    """The result of a simulation.

    Attributes:
        spend_of_budget: by bidder: spend as a share of all budgets.
        worth_per_spend: by bidder: expected value per unit of spend; `value_per_spend` by actual conversions.
        against: the engine's worth per spend divided by each rule's, on the same campaigns.
        alone, batched: latency of single decisions and of batches.
        guardrails: number of changed decisions by guardrail; `arms` and `actions` count decisions.
        carried_out: executed campaign changes.
        feedback: number of events by status.
        overspent: limits that were exceeded by the simulator's books; empty if all held.
        settled: whether the engine's books agree with the simulator's, within a millionth per payment.
        seconds: wall time, including the start of the endpoint.
        creatives: the same day's placements; None where no creative model is released.
    """

    seed: int
    days: int
    versions: Mapping[str, str]
    campaigns: tuple[SimulatedCampaign, ...]
    hours: tuple[Hour, ...]
    spend_of_budget: Mapping[str, float]
    worth_per_spend: Mapping[str, Estimate]
    value_per_spend: Mapping[str, Estimate]
    against: Mapping[str, Estimate]
    alone: Speed
    batched: Speed
    guardrails: Mapping[str, int]
    arms: Mapping[str, int]
    actions: Mapping[str, int]
    carried_out: int
    feedback: Mapping[str, int]
    overspent: tuple[str, ...]
    settled: bool
    seconds: float
    creatives: CreativeDay | None = None


def folder(settings: Settings) -> Path:
    """Folder of the last simulation: its state, log, feedback, and `result.json`."""
    return settings.home / "simulation"


def write(result: Simulation, place: Path) -> None:
    """Write `result.json` atomically."""
    new = place / f".{FILE}.{os.getpid()}"
    new.write_bytes(to_json(result))
    new.replace(place / FILE)


def read(settings: Settings) -> Simulation | None:
    """The last simulation of a home; None without one."""
    path = folder(settings) / FILE
    return from_json(Simulation, path.read_bytes()) if path.exists() else None

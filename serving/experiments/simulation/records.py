"""What came of a simulation: frozen records that go to a JSON file and come back."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from features.settings import Settings
from serving.decisions.rebuild import from_json, to_json

FILE = "result.json"

#: Who bids: the engine, and the rules that play the same auctions with the same budgets.
ENGINE, CONSTANT, LINEAR = "adloop", "constant", "linear"
BIDDERS = (ENGINE, CONSTANT, LINEAR)


@dataclass(frozen=True, slots=True)
class SimulatedCampaign:
    """A campaign as it was set up; amounts a day, in the simulator's unit of money."""

    account_id: str
    campaign_id: str
    budget: float
    account_limit: float
    target_cpc: float
    constant: float


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of one campaign by one bidder.

    Attributes:
        place: of the campaign in `Simulation.campaigns`.
        hour: since the simulation began.
        bids: auctions that were bid in, and `bid` the mean of those bids.
        value: of the conversions that came of this hour's impressions, whenever they came.
        worth: what these impressions are worth by the simulator's true rates of clicks and conversions.
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
    """A figure with its bootstrap interval over campaigns; None where it is not defined (one campaign, no spend)."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the endpoint answered, as its client saw it, in ms; `per_s` is decisions over the time they took."""

    requests: int
    decisions: int
    p50_ms: float
    p99_ms: float
    per_s: float


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulation from its first hour to its last.

    Attributes:
        spend_of_budget: by bidder: what was spent of all budgets.
        worth_per_spend: by bidder: what a unit of money bought, in worth; `value_per_spend` by what really converted.
        against: the engine's worth per spend as a multiple of each rule's, on the same campaigns.
        alone, batched: single decisions, and batches of them.
        guardrails: how often each changed a decision; `arms` and `actions` how often each decided and was decided.
        carried_out: changes of campaigns that were made.
        feedback: events by what became of them when they were told.
        overspent: limits that were spent above by the simulator's own account; empty if all held.
        settled: whether the engine's state agrees with that account to a millionth of the money a payment.
        seconds: of wall time, the start of the endpoint included.
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


def folder(settings: Settings) -> Path:
    """Where the last simulation is: its state, log and feedback, and `result.json`."""
    return settings.home / "simulation"


def write(result: Simulation, place: Path) -> None:
    """Write `result.json` into a folder, whole or not at all."""
    new = place / f".{FILE}.{os.getpid()}"
    new.write_bytes(to_json(result))
    new.replace(place / FILE)


def read(settings: Settings) -> Simulation | None:
    """The last simulation of a home; None where there is none."""
    path = folder(settings) / FILE
    return from_json(Simulation, path.read_bytes()) if path.exists() else None

"""What a store of decisions is asked and told, in few words, at a time that a test can move."""

import time
from pathlib import Path

from components.params import load
from serving.decisions.kinds import kinds
from serving.decisions.records import Action, Decision, Opportunity
from serving.decisions.state.store import Exposure, FeedbackEvent, Reservation

PARAMS = load(Path(__file__).parents[2] / "params.yaml").decisions
DAY = 86_400
NOW = time.time() // DAY * DAY + DAY / 2  # noon, so that no test that moves the time by some hours leaves its day


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def look(at: float = NOW, asked: str = "campaign", campaign: str = "c") -> Opportunity:
    told = {"candidates": {"red": {}}} if asked == "creative" else {}
    return kinds()[asked].request("look", at, "a", campaign, customer_id="u", **told)


def bid(name: str, amount: float, at: float = NOW, campaign: str = "c", **told) -> Reservation:
    return Reservation(name, "a", campaign, amount, at, **told)


def offer(name: str, amount: float, customer: str = "u", **told) -> Reservation:
    return bid(name, amount, purpose="offer", target=customer, **told)


def exposure(name: str, creative: str, customer: str | None = "u", most: int = 2, **told) -> Exposure:
    told = {"campaign": "c", "at": NOW, **told}
    return Exposure(name, "a", told["campaign"], creative, customer, told["at"], most)


def event(name: str, kind: str, opportunity: str = "", at: float = NOW, **told) -> FeedbackEvent:
    return FeedbackEvent(name, opportunity or name, "a", told.pop("campaign", "c"), kind, at, **told)


def change(name: str, action: Action, at: float = NOW, **told) -> Decision:
    told = {"target": "c", "source": None, "dimension": None, "amount": None, "unit": None, "before": None, **told}
    rest = {
        "reason": "",
        "triggers": (),
        "guardrails": (),
        "arm": "policy",
        "propensity": 1.0,
        "explored": False,
        "credited": None,
    }
    return Decision(name, name, "a", "c", action, versions={}, seed=1, decided_at=at, **told, **rest)

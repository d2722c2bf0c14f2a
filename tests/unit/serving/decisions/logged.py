"""Decisions to log: run as a program it logs them until it is killed, and says which are on disk."""

import sys
from pathlib import Path

from components.params import load
from serving.decisions.answer import answered
from serving.decisions.engine import decide
from serving.decisions.log.writer import DecisionLog
from serving.decisions.records import Decision, Opportunity, Predictions, Spend, State
from serving.decisions.state.store import Grant

PARAMS = load(Path(__file__).parents[4] / "params.yaml").decisions
SEED = 7


def decided(at: int, grant: Grant | None = None) -> tuple[Opportunity, Predictions, State, Grant | None, Decision]:
    """What is appended of the decision on one of many opportunities."""
    opportunity = Opportunity(
        f"auction {at}", 1.7e9 + at, "ours", f"campaign {at % 3}", keyword="shoes", channel="search", hour=at % 24
    )
    predictions = Predictions(
        predicted_ctr=0.01, policy_bid=1.0 + at % 7, baseline_bid=1.5, versions={"bidding": "3", "churn": "2"}
    )
    state = State(campaign=Spend(total=float(at), daily_limit=100.0), account=Spend(daily_limit=1e4))
    decision = decide(opportunity, predictions, state, PARAMS, SEED)
    return opportunity, predictions, state, grant, answered(decision, grant)


def main(place: Path) -> None:
    log = DecisionLog(place, PARAMS)
    for at in range(1_000_000):
        log.append(*decided(at))
        if at % 100 == 99:
            log.flush()
            print(at + 1, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

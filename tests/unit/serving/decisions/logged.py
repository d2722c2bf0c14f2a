"""Decisions to log: run as a program it logs them until it is killed, and says which are on disk."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from components.params import load
from serving.decisions.decide import answered, decide
from serving.decisions.kinds.bid import Auction
from serving.decisions.log import params as stored
from serving.decisions.log.entry import Entry, read
from serving.decisions.log.writer import DecisionLog
from serving.decisions.rebuild import to_json
from serving.decisions.records import Decision, Opportunity, Predictions, Spend, State
from serving.decisions.state.store import Grant
from serving.records import reading
from serving.records.columns import LoggedRecord
from serving.records.segment import ChainSegment

PARAMS = load(Path(__file__).parents[4] / "params.yaml").decisions
SEED = 7


def decided(at: int, grant: Grant | None = None) -> tuple[Opportunity, Predictions, State, Grant | None, Decision]:
    """What is appended of the decision on one of many opportunities."""
    opportunity = Auction(
        f"auction {at}", 1.7e9 + at, "ours", f"campaign {at % 3}", keyword="shoes", channel="search", hour=at % 24
    )
    predictions = Predictions(
        {"predicted_ctr": 0.01, "policy_bid": 1.0 + at % 7, "baseline_bid": 1.5},
        versions={"bidding": "3", "churn": "2"},
    )
    state = State(campaign=Spend(total=float(at), daily_limit=100.0), account=Spend(daily_limit=1e4))
    decision = decide(opportunity, predictions, state, PARAMS, SEED)
    return opportunity, predictions, state, grant, answered(decision, grant)


def logged(place: Path, count: int, start: int = 0) -> None:
    """Log so many decisions, and close."""
    log = DecisionLog(place, PARAMS)
    for at in range(start, start + count):
        log.append(*decided(at))
    log.close()


def lines(entries: Sequence[Entry]) -> list[LoggedRecord]:
    """The records of decisions, as they are read back."""
    return [LoggedRecord(to_json(entry)) for entry in entries]


def ids(place: Path) -> list[str]:
    """The opportunities of a log, in its order."""
    return [read(written).opportunity.opportunity_id for written in reading.records(place)]


def auctions(count: int) -> list[str]:
    """The opportunities of the first decisions there are."""
    return [f"auction {at}" for at in range(count)]


def left_open(place: Path, *groups: int) -> Path:
    """The journal of a writer that was killed after these groups."""
    place.mkdir(exist_ok=True)
    name, at = stored.keep(place, PARAMS), 0
    written = ChainSegment(place, lambda records: None)
    for count in groups:
        entries = [Entry(time.time(), name, *decided(at + one)) for one in range(count)]
        written.commit(lines(entries))
        at += count
    written._journal.close()
    return written._journal.path


def main(place: Path) -> None:
    log = DecisionLog(place, PARAMS)
    for at in range(1_000_000):
        log.append(*decided(at))
        if at % 100 == 99:
            log.flush()
            print(at + 1, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

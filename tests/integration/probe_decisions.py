"""A worker that bids for one campaign for a while, or until it is killed. It tells what it pays and what it paid."""

import random
import sys
import time
from pathlib import Path

import yaml

from serving.decisions.params import DecisionParams
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import FeedbackEvent, Reservation, Store

WRITTEN = Path(__file__).parents[2] / "params.yaml"
PARAMS = DecisionParams.model_validate(yaml.safe_load(WRITTEN.read_text())["decisions"])


def short(settles_s: int = 1):
    """The parameters, with bids that are settled soon."""
    keeping = PARAMS.keeping.model_copy(update={"settles_s": settles_s})
    return PARAMS.model_copy(update={"keeping": keeping})


def opened(place: str) -> Store:
    return RedisStore(place, short()) if place.startswith("redis://") else SqliteStore(Path(place), short())


def main(place: str, name: str, seconds: float) -> None:
    store, rng, until, number = opened(place), random.Random(name), time.time() + seconds, 0
    while time.time() < until:
        number += 1
        now, opportunity = time.time(), f"{name}-{number}"
        (grant,) = store.reserve([Reservation(opportunity, "a", "c", rng.uniform(0.01, 0.2), now)])
        if grant.status != "reserved":
            time.sleep(0.01)  # until something is settled
            continue
        if rng.random() < 0.1:  # some are never settled
            continue
        cost = round(grant.amount * rng.random(), 6)
        print("paying", cost, flush=True)
        store.record([FeedbackEvent(f"e{opportunity}", opportunity, "a", "c", "impression", now, cost=cost)])
        print("paid", cost, flush=True)
    print("end", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))

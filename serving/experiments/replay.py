"""Logged decisions, decided again: the same to the last bit, or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from features.lake import Place
from serving.decisions.decide import answered, decide
from serving.decisions.log import params as stored
from serving.decisions.log.entry import read
from serving.decisions.rebuild import to_json
from serving.records import reading
from serving.records.verify import ChainFault, verify

#: Differences that are told in full.
TOLD = 20


@dataclass(frozen=True)
class Difference:
    """One field of a decision that is not what was logged."""

    decision_id: str
    field: str
    logged: Any
    now: Any


@dataclass(frozen=True)
class ReplayReport:
    """What came of deciding again.

    Attributes:
        count: entries that were decided again, `differing` those that came out otherwise.
        differences: of the first of them.
        faults: entries that are not what was logged.
    """

    count: int
    differing: int
    differences: tuple[Difference, ...]
    faults: tuple[ChainFault, ...]


def replay(path: Place) -> ReplayReport:
    """Decide every entry of a part or folder again, from what was logged with it, and compare the bytes.

    Raises `FileNotFoundError` where nothing is logged or the parameters are gone, `ValueError` for what is no log.
    """
    place = path if path.is_dir() else path.parent
    params = cache(lambda name: stored.read(place, name))
    count = differing = 0
    told: list[Difference] = []
    for written in reading.records(path):
        entry, count = read(written), count + 1
        again = decide(entry.opportunity, entry.predictions, entry.state, params(entry.params), entry.decision.seed)
        now = to_json(answered(again, entry.grant))
        if not written.endswith(b'"decision":' + now + b"}"):
            differing += 1
            told.extend(_differences(written, now) if len(told) < TOLD else ())
    return ReplayReport(count, differing, tuple(told), tuple(verify(path)))


def _differences(written: bytes, now: bytes) -> Iterator[Difference]:
    logged, decided = orjson.loads(written)["decision"], orjson.loads(now)
    for field in {**logged, **decided}:
        if logged.get(field) != decided.get(field):
            yield Difference(logged["decision_id"], field, logged.get(field), decided.get(field))

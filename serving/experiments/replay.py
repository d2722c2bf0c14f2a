"""Replays logged decisions and compares the results bit for bit."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any

import orjson

from features.lake import Place
from serving.decisions.decide import answered, decide
from serving.decisions.log import params as stored
from serving.decisions.log.entry import read
from serving.decisions.rebuild import to_json
from serving.decisions.records import Decision
from serving.records import reading
from serving.records.verify import ChainFault, verify

#: Defaults of fields that decisions of earlier versions lack.
_DEFAULTS = {one.name: one.default_factory() for one in fields(Decision) if one.default_factory is not MISSING}
#: Most differences reported in full.
TOLD = 20


@dataclass(frozen=True)
class Difference:
    """A field of a decision that differs from the log."""

    decision_id: str
    field: str
    logged: Any
    now: Any


@dataclass(frozen=True)
class ReplayReport:
    """The result of a replay.

    Attributes:
        count: replayed entries; `differing` of them differ from the log.
        differences: of the first differing entries.
        faults: records that were changed since they were logged.
    """

    count: int
    differing: int
    differences: tuple[Difference, ...]
    faults: tuple[ChainFault, ...]


def replay(path: Place) -> ReplayReport:
    """Replay every entry of a part or folder from its logged inputs, and compare the bytes.

    Raises `FileNotFoundError` where nothing is logged or parameters are missing, `ValueError` for anything but a log.
    """
    place = path if path.is_dir() else path.parent
    params = cache(lambda name: stored.read(place, name))
    count = differing = 0
    found: list[Difference] = []
    for written in reading.records(path):
        entry, count = read(written), count + 1
        again = decide(entry.opportunity, entry.predictions, entry.state, params(entry.params), entry.decision.seed)
        now = to_json(answered(again, entry.grant))
        if not written.endswith(b'"decision":' + now + b"}") and (those := list(_differences(written, now))):
            differing += 1
            found.extend(those if len(found) < TOLD else ())
    return ReplayReport(count, differing, tuple(found), tuple(verify(path)))


def _differences(written: bytes, now: bytes) -> Iterator[Difference]:
    """Fields that differ. One that an earlier version did not log is compared with its default."""
    logged, decided = orjson.loads(written)["decision"], orjson.loads(now)
    logged = {**_DEFAULTS, **logged}
    for field in {**logged, **decided}:
        if logged.get(field) != decided.get(field):
            yield Difference(logged["decision_id"], field, logged.get(field), decided.get(field))

"""An entry of the decision log: all that a decision was made from, the decision, and the chain of hashes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from serving.decisions.rebuild import from_json
from serving.decisions.records import Decision, Opportunity, Predictions, State
from serving.decisions.state.store import Grant


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision as it was answered.

    Attributes:
        logged_at: Unix seconds by the clock of the log's own machine.
        params: name of the parameters it was decided under, see `parts.params`.
        state: as the decision saw it.
        grant: what came of asking for its money; None: none was asked for.
        decision: after that, with its seed.
    """

    logged_at: float
    params: str
    opportunity: Opportunity
    predictions: Predictions
    state: State
    grant: Grant | None
    decision: Decision


def read(written: bytes) -> Entry:
    """The entry of these bytes. Raises `ValueError` where they are none, or one of another version of adloop."""
    try:
        return from_json(Entry, written)
    except (TypeError, AttributeError) as strange:
        raise ValueError(f"an entry of the decision log cannot be read: {strange}") from strange


def genesis(chain: str) -> bytes:
    """What the first entry of a chain follows: 32 bytes that are the chain's alone."""
    return hashlib.sha256(f"adloop decisions {chain}".encode()).digest()


def link(previous: bytes, written: bytes) -> bytes:
    """The hash of an entry: 32 bytes over those of the entry before it and over its own JSON."""
    return hashlib.sha256(previous + written).digest()


def links(previous: bytes, written: Iterable[bytes]) -> list[bytes]:
    """The hash of each entry in a row of them."""
    return list(accumulate(written, link, initial=previous))[1:]

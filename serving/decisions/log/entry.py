"""The record of a decision with all of its inputs."""

from dataclasses import dataclass

from features.lake import Place
from serving.decisions.rebuild import from_json
from serving.decisions.records import Decision, Opportunity, Predictions, State
from serving.decisions.state.store import Grant
from serving.records import reading


@dataclass(frozen=True, slots=True)
class Entry:
    """One logged decision.

    Attributes:
        logged_at: Unix seconds by the server's clock.
        params: name of the parameters, see `log.params`.
        state: as the decision saw it.
        grant: result of reserving its money; None where it needed none.
        decision: as answered, with its seed.
    """

    logged_at: float
    params: str
    opportunity: Opportunity
    predictions: Predictions
    state: State
    grant: Grant | None
    decision: Decision


def read(written: bytes) -> Entry:
    """Parse an entry. Raises `ValueError` for invalid bytes, or those of an incompatible version."""
    try:
        return from_json(Entry, written)
    except (TypeError, AttributeError) as strange:
        raise ValueError(f"an entry of the decision log is unreadable: {strange}") from strange


def find(place: Place, decision_id: str) -> list[Entry]:
    """The entries of a decision, oldest first: one per request. Raises `LookupError` without one."""
    found = [read(written) for written in reading.find(place, "decision_id", decision_id)]
    found = [entry for entry in found if entry.decision.decision_id == decision_id]
    if not found:
        raise LookupError(f"decision {decision_id} is not in the log {place}")
    return sorted(found, key=lambda entry: entry.logged_at)

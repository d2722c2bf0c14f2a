"""The record of a decision: all that it was made from, and the decision."""

from dataclasses import dataclass

from features.lake import Place
from serving.decisions.rebuild import from_json
from serving.decisions.records import Decision, Opportunity, Predictions, State
from serving.decisions.state.store import Grant
from serving.records import reading


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision as it was answered.

    Attributes:
        logged_at: Unix seconds by the clock of the log's own machine.
        params: name of the parameters it was decided under, see `log.params`.
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


def find(place: Place, decision_id: str) -> list[Entry]:
    """What was logged of a decision, oldest first: it was asked for once or more. Raises `LookupError` if never."""
    found = [read(written) for written in reading.find(place, "decision_id", decision_id)]
    found = [entry for entry in found if entry.decision.decision_id == decision_id]
    if not found:
        raise LookupError(f"no decision {decision_id} is logged in {place}")
    return sorted(found, key=lambda entry: entry.logged_at)

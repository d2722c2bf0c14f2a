"""Appends decisions to the decision log."""

import time
from pathlib import Path

from serving.decisions.log import params as stored
from serving.decisions.log.entry import Entry
from serving.decisions.params import DecisionParams
from serving.decisions.rebuild import to_json
from serving.decisions.records import Decision, Opportunity, Predictions, State
from serving.decisions.state.store import Grant
from serving.records.writer import Listener, RecordLog


class DecisionLog(RecordLog):
    """A `RecordLog` of decisions.

    Args:
        keep_days: days after which decisions are removed, but not before feedback may end; None: never.
    """

    def __init__(
        self,
        place: Path,
        params: DecisionParams,
        listener: Listener = lambda records: None,
        keep_days: float | None = None,
    ) -> None:
        self._params = stored.keep(place, params)
        # Feedback reads decisions from the log for that long.
        keep_s = None if keep_days is None else max(keep_days * 86_400, params.keeping.remembered_s)
        super().__init__(place, listener, keep_s)

    def append(
        self,
        opportunity: Opportunity,
        predictions: Predictions,
        state: State,
        grant: Grant | None,
        decision: Decision,
    ) -> None:
        """Log a decision as it is answered.

        Raises `TypeError` for values that JSON cannot hold, and otherwise as `write`; do not act on the decision then.
        """
        entry = Entry(time.time(), self._params, opportunity, predictions, state, grant, decision)
        self.write(to_json(entry), sources=[entry])

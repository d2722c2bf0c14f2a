"""The writer of the decision log: appends never wait for the disk, a thread of its own commits them in groups."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from serving.decisions.log import parts
from serving.decisions.log.entry import Entry
from serving.decisions.log.segment import Segment
from serving.decisions.params import Decisions
from serving.decisions.rebuild import to_json
from serving.decisions.records import Decision, Opportunity, Predictions, State
from serving.decisions.state.store import Grant

log = logging.getLogger("adloop.decisions")

#: Seconds between groups, and waiting bytes with which one is written before that.
EVERY, GROUP_BYTES = 0.05, 256 << 10
#: Entries of one group at most: a thread that works on more at once keeps the deciding ones waiting.
GROUP = 250
#: Bytes held in memory at most, while the disk does not take them.
LIMIT = 64 << 20

#: Seconds before a disk that failed is asked again.
RETRY = 0.25

#: Is told the entries that are on disk, in order; after a kill perhaps again, so that it must count each once.
Listener = Callable[[Sequence[Entry]], None]


class LogUnavailable(RuntimeError):
    """The log does not take more: what is decided now would leave no trace, and must not be acted on."""


class DecisionLog:
    """Appends decisions to one folder, from any number of threads; each process opens its own, and has its own chain.

    Opening it makes parts of what killed writers left. To be closed when no more is decided.

    Args:
        keep_days: days after which decisions are removed, if feedback is not waited for longer; None: never.
    """

    def __init__(
        self,
        place: Path,
        params: Decisions,
        listener: Listener = lambda entries: None,
        keep_days: float | None = None,
    ) -> None:
        self._params = parts.keep_params(place, params)
        self._listener = listener
        # Feedback comes for so long, and is told of decisions by the log.
        keep_s = None if keep_days is None else max(keep_days * 86_400, params.keeping.remembered_s)
        self._segment = Segment(place, listener, keep_s)
        self._waiting, self._untold = deque[tuple[Entry, bytes]](), list[tuple[Entry, bytes]]()
        self._bytes = self._appended = self._committed = 0
        self._stop, self._urgent = False, threading.Event()
        self._fault: str | None = None
        self._stuck: str | None = None
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
        self._thread.start()

    def append(
        self, opportunity: Opportunity, predictions: Predictions, state: State, grant: Grant | None, decision: Decision
    ) -> None:
        """Log a decision as it is answered; a moment later it is on disk.

        Raises `TypeError` for what JSON cannot hold, and `LogUnavailable` where the disk has not kept up or the log is
        closed. The decision must then not be acted on.
        """
        entry = Entry(time.time(), self._params, opportunity, predictions, state, grant, decision)
        written = to_json(entry)
        with self._lock:
            if self._stop or self._fault is not None or self._bytes > LIMIT:
                raise LogUnavailable("it is closed" if self._stop else self._fault or "what waits is not taken")
            self._waiting.append((entry, written))
            self._bytes += len(written)
            self._appended += 1
        if self._bytes > GROUP_BYTES:
            self._urgent.set()

    def fault(self) -> str | None:
        """Why the disk does not take what is decided; None while it does. What waits is tried again and again."""
        return self._fault or self._stuck

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until all that was appended is on disk. Raises `LogUnavailable` where that takes too long."""
        self._urgent.set()
        with self._changed:
            upto = self._appended
            if not self._changed.wait_for(lambda: self._committed >= upto, timeout_s):
                raise LogUnavailable(f"what was appended is not on disk after {timeout_s:g} s")

    def close(self) -> None:
        """Write what is left and end the chain. Raises `LogUnavailable` where that fails."""
        with self._lock:
            if self._stop:
                return
            self._stop = True
        self._urgent.set()
        self._thread.join()
        self._segment.close()
        if self._waiting or self._untold:
            lost, kept = len(self._waiting), len(self._untold)
            raise LogUnavailable(f"{lost} decisions could not be logged, {kept} that were could not be handed on")

    def _run(self) -> None:
        stopping = False
        while not stopping:
            self._urgent.wait(EVERY)
            self._urgent.clear()
            stopping = self._stop
            self._fault = self._failing(self._commit_all, self._fault)
            if self._fault is None:  # while no new journal can begin, the old one goes on
                self._stuck = self._failing(self._rotate, self._stuck)
            if self._fault or self._stuck:
                time.sleep(RETRY)
            self._tell()

    def _failing(self, write: Callable[[], None], before: str | None) -> str | None:
        """What was wrong with the disk. What waits is kept and tried again: a full one may have room by then."""
        try:
            write()
        except Exception as fault:
            if before is None:
                log.exception("%d decisions wait for the disk", len(self._waiting))
            return f"the decision log is not written: {fault}; make room or mend the disk"
        return None

    def _rotate(self) -> None:
        if self._segment.due:
            self._segment.rotate()

    def _commit_all(self) -> None:
        while self._waiting:
            self._commit()

    def _commit(self) -> None:
        with self._lock:
            group = list(islice(self._waiting, GROUP))
        self._segment.commit([entry for entry, _ in group], [written for _, written in group])
        self._untold.extend(group)
        with self._changed:
            for _ in group:
                self._waiting.popleft()
            self._committed += len(group)
            self._changed.notify_all()

    def _tell(self) -> None:
        """Hand on what is on disk; what could not be handed on still counts as waiting."""
        if not self._untold:
            return
        try:
            self._listener([entry for entry, _ in self._untold])
        except Exception:
            log.exception("%d logged decisions could not be handed on", len(self._untold))
            return
        with self._lock:
            self._bytes -= sum(len(written) for _, written in self._untold)
        self._untold = []

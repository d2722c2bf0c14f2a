"""Scripted faults of a fake, whatever its transport; and the calls that it got."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal


@dataclass
class ScriptedFault:
    """What happens to some calls.

    Attributes:
        call: pattern of the calls: `POST /v26.0/*/campaigns`, `/google.ads.*CampaignService/*`; `*` for all.
        after: how many of these calls pass first.
        times: how many of them then fail.
        status, body, headers: the answer: HTTP status or gRPC code, as the platform gives it. None: as without a fault.
        delay_s: how long the answer takes.
        lost: no answer: the connection ends before the call is done, or after.
    """

    call: str = "*"
    after: int = 0
    times: int = 1
    status: int | str | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    lost: Literal["before", "after", ""] = ""


@dataclass
class ReceivedCall:
    """A call that came. `status` as it was answered; `lost` where it was not."""

    call: str
    at: float
    status: int | str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Script:
    """The faults to come, in the order they were given: the first that matches is taken. Threads may share it."""

    def __init__(self) -> None:
        self._faults, self._turn = list[ScriptedFault](), threading.Lock()
        self.calls = list[ReceivedCall]()

    def add(self, *faults: ScriptedFault) -> None:
        with self._turn:
            self._faults += faults

    def clear(self) -> None:
        with self._turn:
            self._faults.clear()
            self.calls.clear()

    def come(self, call: str, headers: Mapping[str, str]) -> tuple[ReceivedCall, ScriptedFault | None]:
        """Note the call; the fault that it meets, if any."""
        with self._turn:
            noted = ReceivedCall(call, time.time(), headers=headers)
            self.calls.append(noted)
            for fault in self._faults:
                if not fnmatchcase(call, fault.call) or fault.times <= 0:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return noted, fault
            return noted, None

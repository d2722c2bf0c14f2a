"""The small languages in a file of rules: windows, schedules, percentages, durations and limits, each from one text."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, model_validator

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
_LISTS = STRICT | {"strict": False}  # lists of YAML for tuples, after a validator has read a text
DAY, SLOT = timedelta(days=1), timedelta(minutes=30)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Days after which `lifetime` begins, early enough for every account.
_BEGINNING = date(2000, 1, 1)
_DATE = r"\d{4}-\d\d-\d\d"


@dataclass(frozen=True, slots=True)
class DayWindow:
    """Days of the account, from a text: `today`, `yesterday`, `last 7 days` (whole days, without today), `last 7 days
    and today`, `10 to 3 days ago`, `lifetime`, `2026-03-01 to 2026-03-31`."""

    text: str

    def days(self, today: date) -> tuple[date, date]:
        """The first day, and the day after the last. Raises `ValueError` for a text that is no window."""
        if fixed := re.fullmatch(rf"({_DATE}) to ({_DATE})", self.text):
            first, last = (date.fromisoformat(one) for one in fixed.groups())
        elif ago := re.fullmatch(r"(\d{1,4}) to (\d{1,4}) days ago", self.text):
            first, last = (today - int(one) * DAY for one in ago.groups())
        elif back := re.fullmatch(r"last ([1-9]\d{0,3}) days?( and today)?", self.text):
            first, last = today - int(back[1]) * DAY, today if back[2] else today - DAY
        else:
            named = {"today": (today, today), "yesterday": (today - DAY, today - DAY), "lifetime": (_BEGINNING, today)}
            first, last = named.get(self.text, (today, today - 2 * DAY))
        if first > last:
            raise ValueError(
                "expected today, yesterday, last N days, last N days and today, N to M days ago, lifetime or "
                f"YYYY-MM-DD to YYYY-MM-DD, got '{self.text}'"
            )
        return first, last + DAY


def _window(text: object) -> DayWindow:
    if not isinstance(text, str):
        raise ValueError("expected a text such as last 7 days")
    window = DayWindow(text)
    window.days(date(2026, 6, 15))
    return window


def _share(text: object) -> object:
    if isinstance(text, str) and (found := re.fullmatch(r"(\d+(?:\.\d+)?) ?%", text)):
        return float(found[1]) / 100
    raise ValueError(f"expected a percentage such as 20%, got {text!r}")


def _seconds(text: object) -> object:
    units = {"min": 60, "h": 3600, "d": 86_400}
    if isinstance(text, str) and (found := re.fullmatch(r"(\d+(?:\.\d+)?) ?(min|h|d)", text)):
        return float(found[1]) * units[found[2]]
    raise ValueError(f"expected a duration such as 24 h (min, h, d), got {text!r}")


Days = Annotated[DayWindow, BeforeValidator(_window)]
Percent = Annotated[float, BeforeValidator(_share), Field(gt=0, le=10)]
Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0)]


class SignedChange(BaseModel):
    """A relative change, from a text: `+20%`, `-10%` or, in the account's currency, `+5`."""

    model_config = STRICT
    by: float
    relative: bool

    def of(self, amount: float) -> float:
        """The amount after it, never below 0."""
        return max(0.0, amount * (1 + self.by) if self.relative else amount + self.by)


def _shift(text: object) -> object:
    if isinstance(text, str) and (found := re.fullmatch(r"([+-]\d+(?:\.\d+)?)( ?%)?", text)):
        return SignedChange(by=float(found[1]) / (100 if found[2] else 1), relative=bool(found[2]))
    raise ValueError(f"expected a change with its sign, such as +20% or -5, got {text!r}")


Signed = Annotated[SignedChange, BeforeValidator(_shift)]


class Limit(BaseModel):
    """What a metric is compared with: a number, a multiple of the file's target of the metric, or of its own value in
    the days before the window: `40`, `{times: 2, of: target}`, `{times: 0.8, of: the 28 days before}`."""

    model_config = STRICT
    value: float | None = None
    times: PositiveFloat = 1.0
    of: Annotated[str, Field(pattern=r"^(target|the [1-9]\d{0,3} days before)$")] | None = None

    @model_validator(mode="after")
    def _either(self) -> "Limit":
        if (self.value is None) == (self.of is None):
            raise ValueError("expected a number, {times: N, of: target} or {times: N, of: the N days before}")
        return self

    @property
    def said(self) -> str:
        """As people read it."""
        return f"{self.value:g}" if self.value is not None else f"{self.times:g} times {self.of}"

    @property
    def before(self) -> int | None:
        """The days before the window that it is a multiple of."""
        found = re.search(r"\d+", self.of or "")
        return int(found[0]) if found else None


def _limit(given: object) -> object:
    return {"value": given} if isinstance(given, int | float) and not isinstance(given, bool) else given


Compared = Annotated[Limit, BeforeValidator(_limit)]


class Span(BaseModel):
    """Times of a week in which a rule is looked at every 30 minutes, both ends included; once without `to`."""

    model_config = _LISTS
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = WEEK
    start: Annotated[str, Field(alias="from", pattern=r"^([01]\d|2[0-3]):[03]0$")]
    to: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[03]0|24:00)$")] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Span":
        if self.to is not None and minutes(self.to) < minutes(self.start):
            raise ValueError(f"expected from before to, got from {self.start} to {self.to}")
        return self

    def holds(self, local: datetime) -> bool:
        """Whether the half hour that begins then is one of it."""
        begins = local.hour * 60 + local.minute
        last = minutes(self.to or self.start)
        return WEEK[local.weekday()] in self.days and minutes(self.start) <= begins <= last


class LookSchedule(BaseModel):
    """When a rule is looked at, in the account's time zone: `hourly`, `half-hourly`, `daily`, `daily at 08:00`, or
    spans of the week in half hours."""

    model_config = _LISTS
    spans: tuple[Span, ...] = Field(min_length=1)
    hourly: bool = False

    def slot(self, local: datetime) -> datetime | None:
        """The last half hour up to `local` at whose begin the rule was due; None where none was in the last week."""
        begin = local.replace(minute=local.minute // 30 * 30, second=0, microsecond=0, tzinfo=None)
        slots = (begin - place * SLOT for place in range(7 * 48))
        return next((one for one in slots if self._due(one)), None)

    @cached_property
    def looks(self) -> float:
        """Looks a day, on average."""
        monday = datetime.combine(date(2026, 6, 15), time())
        return sum(self._due(monday + place * SLOT) for place in range(7 * 48)) / 7

    def _due(self, local: datetime) -> bool:
        return (not self.hourly or local.minute == 0) and any(span.holds(local) for span in self.spans)


def _schedule(given: Any) -> object:
    whole_day = {"from": "00:00", "to": "23:30"}
    if isinstance(given, list):
        return {"spans": given}
    if given in ("hourly", "half-hourly"):
        return {"spans": [whole_day], "hourly": given == "hourly"}
    if isinstance(given, str) and (found := re.fullmatch(r"daily(?: at (\d\d:\d\d))?", given)):
        return {"spans": [{"from": found[1] or "00:00"}]}
    raise ValueError(f"expected hourly, half-hourly, daily, daily at HH:MM or a list of spans, got {given!r}")


When = Annotated[LookSchedule, BeforeValidator(_schedule)]


def minutes(text: str) -> int:
    """Minutes of the day."""
    return int(text[:2]) * 60 + int(text[3:])


def known(kind: str, names: Callable[[], tuple[str, ...]]) -> Any:
    """A validator of a name, which suggests the nearest one for an unknown."""
    from difflib import get_close_matches

    def check(given: object) -> object:
        if given in names():
            return given
        near = get_close_matches(str(given), names(), 1)
        hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(names())}"
        raise ValueError(f"unknown {kind} '{given}'; {hint}")

    return BeforeValidator(check)

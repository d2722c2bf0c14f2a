"""The conditions of rules: the operators of Meta's rule engine in words, joined by `all`, `any` and `not`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from serving.campaigns.rules.metrics import METRICS, RATES
from serving.campaigns.rules.words import STRICT, Compared, Days, DayWindow
from serving.campaigns.rules.words import known as one_of_known

#: Fields of objects that conditions may read; the words of `serving/integrations/change.py`.
FIELDS = (
    *("name", "status", "daily_budget", "total_budget", "bid", "keyword", "match", "url", "headlines", "bodies"),
    *("audiences", "placements", "countries", "labels", "age_days"),
)
#: Findings of the decision engine, by the names that it gives them.
TRIGGERS = (
    *("ctr_drop", "conversion_drop", "cost_increase", "cost_below_target", "competition", "platform_change"),
    *("seasonality_shift", "audience_shift", "budget_exhaustion", "under_delivery"),
)
#: The operators, as Meta names them, and the words for them here.
OPERATORS = {
    "GREATER_THAN": "above",
    "LESS_THAN": "below",
    "EQUAL": "is",
    "NOT_EQUAL": "is_not",
    "IN_RANGE": "between",
    "NOT_IN_RANGE": "outside",
    "IN": "one_of",
    "NOT_IN": "not_one_of",
    "CONTAIN": "contains",
    "NOT_CONTAIN": "contains_not",
    "ANY": "has_any",
    "ALL": "has_all",
    "NONE": "has_none",
}
_NUMERIC = ("above", "below", "between", "outside")
Value = float | str | bool
Pair = tuple[float, float]


class Condition(BaseModel):
    """A condition: one of `all`, `any`, `not`, `trigger`, or a `metric` or `field` with one operator.

    Attributes:
        over: the days that a metric or trigger is of.
        compare: `interval` answers only where the whole interval is on one side of the limit; `value` compares the
            number alone. Rates are compared by intervals, sums by value, unless told.
    """

    model_config = STRICT
    all: tuple["Condition", ...] | None = Field(None, min_length=1)
    any: tuple["Condition", ...] | None = Field(None, min_length=1)
    negated: "Condition | None" = Field(None, alias="not")
    trigger: Annotated[str, one_of_known("trigger", lambda: TRIGGERS)] | None = None
    metric: Annotated[str, one_of_known("metric", lambda: tuple(METRICS))] | None = None
    field: Annotated[str, one_of_known("field", lambda: FIELDS)] | None = None
    over: Days | None = None
    above: Compared | None = None
    below: Compared | None = None
    equal: Value | None = Field(None, alias="is")
    is_not: Value | None = None
    between: Pair | None = None
    outside: Pair | None = None
    one_of: tuple[Value, ...] | None = Field(None, min_length=1)
    not_one_of: tuple[Value, ...] | None = Field(None, min_length=1)
    contains: str | None = None
    contains_not: str | None = None
    has_any: tuple[str, ...] | None = Field(None, min_length=1)
    has_all: tuple[str, ...] | None = Field(None, min_length=1)
    has_none: tuple[str, ...] | None = Field(None, min_length=1)
    compare: Literal["interval", "value"] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> "Condition":
        kinds = {"all": self.all, "any": self.any, "not": self.negated, "trigger": self.trigger}
        kinds |= {"metric": self.metric, "field": self.field}
        given = [name for name, value in kinds.items() if value is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of {', '.join(kinds)}, got {' and '.join(given) or 'none'}")
        compared = self.metric is not None or self.field is not None
        operators = [word for word in OPERATORS.values() if getattr(self, _attribute(word)) is not None]
        if len(operators) != compared:
            raise ValueError(
                f"expected {'one operator' if compared else 'no operator'} ({', '.join(OPERATORS.values())}), got "
                f"{' and '.join(operators) or 'none'}"
            )
        self._fits(operators)
        return self

    def _fits(self, operators: list[str]) -> None:
        for pair in (self.between, self.outside):
            if pair is not None and pair[0] > pair[1]:
                raise ValueError(f"expected the lower end first, got {pair[0]:g} and {pair[1]:g}")
        if self.over is not None and (self.field or not (self.metric or self.trigger)):
            raise ValueError("over: expected with a metric or trigger only")
        if self.metric == "pacing" and self.over and self.over.text not in ("today", "yesterday"):
            raise ValueError("over: expected today or yesterday for pacing")
        self._metric_fits(operators)

    def _metric_fits(self, operators: list[str]) -> None:
        if self.compare == "interval" and (self.metric not in RATES or operators[0] not in _NUMERIC):
            raise ValueError(f"compare: expected interval only for {', '.join(RATES)} with {', '.join(_NUMERIC)}")
        if self.metric and operators[0] not in (*_NUMERIC, "is", "is_not", "one_of", "not_one_of"):
            raise ValueError(f"{operators[0]}: expected with a field, got the metric {self.metric}")
        limit = self.above or self.below
        if limit and limit.before and self.metric not in RATES:
            raise ValueError(f"of: expected the days before only for {', '.join(RATES)}")
        if self.field and limit and limit.of:
            raise ValueError("of: expected with a metric only")

    @property
    def operator(self) -> tuple[str, Any]:
        """The operator of a metric or field, and what it compares with."""
        found = ((word, getattr(self, _attribute(word))) for word in OPERATORS.values())
        return next((word, value) for word, value in found if value is not None)

    @property
    def by_interval(self) -> bool:
        """Whether the interval decides."""
        return self.metric in RATES and self.operator[0] in _NUMERIC and self.compare != "value"

    @property
    def window(self) -> DayWindow:
        """The days that it is of."""
        return self.over or DayWindow("today" if self.metric == "pacing" else "last 7 days")


def _attribute(word: str) -> str:
    return "equal" if word == "is" else word


def conditions(one: Condition) -> list[Condition]:
    """A condition and all that are in it."""
    inner = [*(one.all or ()), *(one.any or ()), *([one.negated] if one.negated else [])]
    return [one, *(found for below in inner for found in conditions(below))]

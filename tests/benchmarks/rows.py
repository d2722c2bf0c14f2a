"""A benchmark's rows: what was measured, beside what, towards which goal; kept in one JSON file."""

import json
import operator
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        low, high: its interval; `unit` says which (bootstrap, or quantiles over repeats) where it is not the bootstrap.
        baseline: the same figure of the field's usual answer, on the same data in the same run.
        goal: clauses such as `>= .850`, all of which must hold, parted by commas; empty where the figure is only told.
        absent: why there is no value; None when there is one.
    """

    name: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    goal: str = ""
    unit: str = ""
    seed: int | None = None
    data_hash: str | None = None
    absent: str | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached; None where there is no goal or no value."""
        if self.value is None or not self.goal:
            return None
        return all(_holds(self.value, clause) for clause in self.goal.split(","))


def _holds(value: float, clause: str) -> bool:
    sign, _, limit = clause.strip().partition(" ")
    if sign not in COMPARISONS:
        raise ValueError(f"goal '{clause}': expected one of {', '.join(COMPARISONS)}, a space and a number")
    return bool(COMPARISONS[sign](value, float(limit)))


def row(record: dict[str, Any]) -> Row:
    """A row from its JSON form. Raises ValueError naming unknown keys."""
    known = {field.name for field in fields(Row)}
    unknown = set(record) - known - {"met"}
    if unknown:
        raise ValueError(f"benchmark row {record.get('name')!r}: unknown keys {sorted(unknown)}")
    return Row(**{key: value for key, value in record.items() if key in known})


def chosen(name: str, only: str | None) -> bool:
    """Whether `--only` means this row: its name, or a part of it up to a dot, or any beginning."""
    return only is None or name.startswith(only)


def load(path: Path) -> list[Row]:
    """The rows of an earlier run; none if there was none."""
    return [row(record) for record in json.loads(path.read_text())] if path.exists() else []


def merge(earlier: Iterable[Row], fresh: Sequence[Row]) -> list[Row]:
    """Fresh rows in the place of earlier ones by the same name; the others are kept."""
    replaced = {one.name: one for one in fresh}
    kept = [replaced.pop(one.name, one) for one in earlier]
    return kept + list(replaced.values())


def write(path: Path, rows: Iterable[Row]) -> None:
    """The whole list or, if it fails, the earlier one untouched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps([{**asdict(one), "met": one.met} for one in rows], indent=2))
    aside.replace(path)


def spread(samples: npt.ArrayLike) -> tuple[float, float, float]:
    """Median, 10% and 90% quantile of repeated measurements: times are skewed, so no mean and no normal interval."""
    middle, low, high = np.quantile(np.asarray(samples, dtype=float), [0.5, 0.1, 0.9])
    return float(middle), float(low), float(high)


def resampled(samples: npt.ArrayLike, quantile: float, seed: int, times: int = 500) -> tuple[float, float, float]:
    """A quantile of `samples` with its 95% percentile bootstrap interval (Efron 1979)."""
    values = np.asarray(samples, dtype=float)
    rng = np.random.default_rng(seed)
    draws = np.quantile(rng.choice(values, (times, len(values))), quantile, axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(np.quantile(values, quantile)), float(low), float(high)

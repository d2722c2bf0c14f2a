"""What the report says, as data: filled by `reading`, drawn by `page`, `terminal` and `summary`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from serving.experiments.simulation.records import Simulation


@dataclass(frozen=True)
class Figure:
    """One metric on the held-out rows, with its bootstrap interval, beside the other models' on the same rows.

    Attributes:
        value: None where the rows leave it undefined, as everyone else's may be.
        low, high: the interval of `value`; None where none was estimated.
        baselines: the same metric of each baseline by its name, the naive one first.
        champion: the released model's, or None where nothing was released before.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    baselines: Mapping[str, float | None] = field(default_factory=dict)
    champion: float | None = None
    higher_is_better: bool = True


@dataclass(frozen=True)
class GateVerdict:
    """What one gate said and why."""

    gate: str
    passed: bool
    reason: str


@dataclass(frozen=True)
class CanaryStep:
    """One step of a release: the canary's share of the traffic, and how both sides did, figure by figure.

    Attributes:
        shift: distance between the two sides' distributions of answers (Kolmogorov-Smirnov, 0 to 1).
    """

    percent: int
    requests: int
    verdict: str
    reason: str
    shift: float | None = None
    canary: Mapping[str, float | None] = field(default_factory=dict)
    champion: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleaseCourse:
    """A release from its first step to its end. `outcome` is the state it stands in, `reason` why."""

    version: str
    outcome: str
    reason: str
    steps: tuple[CanaryStep, ...] = ()


@dataclass(frozen=True)
class FeatureDrift:
    """One monitored column against the training reference: the test's statistic and p-value, and how large the shift
    is (population stability index). `why` says what moved, where it is not the distribution as a whole.
    """

    feature: str
    statistic: float
    p_value: float
    psi: float
    drifted: bool
    why: str = ""


@dataclass(frozen=True)
class Drift:
    """What the monitors said of the newest requests; `drifted` is None where they are too few to say.

    Attributes:
        held: each metric on the requests whose outcome is known, and what it was at release.
    """

    drifted: bool | None
    rows: int
    detectors: str
    features: tuple[FeatureDrift, ...] = ()
    note: str = ""
    held: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class FamilyReport:
    """All the report says of one family; what has not happened yet is None or empty.

    Attributes:
        status: `champion`, `challenger`, `rejected`, … as the registry has it, and `reason` why.
        champion: the version that answers customers, this one or an earlier one.
        metrics: the first is the one that gates and canaries compare.
        held_out: a row a held-out customer with `truth`, `predicted`, optionally `naive`, and for amounts `low`,
            `high`, the prediction interval. None where the family's answers are not numbers to rank by.
        lineage: what the model was made of (git commit, data hash, params hash, seed, versions), in reading order.
        seconds: wall time of its last pipeline run.
    """

    name: str
    version: str | None = None
    status: str = "not registered"
    reason: str = ""
    champion: str | None = None
    metrics: tuple[Figure, ...] = ()
    gates: tuple[GateVerdict, ...] = ()
    held_out: pd.DataFrame | None = None
    lineage: Mapping[str, str] = field(default_factory=dict)
    release: ReleaseCourse | None = None
    drift: Drift | None = None
    seconds: float | None = None

    @property
    def headline(self) -> Figure | None:
        """The metric that gates and canaries compare."""
        return self.metrics[0] if self.metrics else None

    @property
    def passed(self) -> int:
        """How many gates let it through."""
        return sum(gate.passed for gate in self.gates)


@dataclass(frozen=True)
class Report:
    """The families in catalog order, the wall time of the whole run in seconds, and the last simulation, if any."""

    families: tuple[FamilyReport, ...]
    seconds: float | None = None
    simulation: "Simulation | None" = None

"""Data of the report: filled by `reading`, rendered by `page`, `terminal` and `summary`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from pipelines.example_picture import ExampleDrawing
    from pipelines.simulated_platforms import AppliedDay
    from serving.experiments.simulation.records import Simulation
    from serving.experiments.trials.findings import Findings
    from serving.listening.summary import Summary


@dataclass(frozen=True)
class Figure:
    """One metric on the held-out rows, with its bootstrap interval, and that of the other models on the same rows.

    Attributes:
        value: None where undefined on these rows.
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
    """The result of one gate, and its reason."""

    gate: str
    passed: bool
    reason: str


@dataclass(frozen=True)
class CanaryStep:
    """One step of a release: the canary's share of the traffic, and the figures of both sides.

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
    """A release with all of its steps. `outcome` is its state, `reason` why."""

    version: str
    outcome: str
    reason: str
    steps: tuple[CanaryStep, ...] = ()


@dataclass(frozen=True)
class FeatureDrift:
    """One monitored column against the training reference: the test's statistic and p-value, and the population
    stability index. `why` names what moved, where it is not the whole distribution.
    """

    feature: str
    statistic: float
    p_value: float
    psi: float
    drifted: bool
    why: str = ""


@dataclass(frozen=True)
class DriftReport:
    """Monitoring result of the newest requests; `drifted` is None where there are too few.

    Attributes:
        held: each metric on requests with a known outcome, and its value at release.
    """

    drifted: bool | None
    rows: int
    detectors: str
    features: tuple[FeatureDrift, ...] = ()
    note: str = ""
    held: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class FamilyReport:
    """Report of one family; fields of steps that have not run are None or empty.

    Attributes:
        status: `champion`, `challenger`, `rejected`, … in the registry, and `reason` why.
        champion: the released version, this one or an earlier one.
        metrics: gates and canaries compare the first.
        held_out: one row per held-out example with `truth`, `predicted`, optionally `naive`, and for amounts the
            prediction interval `low`, `high`. None where answers cannot be ranked.
        subject: what an example is of: `customer`, `creative`.
        lineage: git commit, data hash, params hash, seed and versions, in reading order.
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
    subject: str = "customer"
    lineage: Mapping[str, str] = field(default_factory=dict)
    release: ReleaseCourse | None = None
    drift: DriftReport | None = None
    seconds: float | None = None

    @property
    def headline(self) -> Figure | None:
        """The metric that gates and canaries compare."""
        return self.metrics[0] if self.metrics else None

    @property
    def passed(self) -> int:
        """Number of passed gates."""
        return sum(gate.passed for gate in self.gates)


@dataclass(frozen=True)
class Report:
    """The families in catalog order, the wall time of the whole run in seconds, the last simulation, if any, the
    findings of experiments, the last set of copy, if any, as `serving.content.draft.Set` has it, what was heard in the
    simulated stream of posts, what became of the simulated day at the platforms' stand-ins, and drawings of an example
    picture.
    """

    families: tuple[FamilyReport, ...]
    seconds: float | None = None
    simulation: "Simulation | None" = None
    experiments: "tuple[Findings, ...]" = ()
    copy: Mapping[str, Any] | None = None
    listening: "tuple[Summary, ...]" = ()
    applied: "tuple[AppliedDay, ...]" = ()
    drawings: "tuple[ExampleDrawing, ...]" = ()

"""A small report with something of everything: one family released, one rolled back, one new; generated customers."""

import numpy as np
import pandas as pd

from pipelines.report.records import (
    CanaryStep,
    DriftReport,
    FamilyReport,
    FeatureDrift,
    Figure,
    GateVerdict,
    ReleaseCourse,
    Report,
)
from serving.experiments.simulation.records import (
    BIDDERS,
    CONSTANT,
    LINEAR,
    Estimate,
    Hour,
    SimulatedCampaign,
    Simulation,
    Speed,
)


def chances(rows: int = 1500) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    predicted = rng.beta(1.2, 3.5, rows)
    truth = (rng.random(rows) < predicted).astype(int)
    return pd.DataFrame({"truth": truth, "predicted": predicted, "naive": rng.normal(predicted, 0.25)})


def amounts(rows: int = 1500) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    predicted = rng.lognormal(3.5, 1.1, rows)
    truth = np.where(rng.random(rows) < 0.35, 0.0, predicted * rng.lognormal(0.1, 0.7, rows))
    naive = rng.normal(predicted, 30)
    return pd.DataFrame(
        {"truth": truth, "predicted": predicted, "naive": naive, "low": 0.0 * predicted, "high": predicted * 2.4}
    )


def churn() -> FamilyReport:
    step = {"error rate": 0.0, "p95 ms": 7.91, "AUC": 0.861}
    return FamilyReport(
        name="churn",
        version="2",
        status="champion",
        metrics=(
            Figure("auc", 0.861, 0.842, 0.879, {"recency": 0.812, "logistic": 0.848}, champion=0.858),
            Figure("ece", 0.014, 0.009, 0.022, {"recency": 0.051, "logistic": 0.021}, 0.015, higher_is_better=False),
        ),
        gates=(
            GateVerdict("better than naive", True, "auc .861 over recency's .812: +.049 [.031, .066]"),
            GateVerdict("calibrated", True, "expected calibration error .014, at most .02 allowed"),
        ),
        held_out=chances(),
        lineage={
            "git commit": "a7900c2f",
            "data hash": "sha256:5d41402abc4b2a76b9719d911017c592ae2bd3f5",
            "params hash": "sha256:7d793037a0760186574b0282f2f435e7",
            "seed": "20171231",
            "xgboost": "3.2.0",
        },
        release=ReleaseCourse(
            "2",
            "released",
            "better or equal on every step",
            tuple(CanaryStep(percent, 200, "go on", "", 0.02, step, step) for percent in (10, 50, 100)),
        ),
        drift=DriftReport(
            False,
            2469,
            "alibi-detect",
            tuple(
                FeatureDrift(f"feature_{place}", 0.01 * place, 1 / (1 + place), 0.02 * place, False)
                for place in range(12)
            ),
        ),
        seconds=187.4,
    )


def ltv() -> FamilyReport:
    return FamilyReport(
        name="ltv",
        version="3",
        status="rejected",
        reason="gini is not better than past spend",
        metrics=(
            Figure("gini", 0.741, 0.718, 0.763, {"past spend": 0.745}),
            Figure("mae", 29.41, 27.8, 31.2, {"past spend": 39.4}, higher_is_better=False),
        ),
        gates=(GateVerdict("better than naive", False, "gini <b>.741</b> is not above past spend's .745"),),
        held_out=amounts(),
        lineage={"data hash": "sha256:9e107d9d372bb6826bd81d3542a419d6"},
        release=ReleaseCourse(
            "2",
            "rolled back",
            "the canary's errors rose",
            (CanaryStep(10, 212, "worse", "errors 4.2% against 0.0%", None, {"errors": 0.042}, {"errors": 0.0}),),
        ),
        drift=DriftReport(True, 900, "scipy", (FeatureDrift("recency_days", 0.31, 1e-9, 0.4, True),)),
        seconds=61.0,
    )


def simulation() -> Simulation:
    """Two campaigns and a day; the rules spend more than the engine, which is overspent on one campaign."""
    hours = [
        Hour(place, hour, bidder, 80, 70, 60.0 + hour, 20, 40.0 + 5 * paid, 0.5, 0, 0.0, 130.0 - 20 * paid)
        for place in range(2)
        for hour in range(24)
        for paid, bidder in enumerate(BIDDERS)
    ]
    ratio = {bidder: Estimate(3.25 - 0.5 * place, 2.5, 4.0) for place, bidder in enumerate(BIDDERS)}
    return Simulation(
        seed=7,
        days=1,
        versions={"bidding": "2"},
        campaigns=tuple(SimulatedCampaign("a", f"c<{place}>", 1000.0, 1900.0, 80_000.0, 65.0) for place in range(2)),
        hours=tuple(hours),
        spend_of_budget=dict.fromkeys(BIDDERS, 0.96),
        worth_per_spend=ratio,
        value_per_spend=dict.fromkeys(BIDDERS, Estimate(None, None, None)),
        against={CONSTANT: Estimate(1.31, 1.25, 1.52), LINEAR: Estimate(1.03, None, None)},
        alone=Speed(96, 96, 1.5, 9.25, 600.0),
        batched=Speed(96, 3264, 22.0, 41.0, 1512.0),
        guardrails={"account_limit": 82, "bid_ratio": 4},
        arms={"policy": 3000},
        actions={"bid": 3000},
        carried_out=3,
        feedback={"joined": 3000, "again": 0, "waits": 12},
        overspent=("account a spent 2 of 1 on day 0",),
        settled=True,
        seconds=28.0,
    )


def report() -> Report:
    return Report((churn(), ltv(), FamilyReport("bidding")), seconds=412.0, simulation=simulation())

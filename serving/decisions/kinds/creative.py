"""The creative to show, of several candidates: Thompson sampling, with the model's prediction as the prior."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from statistics import fmean
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from serving.decisions.case import Case, Draft, amount, uniform_of
from serving.decisions.fields import CLOSED, Features, Key
from serving.decisions.kinds.kind import Kind, Need
from serving.decisions.params import DecisionParams
from serving.decisions.records import Action, Decision, Opportunity, WindowedCounters
from serving.decisions.rules import bandit, guardrails
from serving.decisions.rules.bandit import Rate
from serving.decisions.rules.guardrails import Changed
from serving.decisions.state.store import Exposure

FAMILY = "creative"
#: Most candidates of one decision.
MOST = 200
#: Prior of a rate without a prediction: the mean where nothing is known of other creatives either, and the number of
#: trials that it counts for.
UNKNOWN: Mapping[str, tuple[float, float]] = {"ctr": (0.01, 500.0), "conversion_rate": (0.02, 50.0)}
#: Least predicted rate; a smaller one would be beyond what can be compared.
LEAST = 1e-6
#: Mean of an untested creative relative to that of all: those with most impressions kept running because they do well.
UNTESTED = 0.8


@dataclass(frozen=True, slots=True)
class Placement(Opportunity):
    """A place for an ad, and the creatives that may be shown in it.

    Attributes:
        candidates: creatives that may be shown, each with its own model inputs, such as the headline of one that the
            feature store does not have yet. Those that came or went since the last request need no announcement.
        identify: learn which candidate is the best, rather than earn most meanwhile.
        customer_id: who sees it; a customer keeps a creative while the shares allow.
    """

    compares: ClassVar[bool] = True

    candidates: Annotated[dict[Key, Features], Field(min_length=1, max_length=MOST, json_schema_extra=CLOSED)] = field(
        kw_only=True
    )
    identify: Annotated[bool, Field(strict=True)] = False
    asked: Literal["creative"] = "creative"


def candidates(placement: Placement) -> Sequence[Opportunity]:
    """The placement as models see it, once for each candidate."""
    own: dict[str, Any] = {one.name: getattr(placement, one.name) for one in fields(Opportunity)}
    return [
        Opportunity(**(own | {"creative_id": name, "features": {**placement.features, **features}}))
        for name, features in placement.candidates.items()
    ]


def policy(case: Case[Placement]) -> Draft:
    """A creative drawn by its probability to be the best; for a holdout each with the same, to compare both."""
    names, aside = available(case)
    if not names:
        return Draft(Action.HOLD, case.opportunity.campaign_id, f"nothing to show: {'; '.join(aside.values())}")
    holdout, unit = case.params.exploration.holdout, case.opportunity.customer_id or case.opportunity.opportunity_id
    held = uniform_of(unit, case.opportunity, case.seed, "arm") < holdout
    learnt = _by_chance_to_be_best(case, names)
    shares = [1 / len(names)] * len(names) if held else learnt
    taken = names[
        bandit.draw(shares, [uniform_of(unit, case.opportunity, case.seed, f"creative {name}") for name in names])
    ]
    whole = _with_holdout(case, names, learnt, aside)
    why = "holdout: each with the same probability" if held else f"drawn for {whole[taken]:.0%} of users"
    expected = f"expected {case.params.creatives.goal} {1000 * rate(case, taken).mean:.3g} in a thousand"
    return Draft(
        Action.SHOW_CREATIVE,
        taken,
        f"{why}; {expected}",
        dimension="creative",
        arm="baseline" if held else "policy",
        propensity=whole[taken],
        explored=held,
        propensities=whole,
    )


def propensities(case: Case[Placement]) -> dict[str, float]:
    """The probability of each candidate to be shown, holdout included; 0 for one that may not be."""
    names, aside = available(case)
    return _with_holdout(case, names, _by_chance_to_be_best(case, names) if names else (), aside)


def _with_holdout(
    case: Case[Placement], names: Sequence[str], shares: Sequence[float], aside: Iterable[str]
) -> dict[str, float]:
    """Propensities from the policy's shares."""
    holdout = case.params.exploration.holdout
    whole = [holdout / len(names) + (1 - holdout) * share for share in shares]
    return {**dict.fromkeys(aside, 0.0), **dict(zip(names, whole, strict=True))}


def _by_chance_to_be_best(case: Case[Placement], names: Sequence[str]) -> Sequence[float]:
    """The policy's shares: each candidate's probability to be the best, and no less than the floor."""
    shares = bandit.best(tuple(rate(case, name) for name in names))
    if case.opportunity.identify:
        shares = bandit.top_two(shares)
    return bandit.at_least(shares, case.params.creatives.floor)


def available(case: Case[Placement]) -> tuple[list[str], dict[str, str]]:
    """The candidates that may be shown, and why each other may not."""
    aside: dict[str, str] = {}
    for name in case.opportunity.candidates:
        if name in case.state.resting:
            aside[name] = f"'{name}' rests: {case.state.resting[name]}"
        elif case.state.shown.get(name, 0) >= case.params.creatives.cap:
            aside[name] = f"the customer was shown '{name}' {case.params.creatives.cap} times today"
    return [name for name in case.opportunity.candidates if name not in aside], aside


def rate(case: Case[Placement], name: str) -> Rate:
    """What is known of the goal's rate per impression of a candidate."""
    seen, params = case.state.arms.get(name, WindowedCounters()), case.params.creatives
    clicks, impressions = seen.recent.clicks + seen.past.clicks, seen.recent.impressions + seen.past.impressions
    clicked = bandit.posterior(*_prior(case, name, "ctr"), clicks, impressions)
    if params.goal == "clicks":
        return clicked
    # A recent click without a conversion may still bring one, so it is no evidence yet.
    return clicked.times(
        bandit.posterior(*_prior(case, name, "conversion_rate"), seen.past.conversions, seen.past.clicks)
    )


def _prior(case: Case[Placement], name: str, answer: str) -> tuple[float, float]:
    """Mean and strength of a rate's prior: the model's prediction, as far as the model has proved calibrated.

    Without a prediction, the mean of the other candidates' predictions, or of what came of all.
    """
    said = case.predictions.candidates
    own = said.get(name, {})
    mean, strength = amount(own.get(answer)), amount(own.get(f"{answer}_strength"))
    if mean is not None and strength is not None and mean < 1:
        return max(mean, LEAST), min(max(strength, 1.0), case.params.creatives.prior)
    others = [
        max(found, LEAST) for one in said.values() if (found := amount(one.get(answer))) is not None and found < 1
    ]
    return (fmean(others) if others else UNTESTED * _pooled(case, answer)), UNKNOWN[answer][1]


def _pooled(case: Case[Placement], answer: str) -> float:
    """The rate of all arms together, with the prior of an unknown one."""
    hits, trials = ("clicks", "impressions") if answer == "ctr" else ("conversions", "clicks")
    windows = [window for arm in case.state.arms.values() for window in (arm.recent, arm.past)]
    known, seen = (sum(int(getattr(one, name)) for one in windows) for name in (hits, trials))
    return bandit.posterior(*UNKNOWN[answer], known, seen).mean


def equal_rotation(draft: Draft, case: Case[Any]) -> Changed:
    """After a failure of the store or the clock, each candidate with the same probability: nothing else is known."""
    wrong = guardrails.state_fault(case)
    if wrong is None or draft.action is Action.HOLD:
        return None
    names = list(case.opportunity.candidates)
    equal = dict.fromkeys(names, 1 / len(names))
    taken = bandit.draw(list(equal.values()), [case.uniform(f"creative {name}") for name in names])
    reason = f"each with the same probability: {wrong}"
    shown = draft.left(
        target=names[taken],
        reason=reason,
        arm="fallback",
        propensity=1 / len(names),
        explored=False,
        propensities=equal,
    )
    return shown, wrong


def exposed(decision: Decision, placement: Placement, params: DecisionParams) -> Exposure | None:
    """The exposure of a decision that shows a creative."""
    if decision.action is not Action.SHOW_CREATIVE:
        return None
    return Exposure(
        decision.opportunity_id,
        decision.account_id,
        decision.campaign_id,
        decision.target,
        placement.customer_id,
        decision.decided_at,
        params.creatives.cap,
    )


def judged(made: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Labels of the creatives that were seen, each with one impression."""
    seen = made[made["action"].eq(Action.SHOW_CREATIVE) & made["impression"].eq(1)]
    clicks = seen["click"].astype(float)
    return pd.DataFrame(
        {
            "ctr": clicks,
            "conversion_rate": seen["conversions"].clip(upper=1).where(clicks > 0),
            "impressions": 1.0,
            "clicks": clicks,
            "of_creative": seen["target"],
            "of_campaign": seen["campaign_id"],
            **dict.fromkeys(("engagement", "cpc", "spend"), np.nan),
        },
        seen.index,
    )


KIND = Kind(
    name="creative",
    request=Placement,
    example={
        "opportunity_id": "page-7f3a",
        "occurred_at": 1767225600.0,
        "account_id": "acme",
        "campaign_id": "spring",
        "asked": "creative",
        "channel": "feed",
        "customer_id": "c00042",
        "candidates": {"shoes-1": {}, "shoes-2": {"headline": "Dry feet on every trail"}},
    },
    needs={
        **{name: Need(FAMILY, name, "creative_id") for name in ("ctr", "ctr_strength")},
        **{
            name: Need(FAMILY, name, "creative_id", optional=True)
            for name in ("conversion_rate", "conversion_rate_strength")
        },
    },
    policy=policy,
    guardrails=(
        ("equal_rotation", equal_rotation),
        ("kill_switch", guardrails.kill_switch),
    ),
    learnt_from=FAMILY,
    renewed=False,
    judged=judged,
    credited=lambda draft: draft.target if draft.action is Action.SHOW_CREATIVE else None,
    candidates=candidates,
    exposed=exposed,
)

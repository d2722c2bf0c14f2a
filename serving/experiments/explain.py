"""Explains a decision as text."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from features.lake import Place
from serving.decisions.log.entry import Entry, find
from serving.decisions.records import Decision, GuardrailEffect, Trigger


def explain(place: Place, decision_id: str) -> str:
    """Explain a decision, once per request for it. Raises `LookupError` for a decision that is not logged."""
    return "\n\n".join(_told(entry) for entry in find(place, decision_id))


def _told(entry: Entry) -> str:
    decision = entry.decision
    grant = "not needed" if entry.grant is None else f"{entry.grant.status} {entry.grant.why}".strip()
    drawn = f"{decision.arm}, propensity {decision.propensity:.4g}{', exploration' if decision.explored else ''}"
    lines = [
        f"{_moment(entry.logged_at)}: {_done(decision)}",
        f"  campaign     {decision.campaign_id} of account {decision.account_id}",
        f"  because      {decision.reason}",
        *_listed("triggers", [_trigger(one) for one in decision.triggers]),
        *_listed("guardrails", [_touch(one) for one in decision.guardrails]),
        f"  decided by   {drawn}",
        f"  money        {grant}",
        f"  versions     {_pairs(decision.versions) or 'no model answered'}",
        f"  replayed by  seed {decision.seed}, parameters {entry.params[:12]}",
    ]
    return "\n".join(lines)


def _done(decision: Decision) -> str:
    done = f"{decision.action.value.replace('_', ' ')} for {decision.target}"
    if decision.dimension:
        done += f" ({decision.dimension}{f', from {decision.source}' if decision.source else ''})"
    if decision.amount is not None:
        done += f": {decision.amount:.6g} {decision.unit or ''}".rstrip()
    return done if decision.before is None else f"{done}, before {decision.before:.6g}"


def _listed(title: str, lines: list[str]) -> list[str]:
    return [f"  {title if at == 0 else '':<12} {line}" for at, line in enumerate(lines or ["none"])]


def _trigger(trigger: Trigger) -> str:
    chance = f", by chance {trigger.chance:.2g}" if trigger.chance else ""
    evidence = f" ({_pairs(trigger.evidence)})" if trigger.evidence else ""
    return f"{trigger.name}: {trigger.statistic:.4g}, threshold {trigger.threshold:.4g}{chance}{evidence}"


def _touch(touch: GuardrailEffect) -> str:
    return f"{touch.guardrail}: {_amount(touch.found)} -> {_amount(touch.left)}, {touch.why}"


def _amount(amount: float | None) -> str:
    return "none" if amount is None else f"{amount:.6g}"


def _pairs(named: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in named.items())


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

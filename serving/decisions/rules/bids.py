"""The bid multiplier of a campaign."""

from typing import Any

from serving.decisions.case import Case


def multiplier(case: Case[Any]) -> float:
    """The campaign's multiplier, clipped to its span."""
    span = case.params.changes.span
    return min(max(case.state.changes.multiplier, 1 / span), span)

"""What all bids of a campaign are multiplied by."""

from typing import Any

from serving.decisions.case import Case


def multiplier(case: Case[Any]) -> float:
    """The campaign's multiplier, within its span."""
    span = case.params.changes.span
    return min(max(case.state.changes.multiplier, 1 / span), span)

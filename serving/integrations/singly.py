"""Batches for platforms that take one change a call."""

from collections.abc import Callable, Sequence

from serving.integrations.change import Change
from serving.integrations.platform import CallRefused, Outcome, PlatformError, Throttled


def singly(changes: Sequence[Change], bring: Callable[[Change], str]) -> list[Outcome]:
    """The outcomes of changes that leave in a call each; `bring` gives the id of what it made.

    A fault of a later call leaves the rest for the next batch, because what was done before it is known to be done.
    """
    outcomes = list[Outcome]()
    for change in changes:
        try:
            outcomes.append(Outcome(change.change_id, bring(change)))
        except CallRefused as refused:
            outcomes.append(Outcome(change.change_id, fault=refused.fault))
        except PlatformError as fault:
            if not outcomes:
                raise
            wait_s = fault.wait_s if isinstance(fault, Throttled) else 0.0
            rest = changes[len(outcomes) :]
            return [*outcomes, *(Outcome(one.change_id, wait_s=wait_s) for one in rest)]
    return outcomes

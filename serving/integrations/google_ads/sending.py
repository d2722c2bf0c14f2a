"""Sends the operations of changes, and tells what became of each change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from serving.integrations.google_ads import errors
from serving.integrations.google_ads.connection import GoogleAdsConnection
from serving.integrations.platform import Outcome

#: What Google says to a new name that it has: as new names end with markers, the change was done before.
DONE = ("campaign_error DUPLICATE_CAMPAIGN_NAME", "ad_group_error DUPLICATE_ADGROUP_NAME")
#: The operations of changes, by `change_id`.
Ready = Mapping[str, Sequence[Any]]


def send(connection: GoogleAdsConnection, ready: Ready, creates: bool, dry_run: bool) -> Iterator[Outcome]:
    """Send the operations of changes and give the outcome of each.

    Changes of one operation are sent so that each counts for itself. Where changes take several (a campaign and its
    budget), the whole call counts or nothing of it, so that no part of a change is left behind; those without a fault
    are sent again without the others.
    """
    owners = [change_id for change_id, operations in ready.items() for _ in operations]
    flat = [operation for operations in ready.values() for operation in operations]
    whole = len(flat) > len(ready)
    try:
        answer = connection.mutate(flat, not whole, dry_run) if flat else None
    except errors.OperationsRefused as refused:
        wrong = _by_change(refused.errors, owners)
        yield from (_outcome(change_id, error, creates) for change_id, error in wrong.items())
        yield from send(connection, {name: one for name, one in ready.items() if name not in wrong}, creates, dry_run)
        return
    wrong = _by_change(errors.of_answer(answer), owners) if answer else {}
    made = _made(answer.mutate_operation_responses, owners) if answer else {}
    for name in ready:
        yield _outcome(name, wrong[name], creates) if name in wrong else Outcome(name, made.get(name, ""))


def _by_change(wrong: Mapping[int, Any], owners: Sequence[str]) -> dict[str, Any]:
    """The first error of each change: a campaign whose budget is refused is refused for its budget too."""
    return {owners[place]: wrong[place] for place in sorted(wrong, reverse=True)}


def _outcome(change_id: str, error: Any, creates: bool) -> Outcome:
    wait_s = errors.wait_s(error)
    if creates and errors.code(error) in DONE:
        return Outcome(change_id, unknown=True)
    return Outcome(change_id, wait_s=wait_s) if wait_s else Outcome(change_id, fault=errors.fault(error))


def _made(responses: Sequence[Any], owners: Sequence[str]) -> dict[str, str]:
    """The ids of objects in the responses, by change: a campaign's comes after its budget's and before its places'."""
    found = dict[str, str]()
    for change_id, response in zip(owners, responses, strict=False):  # a dry run has none
        for field, result in response.ListFields():
            if field.name != "campaign_budget_result":
                found.setdefault(change_id, result.resource_name.rpartition("/")[2])
    return found

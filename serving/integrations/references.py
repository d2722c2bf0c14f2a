"""References of changes to objects that other changes create (`change:ID`)."""

from dataclasses import replace
from typing import Any

from serving.integrations.change import CREATED_BY, Change
from serving.integrations.ledger import WriteLedger


def references(change: Change) -> list[str]:
    """The changes that create what this one names."""
    values = [change.parent, change.target]
    for value in change.fields.values():
        values += value if isinstance(value, list) else [value]
    return [one.removeprefix(CREATED_BY) for one in values if isinstance(one, str) and one.startswith(CREATED_BY)]


def resolved(change: Change, ledger: WriteLedger) -> Change | None:
    """The change with the platform's ids in place of references; None where one is not created yet."""
    named = references(change)
    if not named:
        return change
    ids = {CREATED_BY + one: ledger.object_of(one) for one in named}
    if not all(ids.values()):
        return None

    def by_id(value: Any) -> Any:
        if isinstance(value, list):
            return [by_id(one) for one in value]
        return ids.get(value, value) if isinstance(value, str) else value

    fields = {name: by_id(value) for name, value in change.fields.items()}
    return replace(change, parent=by_id(change.parent), target=by_id(change.target), fields=fields)


def sent(change: Change, ledger: WriteLedger) -> Change:
    """The same of a change that was sent, so that all it names exists."""
    found = resolved(change, ledger)
    if found is None:
        raise LookupError(f"change {change.change_id}: was sent before what it belongs to was created")
    return found

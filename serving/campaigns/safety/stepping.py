"""Large changes in steps: the first leaves at once, the rest is queued behind the limits of an hour and a day."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from serving.campaigns.safety.guard import MONEY, Guarded
from serving.campaigns.safety.rates import step_of
from serving.integrations.change import Change


def stepped(change: Change, known: Guarded) -> Iterator[Change]:
    """The change as changes of at most a step each, in order; as it is where it is small, or takes another back."""
    shown, step = known.shown(change), step_of(change, known)
    if change.doing != "update" or change.undoes:
        yield change
        return
    courses = {
        name: _course(float(shown.get(name) or 0.0), float(change.fields[name]), step)
        for name in MONEY
        if name in change.fields
    }
    steps = max([1, *map(len, courses.values())])
    for number in range(1, steps + 1):
        amounts = {name: course[min(number, len(course)) - 1] for name, course in courses.items()}
        said = f"{change.reason} (step {number} of {steps})" if steps > 1 else change.reason
        change_id = f"{change.change_id}/step-{number}" if steps > 1 else change.change_id
        yield replace(change, change_id=change_id, fields={**change.fields, **amounts}, reason=said)


def intend(known: Guarded, changes: Iterable[Change]) -> list[str]:
    """Write automatic changes to the ledger, large ones in steps; returns the ids of the new ones."""
    return known.ledger.intend([one for change in changes for one in stepped(change, known)], known.now())


def _course(before: float, after: float, step: float) -> list[float]:
    """Amounts from the first step to the wanted one."""
    found, amount = list[float](), before
    while before > 0 and abs(after / amount - 1) > step:
        amount *= 1 + step if after > amount else 1 - step
        found.append(round(amount, 2))
        amount = found[-1]
    return [*found, after]

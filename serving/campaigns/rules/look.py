"""What one look at an account finds, and what earlier looks did."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.campaigns.rules.answers import Tri
from serving.campaigns.rules.caps import Past
from serving.campaigns.rules.objects import Place
from serving.campaigns.rules.wishes import Wish
from serving.integrations.change import Change

#: A rule's queued change of a field of an object.
QueueKey = tuple[str, Place, str]


@dataclass(frozen=True)
class RuleMemory:
    """What earlier looks did.

    Attributes:
        past: by object and field.
        queue: values that are still to be reached.
        changes_today: of all rules, in the account's day.
    """

    past: Mapping[tuple[Place, str], Past] = field(default_factory=dict)
    queue: Mapping[QueueKey, float] = field(default_factory=dict)
    changes_today: int = 0


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What a rule said of an object in a half hour, why, and what was done."""

    rule: str
    slot: str
    place: Place
    tri: Tri
    why: str
    done: tuple[str, ...] = ()
    change_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MadeChange:
    """A change with its wish, for the memory."""

    change: Change
    wish: Wish


@dataclass
class Evaluation:
    """One look.

    Attributes:
        slots: the half hour that each rule was due in, in UTC.
        queue: what is still to be reached afterwards, of the rules that were looked at.
        notices, pings: what people and endpoints are told: text or URL, with its verdict.
    """

    slots: dict[str, str]
    verdicts: list[RuleVerdict] = field(default_factory=list)
    made: list[MadeChange] = field(default_factory=list)
    queue: dict[QueueKey, float] = field(default_factory=dict)
    notices: list[tuple[str, RuleVerdict]] = field(default_factory=list)
    pings: list[tuple[str, RuleVerdict]] = field(default_factory=list)

    @property
    def changes(self) -> list[Change]:
        """The changes to intend."""
        return [one.change for one in self.made]


def told(rule: str) -> str:
    """What stands in place of a field where people were told of an object."""
    return f"told by {rule}"

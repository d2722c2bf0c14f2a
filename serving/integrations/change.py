"""A change that is wanted of a platform, in the same words for all platforms.

Fields of objects; money in the account's currency, times in UTC as `2026-12-01T08:00:00Z`:

| field | of | value |
|---|---|---|
| `name` | all | text |
| `status` | all | `live`, `paused` or `removed` |
| `daily_budget`, `total_budget` | campaign, ad_group | amount |
| `bid` | ad_group, keyword, ad | highest amount of a click (`bid_unit`: `click`, `mille` or `conversion`) |
| `starts_at`, `ends_at` | campaign, ad_group | time |
| `keyword`, `match` | keyword | text; `exact`, `phrase` or `broad` |
| `headlines`, `bodies`, `url`, `image` | ad | lists of texts; URL |
| `audiences`, `placements`, `countries` | ad_group | lists |

Integrations name further fields in their capability tables.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Literal

#: `create` makes an object, `update` sets fields of one, `send` delivers what cannot be changed afterwards (an event,
#: a message).
Doing = Literal["create", "update", "send"]
Fields = Mapping[str, Any]
#: Fields that platforms measure: they change without anybody's edit. Keywords have a quality score, of 10.
MEASURED = frozenset({"quality_score"})
#: Prefix of `parent` or `target` where the object is one that another change of the ledger creates.
CREATED_BY = "change:"


@dataclass(frozen=True, slots=True)
class Change:
    """One wanted change of one object.

    Attributes:
        change_id: given by who wants it. The same id is the same change: it is brought to the platform once.
        account: the platform's account.
        object: type of the object: `campaign`, `ad_group`, `ad`, `keyword`, `audience`, `lead`, `event`, ...
        fields: wanted values, in the words of this module. Absolute ones only: `daily_budget: 60`, never `+10`.
        reason, by: why and by whom, as shown to people.
        target: the platform's id of an existing object; empty where the change creates one.
        parent: the platform's id of the object that it belongs to.
        campaign: adloop's campaign, for stops and approvals; empty where it belongs to none.
        decision_id: the decision that it carries out.
        undoes: the change that it takes back.
    """

    change_id: str
    platform: str
    account: str
    object: str
    doing: Doing
    fields: Fields
    reason: str
    by: str
    target: str = ""
    parent: str = ""
    campaign: str = ""
    decision_id: str = ""
    undoes: str = ""

    def __post_init__(self) -> None:
        for name in ("change_id", "platform", "account", "object", "reason", "by"):
            if not getattr(self, name):
                raise ValueError(f"change: {name}: expected a text, got ''")
        if bool(self.target) != (self.doing == "update"):
            raise ValueError(f"change {self.change_id}: target: expected the object's id for an update, and only then")
        if not self.fields:
            raise ValueError(f"change {self.change_id}: fields: expected at least one")
        try:
            json.dumps(self.fields, allow_nan=False)
        except (TypeError, ValueError) as fault:
            raise ValueError(f"change {self.change_id}: fields: expected finite JSON values ({fault})") from None

    @property
    def marker(self) -> str:
        """What is written into the platform's object so that it can be found again: 16 hexadecimal digits, the same
        for the same `change_id`. Platforms have no idempotency keys, but names, labels or custom fields."""
        return hashlib.sha256(f"{self.platform}/{self.account}/{self.change_id}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class PlatformFault:
    """Why a platform refused a change.

    Attributes:
        code: the platform's own.
        field: in the words of this module where it is known, else the platform's path; empty where it tells none.
    """

    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class PlatformObject:
    """An object as the platform shows it, in the words of this module.

    Attributes:
        fields: all that the integration can read.
        version: the platform's version or time of the last edit, where it tells one.
    """

    object: str
    object_id: str
    fields: Fields
    parent: str = ""
    version: str = ""


#: `intended`: to be sent; `sending`: sent, or about to be, and the answer is not known; `sent`: the platform said yes;
#: `confirmed`: read back as wanted; `refused`: the platform said no, or shows something else; `held`: the object was
#: edited by others, a person decides; `cancelled`: given up before it was sent.
Status = Literal["intended", "sending", "sent", "confirmed", "refused", "held", "cancelled"]
OPEN: tuple[Status, ...] = ("intended", "sending", "sent")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A change in the ledger.

    Attributes:
        object_id: the platform's id, once it is known.
        before: fields of the object before the change, for `undo`; only those that it sets.
        tries: how often it was sent.
        sent_at: Unix seconds of the last sending; 0 before.
    """

    change: Change
    status: Status = "intended"
    object_id: str = ""
    before: Fields = field(default_factory=dict)
    tries: int = 0
    sent_at: float = 0.0
    fault: PlatformFault | None = None


_PARTS = tuple(one.name for one in fields(Change))


def to_json(change: Change) -> str:
    """The change as JSON, equal for equal changes."""
    said = {name: getattr(change, name) for name in _PARTS}  # no `asdict`, which copies all that is in it
    return json.dumps(said, sort_keys=True, ensure_ascii=False)


@lru_cache(maxsize=20_000)
def from_json(text: str) -> Change:
    """The change of `to_json`. Open changes are read again and again."""
    return Change(**json.loads(text))


def same(wanted: Any, shown: Any) -> bool:
    """Whether the platform shows the wanted value: numbers to a millionth, lists in any order, nothing for what is
    empty."""
    if shown is None:
        return wanted is None or wanted in ("", [])
    if isinstance(wanted, bool) or isinstance(shown, bool):
        return wanted is shown
    if isinstance(wanted, int | float) and isinstance(shown, int | float):
        return abs(wanted - shown) <= 1e-6 * max(1.0, abs(wanted))
    if isinstance(wanted, list) and isinstance(shown, list):
        return len(wanted) == len(shown) and all(map(same, _sorted(wanted), _sorted(shown)))
    return bool(wanted == shown)


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))


def differing(wanted: Fields, shown: Fields) -> list[str]:
    """The wanted fields that the platform shows otherwise."""
    return [name for name, value in wanted.items() if not same(value, shown.get(name))]

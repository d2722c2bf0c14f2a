"""What the fake of PostHog keeps."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from serving.integrations.change import Fields

PROJECT, PROJECT_KEY, PERSONAL_KEY = "1", "phc_s3cr3t", "phx_s3cr3t"
OWNER = "adloop@example.com"


def new_flag(place: str, key: str, name: str, percentage: float | None, active: bool = True) -> dict[str, Any]:
    filters = {"groups": [{"properties": [], "rollout_percentage": percentage}], "payloads": {}}
    return {
        **{"id": int(place), "key": key, "name": name, "active": active, "deleted": False},
        **{"filters": filters, "version": 1},
    }


@dataclass
class PosthogState:
    """Attributes:
    events: as they came, those that came twice twice: PostHog merges them some time later.
    flags: by id.
    activity: who edited what, the newest first.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    flags: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"1": new_flag("1", "new-checkout", "The new checkout", 5.0)}
    )
    activity: list[dict[str, Any]] = field(default_factory=list)

    def change_flag(self, place: str, body: Mapping[str, Any], by: str) -> dict[str, Any]:
        """Set fields of a flag, as PostHog names them."""
        flag = self.flags[place]
        wanted = {
            name: value for name, value in body.items() if name in ("key", "name", "active", "deleted", "filters")
        }
        changed = [{"field": name} for name, value in wanted.items() if flag[name] != value]
        flag |= {**wanted, "version": flag["version"] + 1}
        self.log(place, by, "updated", changed)
        return flag

    def log(self, place: str, by: str, activity: str, changes: Sequence[Mapping[str, Any]] = ()) -> None:
        line = {
            **{"user": {"email": by}, "activity": activity, "scope": "FeatureFlag", "item_id": place},
            **{"detail": {"changes": list(changes)}, "created_at": datetime.now(UTC).isoformat()},
        }
        self.activity.insert(0, line)

    def enabled(self, key: str, person: str) -> bool:
        """Whether a flag is on for a person: PostHog hashes key and person to a share."""
        flag = next((one for one in self.flags.values() if one["key"] == key and not one["deleted"]), None)
        if flag is None or not flag["active"]:
            return False
        share = flag["filters"]["groups"][0]["rollout_percentage"]
        drawn = int(hashlib.sha1(f"{key}.{person}".encode()).hexdigest()[:15], 16) / 0xFFFFFFFFFFFFFFF  # noqa: S324
        return share is None or drawn <= share / 100

    def objects(self) -> Mapping[str, Any]:
        return {"events": self.events, "flags": self.flags}

    def markers(self) -> Sequence[str]:
        found = [str(one["properties"].get("adloop", "")) for one in self.events]
        return [one for one in found if one] + [
            one["name"].partition("[adloop ")[2].rstrip("]") for one in self.flags.values() if "[adloop " in one["name"]
        ]

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        body: dict[str, Any] = {}
        if "percentage" in fields:
            groups = [{"properties": [], "rollout_percentage": fields["percentage"]}]
            body["filters"] = {**self.flags[object_id]["filters"], "groups": groups}
        if "status" in fields:
            body["active"] = fields["status"] == "live"
        self.change_flag(object_id, body, by)

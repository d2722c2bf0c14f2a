"""What the fake of Google Analytics keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from serving.integrations.change import Fields

PROPERTY, ACCOUNT, STREAM, API_SECRET = "1", "accounts/7", "G-ADLOOP", "mp-s3cr3t"


def _first() -> dict[str, dict[str, Any]]:
    name = f"properties/{PROPERTY}/audiences/1"
    told = {"displayName": "All users", "description": "All users", "membershipDurationDays": 30, "filterClauses": []}
    return {"1": {"name": name, **told}}


@dataclass
class GoogleAnalyticsState:
    """Attributes:
    audiences: by id.
    archived: ids that are shown no more.
    visits: rows of reports: customer, hour in the property's time, campaign, channel, sessions, key events.
    quota: what is left of each quota.
    thresholded: whether reports withhold rows.
    """

    audiences: dict[str, dict[str, Any]] = field(default_factory=_first)
    archived: set[str] = field(default_factory=set)
    history: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    visits: list[tuple[str, str, str, str, int, int]] = field(default_factory=list)
    quota: dict[str, int] = field(
        default_factory=lambda: {
            **{"tokensPerDay": 200_000, "tokensPerHour": 40_000, "tokensPerProjectPerHour": 14_000},
            **{"concurrentRequests": 10, "serverErrorsPerProjectPerHour": 10},
            **{"potentiallyThresholdedRequestsPerHour": 120},
        }
    )
    thresholded: bool = False

    def change_audience(self, place: str, action: str, by: str) -> None:
        """Note who changed an audience."""
        now = datetime.now(UTC).isoformat()
        resource = {"resource": f"properties/{PROPERTY}/audiences/{place}", "action": action}
        self.history.append(
            {"id": str(len(self.history)), "changeTime": now, "userActorEmail": by, "changes": [resource]}
        )

    def objects(self) -> Mapping[str, Any]:
        return {"audiences": self.audiences, "archived": sorted(self.archived), "events": self.events}

    def markers(self) -> Sequence[str]:
        made = [one["displayName"].partition("[adloop ")[2].rstrip("]") for one in self.audiences.values()]
        sent = [one["params"].get("event_id", "") for told in self.events for one in told["events"]]
        return [one for one in [*made, *sent] if one]

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        self.audiences[object_id] |= {"description": fields["description"]}
        self.change_audience(object_id, "UPDATED", by)

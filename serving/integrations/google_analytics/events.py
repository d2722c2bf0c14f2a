"""Events out by the Measurement Protocol, each validated first."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from serving.integrations.change import Change, PlatformFault
from serving.integrations.google_analytics.credentials import GoogleAnalyticsCredentials
from serving.integrations.platform import CallRefused, Denied, Throttled
from serving.integrations.rest import ask, client

FIELDS = ("name", "customer_id", "client_id", "occurred_at", "params", "user_properties")
#: Names that Google's paths end with, in the words of changes.
_NAMES = {"timestamp_micros": "occurred_at", "user_id": "customer_id", "user_properties": "user_properties"}


class MeasurementEvents:
    """The stream that events are sent to."""

    def __init__(self, credentials: GoogleAnalyticsCredentials) -> None:
        self._http = client(credentials.collect_url)
        self._stream = {
            "measurement_id": credentials.measurement_id,
            "api_secret": credentials.api_secret.get_secret_value(),
        }

    def send(self, change: Change, dry_run: bool) -> str:
        """Validate an event and send it; its id is the marker, which it carries as `event_id`."""
        if not all(self._stream.values()):
            variables = "ADLOOP_GOOGLE_ANALYTICS_MEASUREMENT_ID and ADLOOP_GOOGLE_ANALYTICS_API_SECRET"
            raise Denied(f"google_analytics: to send events, set {variables} to those of a stream")
        event = payload(change)
        self._post("/debug/mp/collect", event)
        if not dry_run:
            self._post("/mp/collect", event)
        return change.marker

    def close(self) -> None:
        self._http.close()

    def _post(self, path: str, event: dict[str, Any]) -> None:
        answer = ask(self._http, "POST", path, params=self._stream, json=event)
        if answer.status_code == 429:
            wait = answer.headers.get("retry-after", "")
            raise Throttled(float(wait) if wait.isdigit() else 60.0, "google_analytics: too many events")
        if answer.status_code >= 300:
            raise CallRefused(PlatformFault(str(answer.status_code), "the Measurement Protocol refuses the call"))
        messages = answer.json().get("validationMessages", []) if path.startswith("/debug") else []
        if messages:
            told = "; ".join(str(one["description"]) for one in messages)
            where = str(messages[0].get("fieldPath", "")).rpartition(".")[2]
            raise CallRefused(PlatformFault(str(messages[0]["validationCode"]), told, _NAMES.get(where, where)))


def payload(change: Change) -> dict[str, Any]:
    """The event as the Measurement Protocol takes it. `transaction_id` among `params` makes a purchase count once."""
    fields = change.fields
    customer = str(fields.get("customer_id", ""))
    made: dict[str, Any] = {
        "client_id": fields.get("client_id") or _client_id(customer),
        "user_id": customer,
        "events": [{"name": fields.get("name", ""), "params": {**fields.get("params", {}), "event_id": change.marker}}],
    }
    if "occurred_at" in fields:
        made["timestamp_micros"] = _micros(str(fields["occurred_at"]))
    if "user_properties" in fields:
        made["user_properties"] = {name: {"value": value} for name, value in fields["user_properties"].items()}
    return made


def _client_id(customer: str) -> str:
    """A client of its own for a customer whose browser is not known: the same for the same customer."""
    number = int(hashlib.sha256(customer.encode()).hexdigest()[:16], 16)
    return f"{number % 10**10}.{number // 10**10 % 10**10}"


def _micros(moment: str) -> int:
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        fault = f"expected a time such as 2026-11-30T08:00:00, got '{moment}'"
        raise CallRefused(PlatformFault("time", fault, "occurred_at")) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000)

"""One call to SendGrid, never repeated, and what its answers mean."""

import json
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, NamedTuple

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from serving.integrations.change import PlatformFault
from serving.integrations.credentials import USER_AGENT
from serving.integrations.platform import CallRefused, Denied, LoginExpired, Throttled, Unanswered
from serving.integrations.rest import PATIENCE_S
from serving.integrations.sendgrid.credentials import SendGridCredentials

#: Seconds to wait where a throttled answer tells none: the Email Activity Feed counts by the minute.
MINUTE_S = 60.0
#: Names of the platform's fields, by what its paths hold, in the words of changes.
_FIELDS = {
    "subject": "subject",
    "content": "body",
    "template_id": "template",
    "send_at": "send_at",
    "asm": "group",
    "from": "sender",
    "to": "to",
    "personalizations": "to",
}


class SendGridAnswer(NamedTuple):
    """Headers in lower case, and the body as JSON; None where it is empty or there is no such thing (404)."""

    headers: Mapping[str, str]
    body: Any


class SendGridCalls:
    """The vendor's client, whose every answer becomes a value or an error of `platform`."""

    def __init__(self, credentials: SendGridCredentials) -> None:
        self._client = SendGridAPIClient(credentials.api_key.get_secret_value(), host=credentials.url).client
        self._client.timeout = int(PATIENCE_S)
        self._client.request_headers["User-Agent"] += f" {USER_AGENT}"

    def ask(self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Any = None) -> SendGridAnswer:
        """The answer to a call of `path`, such as `mail/send`."""
        try:
            answer = getattr(self._client._(path), method)(request_body=body, query_params=query)
        except HTTPError as refused:
            return _refusal(path, refused)
        except (OSError, HTTPException) as fault:
            raise Unanswered(f"{method} {path}: no answer ({type(fault).__name__})") from None
        return SendGridAnswer(_lower(answer.headers), json.loads(answer.body) if answer.body else None)


def _refusal(path: str, refused: HTTPError) -> SendGridAnswer:
    said, headers = _errors(refused.body), _lower(refused.headers)
    message, where = str(said.get("message") or refused.reason), str(said.get("field") or "")
    match refused.status_code:
        case 404:
            return SendGridAnswer(headers, None)
        case 401:
            raise LoginExpired(f"sendgrid: {message}; make a new key and set ADLOOP_SENDGRID_API_KEY")
        case 403:
            raise Denied(f"sendgrid: {path}: {message}; give the key of ADLOOP_SENDGRID_API_KEY this scope")
        case 429:
            raise Throttled(_wait_s(headers), f"sendgrid: {path}: {message}")
        case status if status >= 500:
            raise Unanswered(f"{path}: answered {status}")
        case status:
            raise CallRefused(PlatformFault(str(status), message, _field(where)))


def _errors(body: bytes) -> dict[str, Any]:
    """The first of `errors`; all of their messages are in its `message`."""
    try:
        errors = json.loads(body)["errors"]
        return {"message": "; ".join(str(one["message"]) for one in errors), "field": errors[0].get("field")}
    except (ValueError, KeyError, TypeError, IndexError):  # a proxy's answer, not SendGrid's
        return {}


def _wait_s(headers: Mapping[str, str]) -> float:
    until = headers.get("x-ratelimit-reset", "")
    return max(1.0, int(until) - time.time()) if until.isdigit() else MINUTE_S


def _field(where: str) -> str:
    """The field of a change that a path such as `personalizations.0.to.0.email` is about."""
    return next((_FIELDS[part] for part in reversed(where.split(".")) if part in _FIELDS), where)


def _lower(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}

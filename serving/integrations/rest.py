"""Calls over HTTP, for integrations without an SDK. A call is never repeated here."""

from typing import Any

import httpx

from features.certificates import trusted
from serving.integrations.credentials import USER_AGENT
from serving.integrations.platform import Unanswered

#: Seconds until a call counts as unanswered.
PATIENCE_S = 30.0


def client(base_url: str, **headers: str) -> httpx.Client:
    """A client that follows no redirects and repeats nothing."""
    told = {"user-agent": USER_AGENT, **headers}
    return httpx.Client(base_url=base_url, timeout=PATIENCE_S, headers=told, verify=trusted())


def ask(http: httpx.Client, method: str, path: str, **said: Any) -> httpx.Response:
    """The answer to a call, of any status below 500. Raises `Unanswered` for all others, which may have been done."""
    try:
        answer = http.request(method, path, **said)
    except httpx.TransportError as fault:
        raise Unanswered(f"{method} {http.base_url.host}: no answer ({type(fault).__name__})") from None
    if answer.status_code >= 500:
        raise Unanswered(f"{method} {http.base_url.host}: answered {answer.status_code}")
    return answer

"""Calls of the Graph API: each sent once, pages followed to their end, batches taken apart."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from serving.integrations.credentials import USER_AGENT
from serving.integrations.meta import errors
from serving.integrations.meta.credentials import MetaCredentials
from serving.integrations.platform import Unanswered
from serving.integrations.rest import PATIENCE_S

#: Most calls of a batch, and most ids of one reading.
BATCH = 50
PAGE = 200


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The answer to one call of a batch; `error` is empty where it was done."""

    body: Mapping[str, Any]
    error: Mapping[str, Any]
    headers: Mapping[str, str]


class Graph:
    """The API under one token."""

    def __init__(self, credentials: MetaCredentials) -> None:
        secret = credentials.app_secret
        session = FacebookSession(
            app_secret=secret.get_secret_value() if secret else None,
            access_token=credentials.access_token.get_secret_value(),
            timeout=PATIENCE_S,
        )
        session.GRAPH = credentials.url.rstrip("/")
        self._session, self._version = session, credentials.version
        self._api = FacebookAdsApi(session, credentials.version)
        agent = f"fbbizsdk-python-{FacebookAdsApi.SDK_VERSION} {USER_AGENT}"
        FacebookAdsApi.HTTP_DEFAULT_HEADERS = {"User-Agent": agent}  # Meta asks automated agents to name themselves

    def get(self, path: str, **said: Any) -> Mapping[str, Any]:
        return self._call("GET", path, said)

    def post(self, path: str, **said: Any) -> Mapping[str, Any]:
        return self._call("POST", path, said)

    def pages(self, path: str, **said: Any) -> Iterator[Mapping[str, Any]]:
        """The elements of all pages: a short page is not the last one, one without `next` is."""
        after = ""
        while True:
            answer = self.get(path, limit=PAGE, **said, **({"after": after} if after else {}))
            yield from answer.get("data", [])
            paging = answer.get("paging", {})
            if "next" not in paging:
                return
            after = paging["cursors"]["after"]

    def batch(self, calls: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[BatchAnswer | None]:
        """Answers to (method, path, parameters), in their order; None where Meta had no time for one."""
        said = [_call_of_batch(method, path, named) for method, path, named in calls]
        answers = self._call("POST", "", {"batch": json.dumps(said), "include_headers": "true"})
        return [None if one is None else _answer(one) for one in answers]

    def _call(self, method: str, path: str, said: Mapping[str, Any]) -> Any:
        try:
            answer = self._api.call(method, f"{self._session.GRAPH}/{self._version}/{path}", dict(said))
        except FacebookRequestError as fault:
            body = fault.body()
            if not isinstance(body, dict) or "error" not in body:
                raise Unanswered(f"meta: answered {fault.http_status()} without an error that tells") from None
            raise errors.of_call(body["error"], fault.http_headers()) from None
        except requests.RequestException as fault:
            raise Unanswered(f"meta: no answer ({type(fault).__name__})") from None
        return answer.json()

    def close(self) -> None:
        self._session.requests.close()


def _call_of_batch(method: str, path: str, said: Mapping[str, Any]) -> dict[str, str]:
    plain = {name: value if isinstance(value, str | int) else json.dumps(value) for name, value in said.items()}
    if method == "GET":
        return {"method": method, "relative_url": f"{path}?{urlencode(plain)}"}
    return {"method": method, "relative_url": path, "body": urlencode(plain)}


def _answer(one: Mapping[str, Any]) -> BatchAnswer:
    body = json.loads(one.get("body") or "{}")
    headers = {str(said["name"]): str(said["value"]) for said in one.get("headers", [])}
    wrong = {"message": f"answered {one['code']}"} if int(one["code"]) >= 400 else {}
    return BatchAnswer(body, body.get("error", wrong), headers)

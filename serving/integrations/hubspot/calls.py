"""Calls to HubSpot, each made once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import urllib3
from hubspot import HubSpot
from hubspot.crm.objects.exceptions import ApiException

from serving.integrations.credentials import USER_AGENT
from serving.integrations.hubspot import errors
from serving.integrations.hubspot.credentials import HubSpotCredentials
from serving.integrations.platform import Unanswered
from serving.integrations.rest import PATIENCE_S

Answer = Mapping[str, Any]
Area = Literal["objects", "lists", "associations", "properties"]
#: Most inputs of a batch, and most records of a page.
MOST = 100
#: Numbers of the API that came before versions by date.
_NUMBERED: Mapping[Area, str] = {"objects": "v3", "lists": "v3", "associations": "v4", "properties": "v3"}


def parts(values: Iterable[str]) -> Iterator[list[str]]:
    """The values, as many at a time as a batch takes."""
    every = sorted(set(values))
    yield from (every[start : start + MOST] for start in range(0, len(every), MOST))


class HubSpotCalls:
    """The vendor's client, with its errors in the words of `platform`."""

    def __init__(self, credentials: HubSpotCredentials, names: Mapping[str, str]) -> None:
        self._token, self._version, self._names = credentials.access_token, credentials.version, names
        none = urllib3.Retry(0, redirect=False)  # the client's own would send some calls again
        client = HubSpot(access_token=self._token.get_secret_value(), host=credentials.url, retry=none)
        self._client = client.crm.objects.basic_api.api_client
        self._client.user_agent = f"{self._client.user_agent} {USER_AGENT}"

    def ask(self, method: str, area: Area, path: str, body: Any = None, **query: Any) -> Any:
        """The answer to a call of the CRM API, as JSON."""
        version = self._version
        base = f"/crm/{_NUMBERED[area]}/{area}" if version == "v3" else f"/crm/{area}/{version}"
        return self.call(method, f"{base}{path}", body, **query)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        try:
            answer = self._client.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=body,
                response_types_map=dict.fromkeys((200, 201, 207), "object"),
                auth_settings=["oauth2"],
                _return_http_data_only=True,
                _request_timeout=PATIENCE_S,
            )
        except ApiException as refused:
            raise errors.raised(refused, self._version, self._names) from None
        except (urllib3.exceptions.HTTPError, UnicodeDecodeError) as fault:
            raise Unanswered(f"{method} {path}: no answer ({type(fault).__name__})") from None
        if not isinstance(answer, dict):  # of a gateway
            raise Unanswered(f"{method} {path}: answered with no object")
        return answer

    def token(self) -> Answer:
        """What the token is of: hub, app and scopes."""
        said = {"tokenKey": self._token.get_secret_value()}
        found: Answer = self.call("POST", "/oauth/v2/private-apps/get/access-token-info", said)
        return found

    def batch(self, kind: str, doing: Literal["upsert", "update"], inputs: Sequence[Answer]) -> dict[str, Answer]:
        """Write up to 100 objects, with a trace id each; by it the object, or what is wrong with it (`errors`).

        With trace ids the answer may be 207: some were written, others not. Errors need not tell whose they are. Raises
        `Unanswered` where nothing is told of one.
        """
        if not inputs:
            return {}
        answer = self.ask("POST", "objects", f"/{kind}/batch/{doing}", {"inputs": inputs})
        done = {one.get("objectWriteTraceId", ""): one for one in answer.get("results") or ()}
        wrong, nobodys = dict[str, Answer](), list[Answer]()
        for one in answer.get("errors") or ():
            traces = (one.get("context") or {}).get("objectWriteTraceId") or []
            wrong |= dict.fromkeys(traces, one)
            nobodys += [] if traces else [one]
        traced = [one["objectWriteTraceId"] for one in inputs]
        if not nobodys and any(trace not in done and trace not in wrong for trace in traced):
            raise Unanswered(f"hubspot: {doing} of {kind}: nothing was told of some of them")
        return {trace: done.get(trace) or {"errors": [wrong.get(trace) or nobodys[0]]} for trace in traced}

    def read(self, kind: str, ids: Iterable[str], properties: Sequence[str], by: str = "") -> Iterator[Answer]:
        """Objects by id, or by a unique property; unknown ones are left out."""
        of = {"idProperty": by} if by else {}
        for part in parts(ids):
            said = {**of, "inputs": [{"id": one} for one in part], "properties": list(properties)}
            yield from self.ask("POST", "objects", f"/{kind}/batch/read", said).get("results") or ()

    def histories(self, kind: str, ids: Iterable[str], properties: Sequence[str]) -> Iterator[Answer]:
        """Objects with all that their properties were."""
        every = sorted(set(ids))
        for start in range(0, len(every), MOST // 2):  # half as many are allowed with histories
            inputs = [{"id": one} for one in every[start : start + MOST // 2]]
            said = {"inputs": inputs, "properties": [], "propertiesWithHistory": list(properties)}
            yield from self.ask("POST", "objects", f"/{kind}/batch/read", said).get("results") or ()

    def search(self, kind: str, filters: Sequence[Answer], properties: Sequence[str]) -> Iterator[Answer]:
        """All objects of the filters, in the order of their ids: a search ends at 10,000, so each page is a new one."""
        last = "0"
        while last:
            after = {"propertyName": "hs_object_id", "operator": "GT", "value": last}
            said = {
                "filterGroups": [{"filters": [*filters, after]}],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": list(properties),
                "limit": MOST,
            }
            found = self.ask("POST", "objects", f"/{kind}/search", said)["results"]
            yield from found
            last = found[-1]["id"] if len(found) == MOST else ""

    def associated(self, kind: str, to: str, ids: Iterable[str]) -> dict[str, str]:
        """The first object that each is associated with."""
        found = dict[str, str]()
        for part in parts(ids):
            said = {"inputs": [{"id": one} for one in part]}
            for one in self.ask("POST", "associations", f"/{kind}/{to}/batch/read", said).get("results") or ():
                found |= {str(one["from"]["id"]): str(place["toObjectId"]) for place in one["to"][:1]}
        return found

    def associate(self, kind: str, to: str, pairs: Mapping[str, str]) -> None:
        """Associate objects; those that are already stay so."""
        if pairs:
            inputs = [{"from": {"id": one}, "to": {"id": other}} for one, other in pairs.items()]
            self.ask("POST", "associations", f"/{kind}/{to}/batch/associate/default", {"inputs": inputs})

    def close(self) -> None:
        self._client.rest_client.pool_manager.clear()

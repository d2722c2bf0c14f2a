"""The methods of Google Ads that the fake answers."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tests.fakes.google_ads import failures, gaql
from tests.fakes.google_ads.insights import composition
from tests.fakes.google_ads.mutate import Mutation, ReceivedOperation
from tests.fakes.google_ads.search import search
from tests.fakes.google_ads.state import CUSTOMER, GoogleAdsState

#: Rows of one message of a stream.
CHUNK = 10_000


@dataclass(frozen=True)
class ServedMethod:
    """A method: the module of its messages, its request, and what answers it."""

    module: str
    request: str
    answer: Callable[[GoogleAdsState, Any, Any], Any]
    streams: bool = False


def _message(module: str, name: str) -> Any:
    return getattr(import_module(f"google.ads.googleads.v26.services.types.{module}"), name).pb()()


def _search(state: GoogleAdsState, request: Any, _: Any) -> Any:
    if request.page_size:
        raise failures.Refusal("request_error.PAGE_SIZE_NOT_SUPPORTED", "Setting the page size is not supported.")
    rows, begin = search(state, gaql.parse(request.query)), _place(request)
    answer = _message("google_ads_service", "SearchGoogleAdsResponse")
    answer.results.extend(rows[begin : begin + state.page_size])
    answer.field_mask.paths.extend(gaql.parse(request.query).fields)
    if begin + state.page_size < len(rows):
        answer.next_page_token = base64.urlsafe_b64encode(f"{begin + state.page_size}".encode()).decode()
    if request.search_settings.return_total_results_count:
        answer.total_results_count = len(rows)
    return answer


def _place(request: Any) -> int:
    try:
        return int(base64.urlsafe_b64decode(request.page_token)) if request.page_token else 0
    except ValueError:
        raise failures.Refusal("request_error.INVALID_PAGE_TOKEN", "Page token is not valid.") from None


def _stream(state: GoogleAdsState, request: Any, caller: Any) -> Iterator[Any]:
    query = gaql.parse(request.query)
    rows = search(state, query)
    chunks = list[Any]()
    for begin in range(0, max(len(rows), 1), CHUNK):
        answer = _message("google_ads_service", "SearchGoogleAdsStreamResponse")
        answer.results.extend(rows[begin : begin + CHUNK])
        answer.field_mask.paths.extend(query.fields)
        answer.request_id = caller.request_id
        chunks.append(answer)
    return iter(chunks)


def _mutate(state: GoogleAdsState, request: Any, caller: Any) -> Any:
    operations = list[ReceivedOperation]()
    for place, one in enumerate(request.mutate_operations):
        kind = one.WhichOneof("operation") or ""
        resource = kind.removesuffix("_operation")
        operations.append(ReceivedOperation(resource, getattr(one, kind), [("mutate_operations", place), (kind, None)]))
    answer = _message("google_ads_service", "MutateGoogleAdsResponse")
    names, errors = Mutation(state).run(operations, request.partial_failure, request.validate_only)
    if errors:
        answer.partial_failure_error.CopyFrom(failures.partial(errors, caller.version, caller.request_id))
    if not request.validate_only:
        for operation, name in zip(operations, names, strict=True):
            response = answer.mutate_operation_responses.add()
            if name:
                getattr(response, f"{operation.resource}_result").resource_name = name
    return answer


def _mutate_one(module: str, response: str, resource: str, state: GoogleAdsState, request: Any, caller: Any) -> Any:
    operations = [
        ReceivedOperation(resource, one, [("operations", place)]) for place, one in enumerate(request.operations)
    ]
    answer = _message(module, response)
    names, errors = Mutation(state).run(operations, request.partial_failure, request.validate_only)
    if errors:
        answer.partial_failure_error.CopyFrom(failures.partial(errors, caller.version, caller.request_id))
    if not request.validate_only:
        for name in names:
            answer.results.add(resource_name=name)
    return answer


def _customers(_: GoogleAdsState, __: Any, ___: Any) -> Any:
    answer = _message("customer_service", "ListAccessibleCustomersResponse")
    answer.resource_names.append(f"customers/{CUSTOMER}")
    return answer


def _insights(_: GoogleAdsState, request: Any, __: Any) -> Any:
    name = "GenerateAudienceCompositionInsightsResponse"
    return composition(request, _message("audience_insights_service", name))


def _mutating(resource: str, service: str, plural: str) -> tuple[tuple[str, str], ServedMethod]:
    module, method = f"{resource}_service", f"Mutate{plural}"

    def answer(state: GoogleAdsState, request: Any, caller: Any) -> Any:
        return _mutate_one(module, f"{method}Response", resource, state, request, caller)

    return (service, method), ServedMethod(module, f"{method}Request", answer)


METHODS: Mapping[tuple[str, str], ServedMethod] = dict(
    (
        _mutating("campaign", "CampaignService", "Campaigns"),
        _mutating("campaign_budget", "CampaignBudgetService", "CampaignBudgets"),
        _mutating("ad_group", "AdGroupService", "AdGroups"),
        _mutating("ad_group_ad", "AdGroupAdService", "AdGroupAds"),
        _mutating("ad_group_criterion", "AdGroupCriterionService", "AdGroupCriteria"),
        _mutating("campaign_criterion", "CampaignCriterionService", "CampaignCriteria"),
        _mutating("ad", "AdService", "Ads"),
    )
) | {
    ("GoogleAdsService", "Mutate"): ServedMethod("google_ads_service", "MutateGoogleAdsRequest", _mutate),
    ("GoogleAdsService", "Search"): ServedMethod("google_ads_service", "SearchGoogleAdsRequest", _search),
    ("GoogleAdsService", "SearchStream"): ServedMethod(
        "google_ads_service", "SearchGoogleAdsStreamRequest", _stream, streams=True
    ),
    ("CustomerService", "ListAccessibleCustomers"): ServedMethod(
        "customer_service", "ListAccessibleCustomersRequest", _customers
    ),
    ("AudienceInsightsService", "GenerateAudienceCompositionInsights"): ServedMethod(
        "audience_insights_service", "GenerateAudienceCompositionInsightsRequest", _insights
    ),
}

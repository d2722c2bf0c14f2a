"""Queries over the state: which rows a resource has, which of them are asked for, and what of them is shown."""

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from typing import Any

from google.ads.googleads.v26.common.types.metrics import Metrics
from google.ads.googleads.v26.common.types.segments import Segments
from google.ads.googleads.v26.services.types.google_ads_service import GoogleAdsRow

from tests.fakes.google_ads.failures import Refusal
from tests.fakes.google_ads.gaql import Condition, Query
from tests.fakes.google_ads.state import GoogleAdsState, ReportedDay

ROW = GoogleAdsRow.pb()
#: The resources whose fields a query of a resource may name.
ATTRIBUTED = {
    "customer": ("customer",),
    "campaign_budget": ("campaign_budget", "customer"),
    "campaign": ("campaign", "campaign_budget", "customer"),
    "ad_group": ("ad_group", "campaign", "customer"),
    "ad_group_ad": ("ad_group_ad", "ad_group", "campaign", "customer"),
    "ad_group_criterion": ("ad_group_criterion", "ad_group", "campaign", "customer"),
    "campaign_criterion": ("campaign_criterion", "campaign", "customer"),
    "geo_target_constant": ("geo_target_constant",),
    "change_event": ("change_event", "campaign", "ad_group", "customer"),
}
REPORTED = ("customer", "campaign", "ad_group", "ad_group_ad")
#: The messages of a row by resource, with `metrics` and `segments`.
View = Mapping[str, Any]
_SIGNS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}


def search(state: GoogleAdsState, query: Query) -> list[Any]:
    """The rows that answer a query. Raises `Refusal`."""
    if query.resource not in ATTRIBUTED:
        raise Refusal("query_error.BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"Unknown resource {query.resource}.")
    named = {*query.fields, *(one.field for one in query.conditions), *(name for name, _ in query.order)}
    readers = {name: _reader(query.resource, name) for name in named}
    if query.resource == "change_event":
        _check_history(query)
    views = [
        view for view in _views(state, query, named) if all(_holds(one, readers, view) for one in query.conditions)
    ]
    for name, descending in reversed(query.order):
        views.sort(key=cmp_to_key(_compared(readers[name])), reverse=descending)
    writers = [_writer(name) for name in query.fields]
    return [_row(view, query.resource, writers) for view in views[: query.limit]]


def _compared(reader: Callable[[View], Any]) -> Callable[[View, View], int]:
    return lambda one, other: (reader(one) > reader(other)) - (reader(one) < reader(other))


def _row(view: View, resource: str, writers: Iterable[Callable[[View, Any], None]]) -> Any:
    row = ROW()
    getattr(row, resource).resource_name = view[resource].resource_name
    for write in writers:
        write(view, row)
    return row


# Which rows there are


def _views(state: GoogleAdsState, query: Query, named: set[str]) -> Iterator[View]:
    reported = any(name.startswith(("metrics.", "segments.")) for name in named)
    if reported and query.resource not in REPORTED:
        raise Refusal("query_error.PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE", f"No metrics of {query.resource}.")
    if query.resource == "customer" and not reported:
        yield {"customer": state.customer}
    elif query.resource == "geo_target_constant":
        yield from ({"geo_target_constant": one} for one in state.countries)
    elif query.resource == "change_event":
        yield from ({"change_event": event, "customer": state.customer} for event in state.events)
    elif reported:
        yield from _reports(state, query.resource, {name for name in named if name.startswith("segments.")})
    else:
        yield from (_view(state, query.resource, one) for one in _candidates(state, query))


def _candidates(state: GoogleAdsState, query: Query) -> Iterable[Any]:
    """The resources by name where the query names them, else all."""
    kept = state.resources[query.resource]
    for one in query.conditions:
        if one.field == f"{query.resource}.resource_name" and one.operator in ("=", "IN"):
            return [kept[name] for name in one.values if name in kept]
    return kept.values()


def _view(state: GoogleAdsState, resource: str, message: Any) -> dict[str, Any]:
    view = {resource: message, "customer": state.customer}
    if resource in ("ad_group_ad", "ad_group_criterion"):
        view["ad_group"] = state.get(message.ad_group)
    if resource in ("ad_group", "campaign_criterion") or "ad_group" in view:
        view["campaign"] = state.get(view.get("ad_group", message).campaign)
    if resource == "campaign":
        view["campaign_budget"] = state.get(message.campaign_budget)
    return view


def _reports(state: GoogleAdsState, resource: str, segments: set[str]) -> Iterator[View]:
    """The days summed up by resource and named segments; resources without any have no row."""
    groups = defaultdict[tuple[Any, ...], list[ReportedDay]](list)
    views = dict[str, dict[str, Any]]()
    for one in state.days:
        ad = state.resources["ad_group_ad"][one.ad]
        view = views.setdefault(one.ad, _view(state, "ad_group_ad", ad))
        date = one.day if "segments.date" in segments else None
        network = one.network if "segments.ad_network_type" in segments else None
        groups[view[resource].resource_name, date, network].append(one)
    for (_, date, network), days in groups.items():
        view = dict(views[days[0].ad])
        view["segments"] = Segments.pb()(date=date, ad_network_type=network)
        view["metrics"] = Metrics.pb()(
            impressions=sum(one.impressions for one in days),
            clicks=sum(one.clicks for one in days),
            interactions=sum(one.clicks for one in days),
            cost_micros=sum(one.cost_micros for one in days),
            conversions=sum(one.conversions for one in days),
            conversions_value=sum(one.value for one in days),
        )
        yield view


def _check_history(query: Query) -> None:
    """The change history answers bounded questions only."""
    dates = [one for one in query.conditions if one.field == "change_event.change_date_time"]
    signs = {one.operator for one in dates}
    if "BETWEEN" not in signs and not (signs & {">", ">="} and signs & {"<", "<="}):
        raise Refusal("change_event_error.CHANGE_DATE_RANGE_INFINITE", "The change date range cannot be infinite.")
    begin = min(value for one in dates for value in one.values)
    if begin < (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%d"):
        raise Refusal("change_event_error.START_DATE_TOO_OLD", "The requested start date is too old.")
    if query.limit is None:
        raise Refusal("change_event_error.LIMIT_NOT_SPECIFIED", "The change event search request must specify a limit.")
    if query.limit > 10_000:
        raise Refusal("change_event_error.INVALID_LIMIT_CLAUSE", "The limit must be 10000 at most.")


# What of a row is asked for and shown


def _holds(condition: Condition, readers: Mapping[str, Callable[[View], Any]], view: View) -> bool:
    value, values = readers[condition.field](view), condition.values
    sign = condition.operator
    if sign in _SIGNS:
        return bool(_SIGNS[sign](value, _like(value, values[0])))
    if sign in ("IN", "NOT IN"):
        return (str(value) in values) == (sign == "IN")
    if sign in ("LIKE", "NOT LIKE"):
        return bool(re.fullmatch(_pattern(values[0]), str(value), re.IGNORECASE | re.DOTALL)) == (sign == "LIKE")
    if sign == "BETWEEN":
        return bool(_like(value, values[0]) <= value <= _like(value, values[1]))
    if sign == "REGEXP_MATCH":
        return bool(re.fullmatch(values[0], str(value)))
    if sign in ("IS NULL", "IS NOT NULL"):
        return (not value) == (sign == "IS NULL")
    raise Refusal("query_error.OPERATOR_FIELD_MISMATCH", f"{condition.field}: cannot be asked for with {sign}.")


def _like(value: Any, said: str) -> Any:
    """What was said, of the type of the field's value."""
    if isinstance(value, bool):
        return said.upper() == "TRUE"
    return type(value)(said) if isinstance(value, int | float) else said


def _pattern(like: str) -> str:
    """A LIKE pattern as a regular expression: `%` for any text, `_` for any sign, `[x]` for x itself."""
    signs = {"%": ".*", "_": "."}
    parts = re.findall(r"\[.\]|.", like, re.DOTALL)
    return "".join(re.escape(one[1]) if len(one) == 3 else signs.get(one, re.escape(one)) for one in parts)


def _fields(path: str) -> list[str]:
    return [f"{part}_" if part in ("type", "class") else part for part in path.split(".")]


def _reader(resource: str, path: str) -> Callable[[View], Any]:
    """Reads a field: enumerations by name. Raises `Refusal` where there is no such field."""
    root, *parts = _fields(path)
    about = ROW.DESCRIPTOR.fields_by_name.get(root)
    if root not in (*ATTRIBUTED[resource], "metrics", "segments") or about is None:
        raise Refusal("query_error.PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE", f"{path}: not of {resource}.")
    for part in parts:
        about = about.message_type.fields_by_name.get(part) if about.message_type else None
        if about is None:
            raise Refusal("query_error.UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{path}'.")
    enum = about.enum_type

    def read(view: View) -> Any:
        value = view[root]
        for part in parts:
            value = getattr(value, part)
        return enum.values_by_number[value].name if enum and not about.is_repeated else value

    return read


def _writer(path: str) -> Callable[[View, Any], None]:
    """Copies a field from a view to a row."""
    root, *parts = _fields(path)
    *parents, last = parts

    def write(view: View, row: Any) -> None:
        source, goal = view[root], getattr(row, root)
        for part in parents:
            source, goal = getattr(source, part), getattr(goal, part)
        about = source.DESCRIPTOR.fields_by_name[last]
        if about.is_repeated or about.message_type:
            getattr(goal, last).MergeFrom(getattr(source, last))
        elif not about.has_presence or source.HasField(last):
            setattr(goal, last, getattr(source, last))

    return write

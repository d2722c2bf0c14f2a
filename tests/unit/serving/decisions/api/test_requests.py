"""Requests are read or refused by the same types that the OpenAPI document tells."""

import json
from types import SimpleNamespace
from typing import Any, get_args

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from serving.decisions.api import openapi, requests, schemas
from serving.decisions.api.app import make_app
from serving.decisions.api.requests import Invalid, NotJson
from serving.decisions.feedback import Observed
from serving.decisions.kinds import kinds
from serving.decisions.rules.segments import DIMENSIONS
from serving.inference.outcomes import Labels

AUCTION = dict(kinds()["bid"].example)
DOCUMENT = make_app(SimpleNamespace()).openapi()
EXAMPLES: dict[str, dict[str, Any]] = {
    **{kind.request.__name__: dict(kind.example) for kind in kinds().values()},
    **{kind.__name__: schemas.OUTCOMES[name] for name, kind in schemas.KINDS.items()},
    "Campaign": schemas.CAMPAIGN,
    "Account": schemas.ACCOUNT,
    "Stop": schemas.STOP,
    "ManualOverride": schemas.OVERRIDE,
}
READ = {
    **dict.fromkeys((kind.request.__name__ for kind in kinds().values()), requests.opportunities),
    **dict.fromkeys((kind.__name__ for kind in schemas.KINDS.values()), requests.outcomes),
    "Campaign": requests.CAMPAIGN.read,
    "Account": requests.ACCOUNT.read,
    "Stop": requests.stop,
    "ManualOverride": requests.OVERRIDE.read,
}


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Of a schema of the document, wherever it refers to. Its patterns are ECMAScript's, as JSON Schema has them: there
    no line end may follow the end of a text."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def any_of(name: str) -> list[str]:
    """What may come where a schema of this name may: a request says of which kind it is."""
    read = READ[name]
    return (
        [name for name in READ if READ[name] is read] if read in (requests.opportunities, requests.outcomes) else [name]
    )


VALIDATORS = {
    name: validator({"anyOf": [{"$ref": f"#/components/schemas/{one}"} for one in any_of(name)]}) for name in READ
}


def test_a_line_end_behind_a_name_is_refused_by_both() -> None:
    body = {**AUCTION, "keyword": "a\n"}
    assert not VALIDATORS["Auction"].is_valid(body)
    with pytest.raises(Invalid):
        requests.opportunities(body)


near = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 30),
    st.sampled_from([1e8, 1e8 + 1, -1e8, 2.5, 3.0, 253402300799, 1e300, 2**63]),
    st.sampled_from(
        ["", "x" * 256, "x" * 257, "x" * 501, "a\nb", "a\n", "a\x7f", "ok", "customer", "click", "yes", "ä☂😀"]
    ),
    st.just([]),
    st.lists(st.sampled_from(["a", "", 1])),
    st.dictionaries(
        st.sampled_from(["a", "x" * 129, "channel"]),
        st.sampled_from([1, "t", None, True, [], {}, {"a": 0.5}, {"a": 2}, "x" * 1025]),
        max_size=2,
    ),
)


@pytest.mark.parametrize("name", READ)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_what_the_document_allows_is_read_and_nothing_else(name: str, data: st.DataObject) -> None:
    body = dict(EXAMPLES[name])
    fields = [*DOCUMENT["components"]["schemas"][name]["properties"], "unheard_of"]
    for field in data.draw(st.lists(st.sampled_from(fields), max_size=3, unique=True)):
        if data.draw(st.booleans()):
            body[field] = data.draw(near)
        else:
            body.pop(field, None)
    allowed = VALIDATORS[name].is_valid(body)
    try:
        READ[name](body)
    except Invalid as invalid:
        assert not allowed, invalid
        kind = schemas.KINDS.get(str(body.get("kind")))  # a body may have become an outcome of another kind
        assert invalid.field.split(".")[0].split("[")[0] in {*fields, *(kind.__annotations__ if kind else ())}
    else:
        assert allowed


def test_examples_are_read_alone_and_in_batches() -> None:
    for name, many, read in (
        *((kind.request.__name__, "opportunities", requests.opportunities) for kind in kinds().values()),
        *(
            (kind.__name__, many, requests.outcomes)
            for kind in schemas.KINDS.values()
            for many in ("outcomes", "events")
        ),
    ):
        batch = {many: [EXAMPLES[name]] * 3}
        schema = DOCUMENT["paths"]["/v1/decisions" if many == "opportunities" else "/v1/outcomes"]["post"]
        allowed = validator(schema["requestBody"]["content"]["application/json"]["schema"])
        assert allowed.is_valid(EXAMPLES[name]) and allowed.is_valid(batch)
        read(EXAMPLES[name])
        read(batch)
    (made,), batch_asked = requests.opportunities(AUCTION)
    assert (made.asked, made.customer_id, batch_asked) == ("bid", "c00042", False)


@pytest.mark.parametrize(
    ("changed", "field", "expected"),
    [
        ({"hour": 25}, "hour", "a number of at most 23"),
        ({"hour": 5.5}, "hour", "a whole number"),
        ({"occurred_at": True}, "occurred_at", "a number"),
        ({"floor_price": -0.01}, "floor_price", "a number of at least 0"),
        ({"asked": "sale"}, "asked", "one of 'bid', 'campaign', 'customer'"),
        ({"keyword": "a\n"}, "keyword", "text without control characters"),
        ({"keyword": ""}, "keyword", "text of at least 1 character"),
        (
            {"features": {"device": {"name": "tv"}}},
            "features.device",
            "a number, text of at most 1024 characters, true, false, a list of 1 to 4096 numbers or null",
        ),
        *(
            ({"features": {"device": wrong}}, "features.device", "a number, text of at most 1024 characters")
            for wrong in ("x" * 1025, [], [1.0, "two"], [1.0, None], [float("inf")], [0.0] * 4097, [[1.0]])
        ),
        ({"features": 7}, "features", "an object"),
        ({"bid": 1}, "bid", "one of the fields opportunity_id, occurred_at"),
        ({"asked": "customer"}, "current_bid", "one of the fields opportunity_id, occurred_at"),
    ],
)
def test_a_refusal_names_the_field_and_what_was_expected(changed: dict[str, Any], field: str, expected: str) -> None:
    body = {**AUCTION, **changed}
    for given_body, place in ((body, ""), ({"opportunities": [AUCTION, body]}, "opportunities[1].")):
        with pytest.raises(Invalid) as caught:
            requests.opportunities(given_body)
        assert caught.value.field == place + field
        assert caught.value.expected.startswith(expected)


CLICK = schemas.OUTCOMES["click"]


def test_a_missing_field_is_named() -> None:
    body = {name: value for name, value in CLICK.items() if name != "kind"}
    with pytest.raises(Invalid, match=r"^outcomes\[2\]\.kind: expected a value, got None$"):
        requests.outcomes({"outcomes": [CLICK, CLICK, body]})


@pytest.mark.parametrize(
    ("changed", "field", "expected"),
    [
        ({"kind": "sale"}, "kind", "one of 'impression', 'click', 'conversion', 'loss', 'correction', 'label'"),
        ({"kind": ["click"]}, "kind", "one of 'impression'"),
        ({"kind": "loss"}, "cost", "a number of at most 0"),
        ({"kind": "correction", "cost": None}, "cost", "a number"),
        ({"value": 3}, "value", "a number of at most 0"),
        ({"cost": -1}, "cost", "a number of at least 0"),
        ({"cost": 1e12}, "cost", "a number of at most"),
        ({"kind": "conversion", "value": -1e12}, "value", "a number of at least"),
        ({"row": 0}, "row", "one of the fields event_id, account_id"),
        ({"decision_id": None}, "decision_id", "text"),
    ],
)
def test_a_refused_outcome_names_the_field(changed: dict[str, Any], field: str, expected: str) -> None:
    body = {**CLICK, **changed}
    batches = [({name: [CLICK, body]}, f"{name}[1].") for name in ("outcomes", "events")]
    for given_body, place in ((body, ""), *batches):
        with pytest.raises(Invalid) as caught:
            requests.outcomes(given_body)
        assert caught.value.field == place + field
        assert caught.value.expected.startswith(expected)


def test_labels_may_omit_their_kind_and_row() -> None:
    label = {name: value for name, value in schemas.OUTCOMES["label"].items() if name not in ("kind", "row")}
    (read,) = requests.outcomes(label)
    assert read == Labels(label["family"], label["request_id"], 0, label["labels"])
    assert [type(one) for one in requests.outcomes({"outcomes": [CLICK, label]})] == [Observed, Labels]


@pytest.mark.parametrize("body", [[], None, "text", 3, {"opportunities": []}, {"opportunities": [{}] * 1001}])
def test_what_is_no_opportunity_at_all_is_refused(body: Any) -> None:
    with pytest.raises(Invalid):
        requests.opportunities(body)


def test_a_wrong_name_of_a_share_is_told() -> None:
    with pytest.raises(Invalid, match="names of 1 to 256 characters"):
        requests.CAMPAIGN.read({**schemas.CAMPAIGN, "shares": {"channel": {"a\n": 0.5}}})
    assert get_args(schemas.Dimension) == DIMENSIONS


def test_what_came_is_shown_shortly() -> None:
    with pytest.raises(Invalid) as caught:
        requests.opportunities({**AUCTION, "keyword": "k" * 5000})
    assert len(str(caught.value)) < 250


def test_whole_numbers_of_features_stay_whole_and_huge_ones_can_be_written_again() -> None:
    given_features = requests.parsed(b'{"a": 3, "b": 3.0, "c": true, "d": 123456789012345678901234567890}')
    (made,), _ = requests.opportunities({**AUCTION, "features": given_features})
    assert [type(value) for value in made.features.values()] == [int, float, bool, float]


@pytest.mark.parametrize(
    "body", [b"", b"nul", b'{"a": NaN}', b"[" * 100_000, b'{"a" "b"}', b'"\xff"', b'{"a": 1e999}', b'"\\ud800"']
)
def test_a_body_that_is_no_json_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotJson):
        requests.parsed(body)


def test_what_a_request_does_not_name_is_kept() -> None:
    said = requests.campaign_settings(requests.CAMPAIGN.read({"account_id": "a", "campaign_id": "c", "limit": None}))
    assert said == requests.CampaignSettings(limit=None) != requests.CampaignSettings()


def test_the_document_refers_to_nothing_that_is_not_there() -> None:
    names = [route.name for route in openapi.ROUTES]
    assert len(set(names)) == len(names)
    for route in openapi.ROUTES:
        told = {"responses": route.responses(), **route.extra()}
        for reference in set(part.split('"')[0] for part in json.dumps(told, allow_nan=False).split("#/")[1:]):
            place: Any = DOCUMENT
            for step in reference.split("/"):
                place = place[step]
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)

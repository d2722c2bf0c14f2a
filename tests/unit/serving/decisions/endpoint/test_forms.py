"""Requests are read or refused by the same declarations that the OpenAPI document tells."""

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from serving.decisions.endpoint import forms, openapi
from serving.decisions.endpoint.fields import Invalid

FORMS = {"opportunity": forms.OPPORTUNITY, "event": forms.EVENT, "stop": forms.STOP, "word": forms.WORD}
VALIDATORS = {name: Draft202012Validator(form.schema) for name, form in FORMS.items()}

near = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 30),
    st.sampled_from([1e8, 1e8 + 1, -1e8, 2.5, 3.0, 253402300799, 1e300, 2**63]),
    st.sampled_from(["", "x" * 256, "x" * 257, "a\nb", "a\x7f", "ok", "bid", "customer", "click", "yes", "ä☂😀"]),
    st.just([]),
    st.dictionaries(
        st.sampled_from(["a", "x" * 129]), st.sampled_from([1, "t", None, True, [], {}, "x" * 1025]), max_size=2
    ),
)


@pytest.mark.parametrize("name", FORMS)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_what_the_document_allows_is_read_and_nothing_else(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    body = dict(form.schema["example"])
    fields = [*form.schema["properties"], "unheard_of"]
    for field in data.draw(st.lists(st.sampled_from(fields), max_size=3, unique=True)):
        if data.draw(st.booleans()):
            body[field] = data.draw(near)
        else:
            body.pop(field, None)
    allowed = VALIDATORS[name].is_valid(body)
    try:
        form.read(body)
    except Invalid as invalid:
        assert not allowed, invalid
        assert invalid.field in fields
    else:
        assert allowed


def test_examples_are_read() -> None:
    for name, read in (("opportunities", forms.opportunities), ("events", forms.events)):
        form = forms.OPPORTUNITY if name == "opportunities" else forms.EVENT
        one, many = form.schema["example"], {name: [form.schema["example"]] * 3}
        schema = Draft202012Validator(forms.one_or_many(form, name))
        assert schema.is_valid(one) and schema.is_valid(many)
        read(one)
        read(many)
    (made,), batch = forms.opportunities(forms.OPPORTUNITY.schema["example"])
    assert (made.asked, made.customer_id, batch) == ("bid", "c00042", False)


def test_a_fault_in_a_batch_is_named_with_its_place() -> None:
    one = forms.OPPORTUNITY.schema["example"]
    with pytest.raises(Invalid) as caught:
        forms.opportunities({"opportunities": [one, one, {**one, "hour": 25}]})
    assert caught.value.field == "opportunities[2].hour"
    assert caught.value.expected == "a whole number from 0 to 23, or null"
    assert caught.value.got == "25"


def test_what_came_is_shown_shortly() -> None:
    with pytest.raises(Invalid) as caught:
        forms.OPPORTUNITY.read({**forms.OPPORTUNITY.schema["example"], "keyword": "k" * 5000})
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("body", [b"", b"nul", b'{"a": NaN}', b"[" * 5000, b'"\xff"', b'{"a": 1e999}'])
def test_a_body_that_is_no_json_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(forms.NotJson):
        forms.parsed(body)


def test_the_document_refers_to_nothing_that_is_not_there() -> None:
    for route in openapi.ROUTES:
        for schema in filter(None, (route.answer, route.body)):
            Draft202012Validator.check_schema(schema)
        json.dumps({"responses": route.responses(), **route.extra()}, allow_nan=False)
    assert orjson.dumps(forms.STOP.schema)

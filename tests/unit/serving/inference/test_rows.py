"""A request as feature rows, and each fault named by its field."""

import numpy as np
import pandas as pd
import pytest
from kserve import InferInput, InferRequest

from models.inputs import InvalidRows, kind_of
from serving.inference.rows import InputSchema

SCHEMA = InputSchema("customer_id", {"recency": "number", "member": "boolean", "plan": "text"})
ROW = {"recency": 3, "member": True, "plan": "gold"}


def tensors(**changed: InferInput) -> InferRequest:
    inputs = {
        "recency": InferInput("recency", [2], "FP64", [1.5, None]),
        "member": InferInput("member", [2, 1], "BOOL", [[True], [False]]),
        "plan": InferInput("plan", [2], "BYTES", ["gold", None]),
    }
    return InferRequest("churn", list({**inputs, **changed}.values()))


def test_both_protocols_read_alike() -> None:
    instances = [{"recency": 1.5, "member": True, "plan": "gold"}, {"recency": None, "member": False, "plan": None}]
    v1, v2 = SCHEMA.read({"instances": instances}).rows, SCHEMA.read(tensors()).rows
    assert v1 is not None and v2 is not None
    pd.testing.assert_frame_equal(v1, v2)
    assert list(v1) == ["recency", "member", "plan"]
    assert v1["recency"].dtype == np.float64


def test_binary_tensors_say_missing_with_nan() -> None:
    raw = InferInput("recency", [2], "FP64")
    raw.set_data_from_numpy(np.array([np.nan, 2.0]))
    text = InferInput("plan", [2], "BYTES")
    text.set_data_from_numpy(np.array([b"gold", "größer".encode()], dtype=object))
    rows = SCHEMA.read(tensors(recency=raw, plan=text)).rows
    assert rows is not None
    assert rows["recency"].isna().tolist() == [True, False]
    assert rows["plan"].tolist() == ["gold", "größer"]


def test_whole_numbers_are_numbers_and_other_features_are_ignored() -> None:
    rows = SCHEMA.read({"instances": [{**ROW, "shoe_size": 43}]}).rows
    assert rows is not None
    assert rows.loc[0, "recency"] == 3.0
    assert "shoe_size" not in rows


def test_ids_alone_ask_for_a_look_up_and_with_features_are_kept() -> None:
    alone = SCHEMA.read({"instances": [{"customer_id": 7}, {"customer_id": "8"}]})
    assert (alone.ids, alone.rows) == (["7", "8"], None)
    beside = SCHEMA.read({"instances": [{"customer_id": "7", **ROW}]})
    assert beside.ids == ["7"] and beside.rows is not None


BIDS = InputSchema("campaign_id", {"campaign_id": "text", "left": "number", "price": "number"}, ("campaign_id", "left"))


def test_what_a_request_brings_goes_with_what_is_looked_up() -> None:
    asked = BIDS.read({"instances": [{"campaign_id": 7, "left": 3.5}]})
    assert asked.ids == ["7"] and asked.rows is None and asked.context is not None
    assert asked.context.to_dict("records") == [{"campaign_id": "7", "left": 3.5}]
    whole = BIDS.read({"instances": [{"campaign_id": "7", "left": 3.5, "price": 2}]})
    assert whole.rows is not None and whole.rows.loc[0, "price"] == 2 and whole.ids == ["7"]


def test_what_a_request_must_bring_is_named() -> None:
    with pytest.raises(InvalidRows, match="'left'"):
        BIDS.read({"instances": [{"campaign_id": "7"}]})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recency", "3"),
        ("recency", True),
        ("recency", float("nan")),
        ("recency", float("inf")),
        ("recency", 10**400),
        ("recency", [1]),
        ("member", 1),
        ("member", "yes"),
        ("plan", 3),
        ("plan", {"a": 1}),
    ],
)
def test_a_wrong_value_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidRows) as wrong:
        SCHEMA.read({"instances": [{**ROW, field: value}]})
    assert wrong.value.field == field


@pytest.mark.parametrize("field", list(ROW))
def test_a_missing_feature_is_named(field: str) -> None:
    with pytest.raises(InvalidRows) as wrong:
        SCHEMA.read({"instances": [{name: value for name, value in ROW.items() if name != field}]})
    assert wrong.value.field == field
    with pytest.raises(InvalidRows) as wrong:
        SCHEMA.read({"instances": [ROW, {name: value for name, value in ROW.items() if name != field}]})
    assert wrong.value.field == field


@pytest.mark.parametrize("body", [None, [], b"raw", {}, {"instances": 3}, {"instances": []}, {"instances": [1]}])
def test_a_body_that_is_no_request(body: object) -> None:
    with pytest.raises(InvalidRows):
        SCHEMA.read(body)


@pytest.mark.parametrize(
    "tensor",
    [
        InferInput("recency", [3], "FP64", [1.0, 2.0, 3.0]),
        InferInput("recency", [2], "FP64", [1.0]),
        InferInput("recency", [1, 2], "FP64", [1.0, 2.0]),
        InferInput("recency", [], "FP64", []),
        InferInput("recency", [2], "BYTES", ["a", "b"]),
        InferInput("recency", [2], "FP64", [[1.0], 2.0]),
        InferInput("recency", [-2], "FP64", [1.0, 2.0]),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(tensor: InferInput) -> None:
    with pytest.raises(InvalidRows) as wrong:
        SCHEMA.read(tensors(recency=tensor))
    assert wrong.value.field in ("recency", "member")


@pytest.mark.parametrize("datatype", ["FOO", "BF16", "FP128", "STRING", ""])
@pytest.mark.parametrize("name", ["recency", "unheard_of"])
def test_a_datatype_outside_the_protocol_is_refused_by_its_tensor(name: str, datatype: str) -> None:
    with pytest.raises(InvalidRows, match=r"datatype among .*FP64") as wrong:
        SCHEMA.read(tensors(**{name: InferInput(name, [2], datatype, [1.0, 2.0])}))
    assert wrong.value.field == name


def test_raw_bytes_that_are_too_few_or_no_text_are_named() -> None:
    short = InferInput("recency", [2], "FP64")
    short._raw_data = b"1234"
    broken = InferInput("plan", [2], "BYTES")
    broken.set_data_from_numpy(np.array([b"\xff\xfe", b"b"], dtype=object))
    for field, tensor in (("recency", short), ("plan", broken)):
        with pytest.raises(InvalidRows) as wrong:
            SCHEMA.read(tensors(**{field: tensor}))
        assert wrong.value.field == field


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("float64", "number"),
        ("Int64", "number"),
        ("uint8", "number"),
        ("bool", "boolean"),
        ("boolean", "boolean"),
        ("object", "category"),
        ("category", "category"),
        ("string", "category"),
    ],
)
def test_the_kind_of_a_column(dtype: str, expected: str) -> None:
    assert kind_of(dtype) == expected


LISTED = InputSchema(None, {"visitor": "vector", "image": "uri", "offered": "candidates"})
ASKED = {"visitor": [1.5, 2], "image": "data:,x", "offered": ["a", "b"]}


def test_lists_are_read_alike_from_both_protocols() -> None:
    v1 = LISTED.read({"instances": [ASKED, dict.fromkeys(ASKED)]}).rows
    inputs = [
        InferInput("visitor", [2, 2], "FP64", [1.5, 2.0, 0.0, 1.0]),
        InferInput("image", [2], "BYTES", ["data:,x", None]),
        InferInput("offered", [2], "BYTES", ['["a", "b"]', None]),
    ]
    v2 = LISTED.read(InferRequest("bandit", inputs)).rows
    assert v1 is not None and v2 is not None
    assert v1["visitor"][0].tolist() == v2["visitor"][0].tolist() == [1.5, 2.0]
    assert v1["offered"].tolist() == v2["offered"].tolist() == [["a", "b"], None]
    assert v1.loc[1].tolist() == [None, None, None]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("visitor", []),
        ("visitor", [1.0, None]),
        ("visitor", [1.0, float("inf")]),
        ("visitor", ["1"]),
        ("visitor", 1.0),
        ("image", "no-scheme"),
        ("image", 5),
        ("offered", []),
        ("offered", [1]),
        ("offered", "no json"),
        ("offered", ["half \ud800 of a pair"]),
    ],
)
def test_a_wrong_list_or_uri_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidRows) as refused:
        LISTED.read({"instances": [{**ASKED, field: value}]})
    assert refused.value.field == field


def test_a_vector_tensor_of_another_shape_is_named() -> None:
    for shape in ([2], [2, 0], [1, 2, 1], [-1, 2]):
        with pytest.raises(InvalidRows, match="visitor"):
            LISTED.read(InferRequest("bandit", [InferInput("visitor", shape, "FP64", [1.0, 2.0])]))

"""Answers as tensors and as objects, whatever types a model answers in."""

import numpy as np
import pandas as pd
import pytest
from kserve import InferRequest, InferResponse
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import RequestedOutput

from serving.inference import answers as says

ANSWERS = pd.DataFrame(
    {
        "probability": [0.25, np.nan],
        "days": np.array([3, 4], dtype=np.int32),
        "leaves": [True, False],
        "band": ["low", "high"],
        "drivers": [[{"feature": "a", "effect": np.float32(0.5)}], []],
    }
)


@pytest.mark.parametrize("binary", [False, True])
def test_each_column_is_a_tensor_of_its_type(binary: bool) -> None:
    request = InferRequest("churn", [], parameters={"binary_data_output": binary})
    sent = says.to_response(request, "id", "7", ANSWERS)
    body, length = sent.to_rest()
    read = (
        InferResponse.from_bytes(body, length) if isinstance(body, bytes) and length else InferResponse.from_rest(body)
    )
    types = {output.name: (output.datatype, output.shape) for output in read.outputs}
    assert types == {
        "probability": ("FP64", [2]),
        "days": ("INT64", [2]),
        "leaves": ("BOOL", [2]),
        "band": ("BYTES", [2]),
        "drivers": ("BYTES", [2]),
    }


@pytest.mark.parametrize("raw", [False, True])
def test_several_rows_travel_over_grpc(raw: bool) -> None:
    request = InferRequest("churn", [], from_grpc=True)
    request._use_raw_outputs = raw
    read = InferResponse.from_grpc(says.to_response(request, "id", "7", ANSWERS).to_grpc())
    values = read.get_output_by_name("drivers").as_numpy()
    assert [value.decode() if isinstance(value, bytes) else value for value in values] == [
        '[{"feature": "a", "effect": 0.5}]',
        "[]",
    ]


def test_objects_hold_plain_values() -> None:
    first, second = says.to_predictions(ANSWERS)
    assert first == {
        "probability": 0.25,
        "days": 3,
        "leaves": True,
        "band": "low",
        "drivers": [{"feature": "a", "effect": 0.5}],
    }
    assert second["probability"] is None


UNKNOWN = {1: "customer_id: no features are known for 'x'", 3: "customer_id: no features are known of 'y'"}


def test_rows_that_are_unknown_say_so_at_their_places() -> None:
    first, second, third, fourth = says.to_predictions(ANSWERS, UNKNOWN)
    assert (first["days"], third["days"]) == (3, 4)
    assert (second, fourth) == ({"error": UNKNOWN[1]}, {"error": UNKNOWN[3]})


@pytest.mark.parametrize("asked", [None, "probability"])
@pytest.mark.parametrize("over_grpc", [False, True])
def test_tensors_keep_their_types_where_rows_are_unknown(asked: str | None, over_grpc: bool) -> None:
    outputs = None if asked is None else [RequestedOutput(asked)]
    request = InferRequest("churn", [], from_grpc=over_grpc, request_outputs=outputs)
    sent = says.to_response(request, "id", "7", ANSWERS, UNKNOWN)
    read = InferResponse.from_grpc(sent.to_grpc()) if over_grpc else InferResponse.from_rest(sent.to_rest()[0])
    found = {output.name: output for output in read.outputs}
    assert set(found) == {*([asked] if asked else ANSWERS), "error"}
    text = [one.decode() if isinstance(one, bytes) else one for one in found["error"].as_numpy()]
    assert text == ["", UNKNOWN[1], "", UNKNOWN[3]]
    assert np.isnan(found["probability"].as_numpy().astype(float)).tolist() == [False, True, True, True]
    assert asked is not None or (found["days"].datatype, found["days"].as_numpy().tolist()) == ("INT64", [3, 0, 4, 0])


def test_an_output_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"among probability, .*, got 'profit'"):
        says.to_response(InferRequest("churn", [], request_outputs=[RequestedOutput("profit")]), "id", "7", ANSWERS)

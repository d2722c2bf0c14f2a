"""Answers as tensors and as objects, whatever types a model answers in."""

import numpy as np
import pandas as pd
import pytest
from kserve import InferRequest, InferResponse

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

"""What a model answered, as tensors (V2) or as a list of objects (V1)."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from kserve import InferOutput, InferRequest, InferResponse

from serving.inference.values import as_text, plain


def to_response(request: InferRequest, request_id: str, version: str, answers: pd.DataFrame) -> InferResponse:
    """One output tensor of shape [n] a column; text and structures travel as BYTES, structures as JSON."""
    return InferResponse(
        response_id=request_id,
        model_name=request.model_name,
        model_version=version,
        infer_outputs=[tensor(str(name), answers[name]) for name in answers],
        use_binary_outputs=request.use_binary_outputs,
        requested_outputs=request.request_outputs,
    )


def tensor(name: str, values: "pd.Series[Any]") -> InferOutput:
    """A column as a tensor. Its data is a list: KServe asks whether there is any, which an array does not say."""
    array, datatype = _array(values)
    return InferOutput(name, [len(array)], datatype, array.tolist())


def datatype(values: "pd.Series[Any]") -> str:
    """The tensor type a column of answers travels as."""
    return _array(values)[1]


def to_predictions(answers: pd.DataFrame) -> list[dict[str, Any]]:
    """One object a row."""
    return [{str(name): plain(value) for name, value in row.items()} for row in answers.to_dict("records")]


def _array(values: "pd.Series[Any]") -> tuple[npt.NDArray[Any], str]:
    kinds = {"f": (np.float64, "FP64"), "i": (np.int64, "INT64"), "u": (np.int64, "INT64"), "b": (np.bool_, "BOOL")}
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in kinds:
        target, name = kinds[dtype.kind]
        return values.to_numpy(dtype=target), name
    return np.array([as_text(value) for value in values], dtype=object), "BYTES"

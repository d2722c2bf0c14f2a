"""What a model answered, as tensors (V2) or as a list of objects (V1)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from kserve import InferOutput, InferRequest, InferResponse
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import RequestedOutput

from serving.inference.values import ERROR, as_text, plain, told

#: What stands in each type of tensor where a row was not answered.
_NOTHING: Mapping[str, Any] = {"FP64": np.nan, "INT64": 0, "BOOL": False, "BYTES": ""}


def to_response(
    request: InferRequest, request_id: str, version: str, answers: pd.DataFrame, unknown: Mapping[int, str] = {}
) -> InferResponse:
    """One output tensor of shape [n] a column; text and structures travel as BYTES, structures as JSON.

    Args:
        unknown: why rows were not answered, by their places; `answers` are of the others.
    """
    outputs = [tensor(str(name), answers[name], unknown) for name in answers]
    if unknown:
        count = len(answers) + len(unknown)
        outputs.append(InferOutput(ERROR, [count], "BYTES", [unknown.get(place, "") for place in range(count)]))
    wanted = _wanted(request, outputs)
    named = None if wanted is None else {one.name for one in wanted}
    return InferResponse(
        response_id=request_id,
        model_name=request.model_name,
        model_version=version,
        infer_outputs=[output for output in outputs if named is None or output.name in named],
        use_binary_outputs=request.use_binary_outputs,
        requested_outputs=wanted,
    )


def _wanted(request: InferRequest, outputs: Sequence[InferOutput]) -> list[RequestedOutput] | None:
    """The outputs that were asked for, and always the errors; None where all are. Raises `InvalidInput` where there is
    none of a name."""
    if not request.request_outputs:
        return None
    wanted: list[RequestedOutput] = list(request.request_outputs)
    names = [output.name for output in outputs]
    for one in wanted:
        if one.name not in {*names, ERROR}:
            raise InvalidInput(f"outputs: expected names among {', '.join(names)}, got '{told(one.name)[:80]}'")
    others = [one for one in wanted if one.name != ERROR]
    return [*others, RequestedOutput(ERROR, wanted[0].parameters)] if ERROR in names else others


def tensor(name: str, values: "pd.Series[Any]", unknown: Mapping[int, str] = {}) -> InferOutput:
    """A column as a tensor, with nothing in it where a row is unknown.

    Its data is a list: KServe asks whether there is any, which an array does not say.
    """
    array, datatype = _array(values)
    if unknown:
        whole = np.full(len(array) + len(unknown), _NOTHING[datatype], dtype=array.dtype)
        whole[known(len(array), unknown)] = array
        array = whole
    return InferOutput(name, [len(array)], datatype, array.tolist())


def known(count: int, unknown: Mapping[int, str]) -> list[int]:
    """The places of `count` known rows among all rows of a request."""
    return [place for place in range(count + len(unknown)) if place not in unknown]


def datatype(values: "pd.Series[Any]") -> str:
    """The tensor type a column of answers travels as."""
    return _array(values)[1]


def to_predictions(answers: pd.DataFrame, unknown: Mapping[int, str] = {}) -> list[dict[str, Any]]:
    """One object a row; of an unknown row one that holds `error`."""
    found = ({str(name): plain(value) for name, value in row.items()} for row in answers.to_dict("records"))
    count = len(answers) + len(unknown)
    return [{ERROR: unknown[place]} if place in unknown else next(found) for place in range(count)]


def in_headers(name: str, value: str) -> dict[str, str]:
    """A header of this value; none where a header cannot carry it."""
    return {name: value} if value.isascii() else {}


def _array(values: "pd.Series[Any]") -> tuple[npt.NDArray[Any], str]:
    kinds = {"f": (np.float64, "FP64"), "i": (np.int64, "INT64"), "u": (np.int64, "INT64"), "b": (np.bool_, "BOOL")}
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in kinds:
        target, name = kinds[dtype.kind]
        return values.to_numpy(dtype=target), name
    return np.array([as_text(value) for value in values], dtype=object), "BYTES"

"""Converts answers to tensors (V2) or a list of objects (V1)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import InferOutput, InferRequest, InferResponse, RequestedOutput

from serving.inference.values import ERROR, as_text, plain, safe_text

#: Filler of each tensor type for rows without an answer.
_NOTHING: Mapping[str, Any] = {"FP64": np.nan, "INT64": 0, "BOOL": False, "BYTES": ""}


def to_response(
    request: InferRequest, request_id: str, version: str, answers: pd.DataFrame, unknown: Mapping[int, str] = {}
) -> InferResponse:
    """One output tensor of shape [n] per column. Text and structures are BYTES, structures as JSON.

    Args:
        unknown: errors by row; `answers` has the other rows.
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
    """The requested outputs, or all; always with the errors. Raises `InvalidInput` for an unknown name."""
    if not request.request_outputs:
        return None
    wanted: list[RequestedOutput] = list(request.request_outputs)
    names = [output.name for output in outputs]
    for one in wanted:
        if one.name not in {*names, ERROR}:
            raise InvalidInput(f"outputs: expected names among {', '.join(names)}, got '{safe_text(one.name)[:80]}'")
    others = [one for one in wanted if one.name != ERROR]
    return [*others, RequestedOutput(ERROR, wanted[0].parameters)] if ERROR in names else others


def tensor(name: str, values: "pd.Series[Any]", unknown: Mapping[int, str] = {}) -> InferOutput:
    """A column as a tensor, with fillers in unknown rows.

    Its data is a list, as KServe tests its truth value, which arrays do not have.
    """
    array, datatype = _array(values)
    if unknown:
        whole = np.full(len(array) + len(unknown), _NOTHING[datatype], dtype=array.dtype)
        whole[known(len(array), unknown)] = array
        array = whole
    return InferOutput(name, [len(array)], datatype, array.tolist())


def known(count: int, unknown: Mapping[int, str]) -> list[int]:
    """Indices of the `count` known rows among all rows of a request."""
    return [place for place in range(count + len(unknown)) if place not in unknown]


def spread(frame: pd.DataFrame, unknown: Mapping[int, str]) -> pd.DataFrame:
    """Known rows at their positions among all rows; empty rows elsewhere."""
    if not unknown:
        return frame
    return frame.set_axis(known(len(frame), unknown)).reindex(range(len(frame) + len(unknown)))


def datatype(values: "pd.Series[Any]") -> str:
    """Tensor type of a column of answers."""
    return _array(values)[1]


def to_predictions(answers: pd.DataFrame, unknown: Mapping[int, str] = {}) -> list[dict[str, Any]]:
    """One object per row; for an unknown row it has the key `error`."""
    names, columns = [str(name) for name in answers], (answers[name].tolist() for name in answers)
    rows = zip(*columns, strict=True)  # of few rows in a tenth of the time of `to_dict`
    found = (dict(zip(names, map(plain, row), strict=True)) for row in rows)
    count = len(answers) + len(unknown)
    return [{ERROR: unknown[place]} if place in unknown else next(found) for place in range(count)]


def in_headers(name: str, value: str) -> dict[str, str]:
    """A header with this value; none where a header cannot contain it."""
    return {name: value} if value.isascii() else {}


def _array(values: "pd.Series[Any]") -> tuple[npt.NDArray[Any], str]:
    kinds = {"f": (np.float64, "FP64"), "i": (np.int64, "INT64"), "u": (np.int64, "INT64"), "b": (np.bool_, "BOOL")}
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in kinds:
        target, name = kinds[dtype.kind]
        return values.to_numpy(dtype=target), name
    return np.array([as_text(value) for value in values], dtype=object), "BYTES"

"""What an endpoint answers is what its bundle answers, over every protocol, for every family."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pandas as pd
import pytest
import small
import toyland
from checks import Case, manifest
from kserve import InferInput, InferRequest, InferResponse
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as service

from features.settings import Settings
from models import bundle, catalog
from models.bundle import open_bundle
from models.family import Explaining
from models.inputs import Kind
from models.keys import public_key, signing_key
from serving.access import own
from serving.inference.batch import Scorer
from serving.inference.partitions import partitions
from serving.inference.rows import DATATYPES
from serving.inference.values import as_text, plain
from serving.rollout.processes import Child, ModelServer, Process
from tests.toyland import local

ROWS = 7


@dataclass(frozen=True)
class Served:
    case: Case
    rows: pd.DataFrame
    answers: pd.DataFrame
    server: ModelServer
    given: dict[str, str]
    home: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.http_port}"

    @property
    def name(self) -> str:
        return self.case.family.name


@pytest.fixture(scope="module", params=[*catalog.NAMES, *toyland.OTHERS])
def served(
    request: pytest.FixtureRequest,
    fitted: Callable[..., Case],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    if request.param not in toyland.OTHERS:
        case = fitted(request.param, small.section(request.param))
        yield from _serve(case, ImageServer, "serving.inference", tmp_path_factory)
        return
    with pytest.MonkeyPatch.context() as patch:
        toyland.add(patch, *toyland.OTHERS)
        case = fitted(request.param, toyland.OTHERS[request.param])
        yield from _serve(case, ModelServer, "tests.toyland.server", tmp_path_factory)


class ImageServer(ModelServer):
    """A server that can import only what its image holds."""

    def _start(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Child:
        return Process._start(self, [sys.executable, "-m", "tests.toyland.image", *command], log, environment)


def _serve(
    case: Case, server_class: type[ModelServer], module: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("served")
    settings = Settings(home=home)
    rows = _with_gaps(case, case.rows.head(ROWS).reset_index(drop=True))
    answers = case.model.predict(rows)
    bundle.write(home / "bundle", case.model, manifest(case), rows.join(answers))
    bundle.sign(home / "bundle", signing_key(settings), "7")
    server = server_class(module, case.family.name, "7", home / "bundle", home / "log", settings)
    try:
        server.wait_ready()
        yield Served(case, rows, answers, server, own.header(settings), home)
    finally:
        server.stop()


def _with_gaps(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    """Each feature is missing in one row; those that a binary tensor can't leave out are whole."""
    for place, name in enumerate(rows):
        if name in case.of("number"):
            rows[name] = rows[name].astype(float)
            rows.loc[place % len(rows), name] = np.nan
    return rows


def _tensors(served: Served, rows: pd.DataFrame, binary: bool) -> list[InferInput]:
    return [_tensor(str(name), served.case.kinds[str(name)], rows[name], binary) for name in rows]


def _tensor(name: str, kind: Kind, values: "pd.Series[Any]", binary: bool) -> InferInput:
    if kind == "vector":
        matrix = np.array(values.tolist(), dtype=float)
        tensor = InferInput(name, list(matrix.shape), "FP64")
        if binary:
            tensor.set_data_from_numpy(matrix)
        else:
            tensor.data = matrix.tolist()
        return tensor
    tensor = InferInput(name, [len(values)], DATATYPES[kind])
    values = values.map(as_text) if kind == "candidates" else values
    if binary and kind == "number":
        tensor.set_data_from_numpy(values.to_numpy(dtype=float))
    elif binary:
        tensor.set_data_from_numpy(values.to_numpy(dtype=bool if kind == "boolean" else object))
    else:
        tensor.data = [plain(value) for value in values]
    return tensor


def _frame(response: InferResponse) -> pd.DataFrame:
    columns = {}
    for output in response.outputs:
        values = output.as_numpy()
        text = output.datatype == "BYTES"
        columns[output.name] = [v.decode() if isinstance(v, bytes) else v for v in values] if text else values
    return pd.DataFrame(columns)


def _same(found: pd.DataFrame, served: Served) -> None:
    expected = pd.DataFrame(
        {name: _as_sent(served.answers[name]) for name in served.answers}, index=range(len(served.answers))
    )
    assert list(found) == list(expected)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-9, atol=1e-12)


def _as_sent(values: "pd.Series[Any]") -> list[Any]:
    return [value if isinstance(value, float | int | bool | np.generic) else as_text(value) for value in values]


def test_a_batch_has_the_answers_of_the_endpoint(served: Served, tmp_path: Path) -> None:
    served.rows.to_parquet(tmp_path / "rows.parquet")
    settings = Settings(home=served.home)
    opened = open_bundle(served.home / "bundle", public_key(settings), served.name, "7")
    (part,) = partitions(str(tmp_path / "rows.parquet"), settings)
    assert Scorer(opened, settings).score(part, str(tmp_path / "out")) == 0
    scores = pd.read_parquet(tmp_path / "out" / "rows.parquet")
    _same(scores.drop(columns=["error", *{served.case.family.entity} & set(scores)]), served)


def test_v1_answers_as_the_bundle(served: Served) -> None:
    instances = [{name: plain(value) for name, value in row.items()} for row in served.rows.to_dict("records")]
    answer = local.post(
        f"{served.url}/v1/models/{served.name}:predict", json={"instances": instances}, headers=served.given, timeout=30
    )
    assert answer.status_code == 200, answer.text
    found = pd.DataFrame(answer.json()["predictions"])
    _same(found.apply(_as_sent), served)
    assert answer.headers["x-model-version"] == "7"


def test_v2_answers_as_the_bundle_whatever_the_order_of_features(served: Served) -> None:
    body, _ = InferRequest(served.name, _tensors(served, served.rows, binary=False)[::-1]).to_rest()
    answer = local.post(f"{served.url}/v2/models/{served.name}/infer", json=body, headers=served.given, timeout=30)
    assert answer.status_code == 200, answer.text
    _same(_frame(InferResponse.from_rest(answer.json())), served)
    assert answer.json()["model_version"] == "7"


def test_v2_in_binary_answers_as_the_bundle(served: Served) -> None:
    request = InferRequest(
        served.name, _tensors(served, _texts(served), binary=True), parameters={"binary_data_output": True}
    )
    body, length = request.to_rest()
    tensors = {"inference-header-content-length": str(length), "content-type": "application/octet-stream"}
    headers = {**served.given, **tensors}
    answer = local.post(f"{served.url}/v2/models/{served.name}/infer", content=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    found = InferResponse.from_bytes(answer.content, int(answer.headers["inference-header-content-length"]))
    _same(_frame(found), _with_texts(served))


def test_grpc_answers_as_the_bundle(served: Served) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{served.server.grpc_port}") as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        request = InferRequest(served.name, _tensors(served, _texts(served), binary=True)).to_grpc()
        found = InferResponse.from_grpc(stub.ModelInfer(request, metadata=list(served.given.items()), timeout=30))
    _same(_frame(found), _with_texts(served))
    assert found.model_version == "7"


def test_one_row_is_answered_as_in_a_batch(served: Served) -> None:
    row = {name: plain(value) for name, value in served.rows.iloc[3].items()}
    answer = local.post(
        f"{served.url}/v1/models/{served.name}:predict", json={"instances": [row]}, headers=served.given, timeout=30
    )
    one = pd.DataFrame(answer.json()["predictions"])
    expected = served.answers.iloc[[3]].reset_index(drop=True).select_dtypes("number")
    pd.testing.assert_frame_equal(one[expected.columns], expected, check_dtype=False, rtol=1e-5, atol=1e-6)


def test_the_explanation_is_the_bundles(served: Served) -> None:
    rows = served.rows.head(2)
    instances = [{name: plain(value) for name, value in row.items()} for row in rows.to_dict("records")]
    answer = local.post(
        f"{served.url}/v1/models/{served.name}:explain", json={"instances": instances}, headers=served.given, timeout=60
    )
    if not isinstance(served.case.model, Explaining):
        assert answer.status_code == 501, answer.text
        assert answer.json() == {"error": f"{served.name} gives no explanations"}
        return
    assert answer.status_code == 200, answer.text
    assert not {"host", "user-agent"} & set(answer.headers)
    expected = served.case.model.explain(rows)["top_drivers"]
    for found, drivers in zip(answer.json()["explanations"], expected, strict=True):
        assert [one["feature"] for one in found["top_drivers"]] == [one["feature"] for one in drivers]
        assert np.allclose([one["effect"] for one in found["top_drivers"]], [one["effect"] for one in drivers])


def test_the_metadata_names_every_feature_and_answer(served: Served) -> None:
    told = local.get(f"{served.url}/v2/models/{served.name}").json()
    assert [one["name"] for one in told["inputs"]] == list(served.rows)
    assert [one["name"] for one in told["outputs"]] == list(served.answers)


def _texts(served: Served) -> pd.DataFrame:
    """Binary tensors have no null for text: an empty one stands where it is missing."""
    return served.rows.assign(**{name: served.rows[name].fillna("") for name in served.case.of("category", "text")})


def _with_texts(served: Served) -> Served:
    answers = served.case.model.predict(_texts(served))
    return replace(served, answers=answers)

import numpy as np
import pandas as pd
import pytest
import toyland
from kserve import InferInput, InferRequest

from components.train.step import train
from models.bundle import open_bundle
from models.inputs import kind_of
from models.tabular import Encoder
from serving.inference.rows import InputSchema
from tests.benchmarks import batch
from tests.benchmarks.serving import in_process, request


@pytest.fixture
def bundle(toy, tmp_path):
    features = toyland.write(tmp_path / "features")
    train(features, toy, toyland.SECTION, tmp_path / "checkpoint", tmp_path / "bundle")
    return open_bundle(tmp_path / "bundle", None)


def test_both_sides_score_the_same_number_of_chunks(bundle, monkeypatch):
    monkeypatch.setattr(batch, "ROWS", 6000)
    monkeypatch.setattr(batch, "CHUNK", 2000)
    model, beside = batch.score(bundle, "lightgbm")
    assert len(model) == len(beside) == 3
    assert min(model + beside) > 0


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_the_plain_booster_learns_what_the_model_answers(bundle, library):
    reference = bundle.reference()
    features = reference[list(bundle.manifest.columns)]
    matrix, answers = Encoder.fit(features).encode(features), batch.target(reference, features)
    assert (answers == reference["probability"].to_numpy(dtype=np.float32)).all()
    assert np.corrcoef(batch.plain(library, matrix, answers, threads=1)(matrix), answers)[0, 1] > 0.9


def test_a_request_is_read_by_the_server_as_the_row_it_was_made_of(bundle):
    columns = bundle.manifest.columns
    rows = bundle.reference()[list(columns)].head(30)
    schema = InputSchema("customer_id", {name: kind_of(dtype) for name, dtype in columns.items()})
    sent = [request(row, columns)["inputs"] for _, row in rows.astype(object).iterrows()]
    read = [schema.read(InferRequest("toy", [InferInput(**tensor) for tensor in inputs])).rows for inputs in sent]
    pd.testing.assert_frame_equal(pd.concat(read, ignore_index=True), rows.reset_index(drop=True), check_dtype=False)


def test_the_warm_up_is_not_counted(bundle, monkeypatch):
    monkeypatch.setattr("tests.benchmarks.serving.WARM", 5)
    reference = bundle.reference()
    features = reference[list(bundle.manifest.columns)]
    assert len(in_process(features.head(20), features, batch.target(reference, features))) == 15

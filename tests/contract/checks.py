"""What every family must hold to, whatever it learns. A new family writes none of these."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from components.frame import Frame
from models import bundle
from models.bundle import Manifest
from models.family import Explaining, Family, Model
from models.inputs import InvalidRows, Kind
from models.vectors import Picker, Vectorized


@dataclass(frozen=True)
class Case:
    """A family fitted on a small frame.

    Attributes:
        folder: what `fit_once` left.
        rows: held-out features.
        answers: what the model answered to them where it was fitted.
        model: that model, saved and loaded.
    """

    family: Family
    section: dict[str, Any]
    frame: Frame
    folder: Path
    rows: pd.DataFrame
    answers: pd.DataFrame
    model: Model

    @property
    def kinds(self) -> dict[str, Kind]:
        """What each feature column holds, as the bundle says it."""
        return manifest(self).inputs

    def of(self, *kinds: Kind) -> list[str]:
        """The columns of these kinds."""
        return [name for name, kind in self.kinds.items() if kind in kinds]

    @classmethod
    def opened(cls, family: Family, section: dict[str, Any], folder: Path) -> "Case":
        """What `fit_once` left in `folder`; the checks share the model."""
        frame = Frame(folder / "features")
        answers = _kept(folder / "answers.parquet")
        return cls(family, section, frame, folder, _held_out(frame), answers, family.load(folder / "model"))


def fit_once(family: Family, section: dict[str, Any], folder: Path) -> None:
    """Fit on `folder`/features, with a checkpoint beside it; and keep the model and what it answers."""
    frame = Frame(folder / "features")
    for name in ("checkpoint", "model"):
        (folder / name).mkdir()
    model = _fit(family, section, frame, folder / "checkpoint")
    model.save(folder / "model")
    model.predict(_held_out(frame)).to_parquet(folder / "answers.parquet")


def _kept(file: Path) -> pd.DataFrame:
    """Answers as they were given: pandas would read lists as arrays."""
    table = pq.read_table(file)
    nested = {field.name: table[field.name].to_pylist() for field in table.schema if pa.types.is_nested(field.type)}
    frame = table.to_pandas()
    return frame.assign(**{name: pd.Series(values, frame.index, dtype=object) for name, values in nested.items()})


def _held_out(frame: Frame) -> pd.DataFrame:
    return frame.split("test")[frame.columns].head(30)


def manifest(case: Case) -> Manifest:
    about = case.frame.about
    return Manifest(
        family=case.family.name,
        feature_service=about["service"],
        columns=about["columns"],
        kinds=about["kinds"],
        label=case.family.label,
        params=case.section,
        seed=case.section["seed"],
        data_hash=about["data_hash"],
        git_commit="unknown",
    )


def _fit(family: Family, section: dict[str, Any], frame: Frame, checkpoint: Path) -> Model:
    return family.fit(frame.split("train"), frame.split("valid"), family.params.read(section), checkpoint)


def _same(left: pd.DataFrame, right: pd.DataFrame, tolerance: float = 1e-6) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=False, rtol=tolerance, atol=tolerance)


def _whole(answers: pd.DataFrame, rows: pd.DataFrame) -> None:
    assert answers.index.equals(rows.index)
    assert not answers.isna().any(axis=None), f"missing answers in {list(answers.columns[answers.isna().any()])}"
    assert np.isfinite(answers.select_dtypes("number").to_numpy()).all()


def saved_and_loaded(case: Case, folder: Path) -> None:
    _same(case.model.predict(case.rows), case.answers)


def seeded(case: Case, folder: Path) -> None:
    """Fitted again from nothing, it answers the same."""
    _same(_fit(case.family, case.section, case.frame, folder).predict(case.rows), case.answers)


def resumed(case: Case, folder: Path) -> None:
    """Fitted again with a checkpoint that is complete, it answers the same."""
    again = _fit(case.family, case.section, case.frame, shutil.copytree(case.folder / "checkpoint", folder / "copy"))
    _same(again.predict(case.rows), case.answers)


def columns_shuffled(case: Case, folder: Path) -> None:
    shuffled = case.rows[np.random.default_rng(0).permutation(case.rows.columns)]
    _same(case.model.predict(shuffled), case.answers)


def extra_columns_ignored(case: Case, folder: Path) -> None:
    _same(case.model.predict(case.rows.assign(unheard_of=1)), case.answers)


def unseen_category(case: Case, folder: Path) -> None:
    unheard = dict.fromkeys(case.of("category", "text"), "never seen")
    unheard |= {name: [["never seen"]] * len(case.rows) for name in case.of("candidates")}
    _whole(case.model.predict(case.rows.assign(**unheard)), case.rows)


def missing_values(case: Case, folder: Path) -> None:
    """Each column missing in one row, and a row of which nothing is known."""
    rows = pd.concat([case.rows.head(1)] * (len(case.rows.columns) + 1), ignore_index=True).astype(object)
    for place in range(len(rows.columns)):
        rows.iloc[place, place] = None
    rows.iloc[-1] = None
    _whole(case.model.predict(rows), rows)


def one_row_is_the_batch(case: Case, folder: Path) -> None:
    some = case.rows.head(10)
    alone = [case.model.predict(some.iloc[[place]]) for place in range(len(some))]
    _same(pd.concat(alone), case.answers.head(10), tolerance=1e-5)


def vectors_are_the_frame(case: Case, folder: Path) -> None:
    """A model that answers float vectors says of them what it says of the frame, missing values among them."""
    if not isinstance(case.model, Vectorized):
        return
    gaps = np.random.default_rng(0).random(case.rows.shape) < 0.1
    rows = case.rows.astype(object).mask(gaps, None)
    texts = [name for name in rows if case.rows[name].map(lambda value: isinstance(value, str)).any()]
    floats = rows.drop(columns=texts).astype(float)
    picker = Picker(case.model.encoder, list(floats), texts)
    told = {name: [value if isinstance(value, str) else None for value in rows[name]] for name in texts}
    answers = pd.DataFrame(case.model.answer(picker.encode(floats.to_numpy(), told)), index=rows.index)
    pd.testing.assert_frame_equal(answers, case.model.predict(rows))


def rows_from_json(case: Case, folder: Path) -> None:
    """Values as a request brings them: no dtypes, whole numbers without a point, null for what is missing."""
    records = json.loads(case.rows.to_json(orient="records"))
    carried = pd.DataFrame({name: pd.Series([row[name] for row in records], dtype=object) for name in case.rows})
    _same(case.model.predict(carried), case.answers, tolerance=1e-5)


def index_kept(case: Case, folder: Path) -> None:
    rows = case.rows.set_axis([f"row {number}" for number in range(len(case.rows))])
    _whole(case.model.predict(rows), rows)


def missing_column_named(case: Case, folder: Path) -> None:
    _named_or_not_read(case, lambda name: case.rows.drop(columns=name))


def wrong_type_named(case: Case, folder: Path) -> None:
    numbers = case.of("number", "vector", "candidates")
    _named_or_not_read(case, lambda name: case.rows.assign(**{name: "text" if name in numbers else 5.5}))


def infinity_named(case: Case, folder: Path) -> None:
    for names, infinite in ((case.of("number"), np.inf), (case.of("vector"), [[np.inf]] * len(case.rows))):
        if names:
            _named_or_not_read(case, lambda name, spoilt=infinite: case.rows.assign(**{name: spoilt}), names)


def _named_or_not_read(case: Case, spoil: Any, names: list[str] | None = None) -> None:
    """A spoilt column is refused by its name, or the answers do not depend on it at all; not all can be so."""
    refused = 0
    expected = case.answers
    for name in names or list(case.rows.columns):
        try:
            answers = case.model.predict(spoil(name))
        except InvalidRows as error:
            assert error.field == name
            assert name in str(error)
            refused += 1
        else:
            _same(answers, expected)
    assert refused > 0


def explained(case: Case, folder: Path) -> None:
    """Drivers are named, largest first; a model may name what it works out from its features as well, or explain
    nothing."""
    if not isinstance(case.model, Explaining):
        return
    rows = case.rows.head(5)
    explanations = case.model.explain(rows)
    assert explanations.index.equals(rows.index)
    for drivers in explanations["top_drivers"]:
        effects = [abs(driver["effect"]) for driver in drivers]
        assert effects and effects == sorted(effects, reverse=True)
        assert all(isinstance(driver["feature"], str) and driver["feature"] for driver in drivers)


def bundled(case: Case, folder: Path) -> None:
    """Written, signed and opened it answers the same, and no file in it can run code."""
    about = manifest(case)
    bundle.write(folder / "bundle", case.model, about, case.rows)
    key = Ed25519PrivateKey.generate()
    with pytest.raises(bundle.BundleTampered):
        bundle.open_bundle(folder / "bundle", key.public_key())
    bundle.sign(folder / "bundle", key, "1")
    opened = bundle.open_bundle(folder / "bundle", key.public_key())
    assert opened.manifest == about
    _same(opened.model.predict(case.rows), case.answers)


def measured(case: Case, folder: Path) -> None:
    """Every baseline answers what the first metric compares, every metric of the family is a number."""
    test = case.frame.split("test")
    truth, answers = test[list(case.family.label)], case.family.try_out(case.model, test, case.frame.columns)
    _whole(answers, test)
    assert all(np.isfinite(metric.measure(truth, answers)) for metric in case.family.metrics)
    for name, fit in case.family.baselines.items():
        checkpoint = folder / name
        checkpoint.mkdir()
        params = case.family.params.read(case.section)
        naive = fit(case.frame.split("train"), case.frame.split("valid"), params, checkpoint)
        _whole(naive.predict(case.rows.head(3)), case.rows.head(3))
        answers = case.family.try_out(naive, test, case.frame.columns)
        _whole(answers, test)
        assert np.isfinite(case.family.metrics[0].measure(truth, answers))


def described(case: Case, folder: Path) -> None:
    assert case.family.intended_use and case.family.limits


ALL = (
    saved_and_loaded,
    seeded,
    resumed,
    columns_shuffled,
    extra_columns_ignored,
    unseen_category,
    missing_values,
    one_row_is_the_batch,
    vectors_are_the_frame,
    rows_from_json,
    index_kept,
    missing_column_named,
    wrong_type_named,
    infinity_named,
    explained,
    bundled,
    measured,
    described,
)

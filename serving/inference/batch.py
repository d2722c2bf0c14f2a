"""Scores partitions of rows with a bundle's model: the answers that its endpoint gives, without the network.

Memory is bounded by `ROWS` rows, whatever the size of files and row groups. Scores of a partition are one file, in the
order of its rows: the entity's id where rows have one, the answers, typed as tensors of the Open Inference Protocol
(structures are JSON), and `error` for ids without features, whose answers are null.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features import lake
from features.settings import Settings
from models import catalog
from models.bundle import Bundle
from models.inputs import InvalidRows, is_missing
from serving.inference.answers import datatype, spread
from serving.inference.lookup import Lookup
from serving.inference.partitions import Partition, opened
from serving.inference.rows import InputSchema, Values
from serving.inference.values import ERROR, as_text

#: Rows that are in memory at a time.
ROWS = 20_000
TYPES = {"FP64": pa.float64(), "INT64": pa.int64(), "BOOL": pa.bool_(), "BYTES": pa.string()}


class Scorer:
    """Scores rows with the model of a bundle."""

    def __init__(self, bundle: Bundle, settings: Settings) -> None:
        self._model, self._settings = bundle.model, settings
        family = catalog.family(bundle.manifest.family)
        context = tuple(name for name in family.context if name in bundle.manifest.columns)
        self._schema = InputSchema(family.entity, bundle.manifest.inputs, context)
        self._lookup = Lookup(bundle.manifest, self._schema, settings)
        sample = bundle.model.predict(bundle.reference()[list(self._schema.columns)].head(1))
        answers = [pa.field(str(name), TYPES[datatype(sample[name])]) for name in sample]
        self._answers = [*answers, pa.field(ERROR, pa.string())]

    def score(self, partition: Partition, out: str) -> int:
        """Write the scores of a partition below `out`, whole or not at all; the number of rows without an answer.

        Raises `InvalidRows` naming file and column, and `OnlineStoreUnavailable`.
        """
        unknown, entity = 0, self._schema.entity
        with opened(partition.uri, self._settings) as parquet:
            names = [name for name in parquet.schema_arrow.names if name in {entity, *self._schema.columns}]
            ids = [pa.field(entity, pa.string())] if entity in names else []
            schema = pa.schema([*ids, *self._answers])
            target = f"{out.rstrip('/')}/{partition.name}"
            with _whole(target, self._settings) as file, pq.ParquetWriter(file, schema) as writer:
                for rows in parquet.iter_batches(ROWS, row_groups=list(partition.groups), columns=names):
                    try:
                        scores = self._scored(rows, schema)
                    except InvalidRows as wrong:
                        raise InvalidRows(wrong.field, f"{wrong.expected} in {partition.uri}", wrong.got) from wrong
                    unknown += len(scores) - scores[ERROR].null_count
                    writer.write_table(scores)
        return unknown

    def _scored(self, rows: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
        parsed = self._schema.parse({name: _values(rows[name]) for name in rows.schema.names})
        unknown: dict[int, str] = {}
        if parsed.rows is None:
            features, unknown = self._lookup.rows(parsed)
        else:
            features = parsed.rows
        answers = spread(self._model.predict(features), unknown) if len(features) else pd.DataFrame()
        given = {self._schema.entity: parsed.ids, ERROR: [unknown.get(place) for place in range(len(rows))]}
        columns = [
            pa.array(given[field.name], field.type) if field.name in given else _array(answers, field, len(rows))
            for field in schema
        ]
        return pa.table(columns, schema)


def _values(column: pa.Array) -> Values:
    """As the schema takes them: numbers as an array, NaN where missing, others as a list."""
    values: Values
    if pa.types.is_integer(column.type) and not column.null_count:
        values = column.to_numpy()
    elif pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    else:
        values = column.to_pylist()
    return values


def _array(answers: pd.DataFrame, field: pa.Field, count: int) -> pa.Array:
    if answers.empty:
        return pa.nulls(count, field.type)
    values = answers[field.name]
    if pa.types.is_string(field.type):
        return pa.array([None if is_missing(value) else as_text(value) for value in values], field.type)
    return pa.array(values, field.type, from_pandas=True)


@contextmanager
def _whole(target: str, settings: Settings) -> Iterator[Path]:
    """A file of this machine that is put to `target` once it is written."""
    if lake.is_remote(target):
        with TemporaryDirectory() as temporary:
            yield (aside := Path(temporary) / "scores.parquet")
            lake.filesystem(target, settings).put_file(str(aside), target)
        return
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*"):  # by a process that was killed
        left.unlink(missing_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)

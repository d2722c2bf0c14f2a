"""Compute a family's training frame from canonical tables, and publish its features online."""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features import store, views
from features.settings import Settings
from features.tables import Tables
from features.views import TIMESTAMP
from models.catalog import family as of_name
from models.inputs import is_listed


@dataclass(frozen=True)
class Featurized:
    """The content of `features.json`.

    Attributes:
        columns: pandas dtype by feature column, in the frame's order.
        kinds: kinds of columns and outputs that their dtype does not determine (`models.inputs`).
        cutoffs: timestamps of the examples of each split.
        snapshot: folder of the feature snapshot that was joined; empty without features.
        moving: expected drift by column (`features.movement`).
    """

    family: str
    service: str | None
    data_hash: str
    as_of: str
    rows: dict[str, int]
    columns: dict[str, str]
    kinds: dict[str, str]
    cutoffs: dict[str, list[str]]
    snapshot: str
    moving: dict[str, dict[str, Any]]


def featurize(
    tables: Path,
    family: str,
    params: dict[str, Any],
    as_of: str | None,
    settings: Settings,
    out: Path,
    *,
    cutoff: str | None = None,
    online: bool = True,
) -> Featurized:
    """Write `out/frame.parquet` (key, event_timestamp, split, labels, features) and `out/features.json`.

    Args:
        params: the family's section of `params.yaml`, the seed in it.
        as_of: ignore later events; a date, or an offset like `-28d` from the end; None for all.
        cutoff: time of the test examples; None for the latest that the data allows.
        online: publish the newest features for serving.
    """
    record, source = of_name(family), Tables(tables, settings.limits)
    if record.table is not None and record.table not in source.names:
        raise ValueError(f"{family} learns from the table '{record.table}'; there are: {', '.join(source.names)}")
    entity = None if record.feature_service is None else views.service_of(record.feature_service).entity
    as_of = entity.moment(source, as_of) if entity else as_of or None
    examples = record.examples(source, record.params.read(params), as_of, cutoff)
    snapshot, frame, moving = None, examples, dict(record.moving)
    if entity and record.feature_service:
        newest = max(entity.latest(source, as_of), examples[TIMESTAMP].max())
        snapshot = store.build(source, record.feature_service, examples, newest, settings)
        frame = store.training_frame(snapshot, examples, settings)
        moving = views.moving(record.feature_service, source) | moving
    features = [name for name in frame if name not in examples or name in record.context]
    vectors = [str(name) for name in features if name not in record.kinds and is_listed(frame[name])]
    done = Featurized(
        family=family,
        service=record.feature_service,
        data_hash=snapshot.data_hash if snapshot else _hash(examples),
        as_of=snapshot.as_of if snapshot else as_of or "",
        rows={str(split): int(count) for split, count in frame["split"].value_counts().items()},
        columns={str(name): str(frame[name].dtype) for name in features},
        kinds={**record.kinds, **dict.fromkeys(vectors, "vector")},
        cutoffs=_cutoffs(frame),
        snapshot=snapshot.folder if snapshot else "",
        moving={name: found.model_dump() for name, found in moving.items() if name in features},
    )
    _write(frame, done, out)
    if online and snapshot:
        store.publish(snapshot, settings)
    return done


def _hash(examples: pd.DataFrame) -> str:
    """Hash of examples without a snapshot."""
    return hashlib.sha256(examples.to_json(orient="split", date_unit="us").encode()).hexdigest()


def _cutoffs(frame: pd.DataFrame) -> dict[str, list[str]]:
    if TIMESTAMP not in frame:
        return {}
    return {str(split): _moments(group) for split, group in frame.groupby("split")[TIMESTAMP]}


def _moments(moments: "pd.Series[pd.Timestamp]") -> list[str]:
    return [moment.isoformat() for moment in sorted(moments.unique())]


def _write(frame: pd.DataFrame, done: Featurized, out: Path) -> None:
    """Write both files atomically, the description last."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as aside:
        frame.to_parquet(Path(aside) / "frame.parquet", index=False, coerce_timestamps="us")
        (Path(aside) / "features.json").write_text(json.dumps(asdict(done), indent=2))
        for name in ("frame.parquet", "features.json"):
            (Path(aside) / name).replace(out / name)

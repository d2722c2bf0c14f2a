"""The sources' data as canonical tables, staged for validation."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.pictures import described
from features import sources
from features.schema import Schema
from features.settings import Settings
from features.tables import Tables, content_hash


@dataclass(frozen=True)
class Ingested:
    """The staged tables: content hash, row counts, and notes."""

    data_hash: str
    rows: dict[str, int]
    notes: tuple[str, ...]


def ingest(source: Sequence[str], out: Path, settings: Settings, schema: Schema = sources.AS_THEY_ARE) -> Ingested:
    """Write the canonical tables of all of `source` into `out`, replacing its content; creatives get what their
    pictures show.

    Args:
        source: each a bundled source (see `features.sources`), `decision_log`, or a folder of canonical tables
            or of iPinYou replay files, here or `s3://…`, or of a decision log and its feedback.
        schema: how to convert folders of tables.

    Raises:
        FileNotFoundError: the source does not exist.
        ContractBroken: a table breaks its contract; `out` is then unchanged.
        ValueError: two sources have the same table.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        aside = Path(temporary) / "tables"
        notes = (*sources.read(source, aside, settings, schema), *described(aside, settings))
        done = Ingested(content_hash(aside), Tables(aside).rows(), notes)
        if out.exists():
            out.rename(Path(temporary) / "before")
        aside.rename(out)
    return done

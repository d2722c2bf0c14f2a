"""Check the contracts of staged tables, and publish the tables if all hold."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from features import contracts
from features.tables import Tables, content_hash


@dataclass(frozen=True)
class Validated:
    """The published tables: content hash and row counts."""

    data_hash: str
    rows: dict[str, int]


def validate(staged: Path, out: Path) -> Validated:
    """Publish the tables in `staged` to `out`, replacing its content.

    Raises `ContractBroken` with table, column, rule and some offending rows; `out` is then unchanged.
    """
    contracts.check(staged)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        aside = Path(temporary) / "tables"
        shutil.copytree(staged, aside)
        done = Validated(content_hash(aside), Tables(aside).rows())
        if out.exists():
            out.rename(Path(temporary) / "before")
        aside.rename(out)
    return done

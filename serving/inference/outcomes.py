"""What came of it: labels that arrive later, joined to the answers by request id, each counted once."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from serving.inference import parts

KEY = ["request_id", "row"]


def folder(home: Path, family: str) -> Path:
    """Where a family's outcomes are kept."""
    return home / "outcomes" / family


def append(home: Path, family: str, outcomes: pd.DataFrame) -> None:
    """Add outcomes: `request_id`, `row` (of the request, from 0) and the label columns.

    The same outcome may come again, late or by a sender that retries: the first to come is the one that counts.
    """
    missing = [name for name in KEY if name not in outcomes]
    if missing:
        raise ValueError(f"outcomes: expected columns {KEY}, missing {missing}")
    parts.write(folder(home, family), pa.Table.from_pandas(outcomes, preserve_index=False))


def read(home: Path, family: str) -> pd.DataFrame:
    """The outcomes, one a request and row. Empty where none came yet."""
    table = parts.read(folder(home, family))
    if table is None:
        return pd.DataFrame(columns=KEY)
    frame: pd.DataFrame = table.to_pandas()
    return frame.drop_duplicates(KEY, ignore_index=True)


def joined(home: Path, family: str, logged: pd.DataFrame) -> pd.DataFrame:
    """The answered rows of a request log that was read whose outcome is in, with its label columns."""
    answered = logged[logged["status"] == 200]
    return answered.merge(read(home, family), on=KEY, how="inner", validate="many_to_one")

"""Check whether a folder of tables is usable: report its content and problems, and propose a schema file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features import sources
from features.contracts import ContractBroken
from features.reading.report import TableReport
from features.schema import Schema
from features.schema_proposal import Looked, look, propose
from features.settings import Settings


@dataclass(frozen=True)
class Checked:
    """The result of a check.

    Attributes:
        usable: whether the tables are usable with the current schema.
        tables: report of each table; read with the proposal where no file is named after a table.
        problems: table, column, where, rule, rows (or a cause), hint, mend, and the message.
        proposed: a schema with all known fixes, as plain values; empty where none is needed.
        proposed_usable: whether the tables are usable with the proposed schema.
        remaining: messages of problems that the proposal does not fix.
    """

    source: str
    usable: bool
    tables: tuple[TableReport, ...]
    problems: tuple[Mapping[str, Any], ...]
    proposed: Mapping[str, Any]
    proposed_usable: bool
    remaining: tuple[str, ...]


def check(source: str, settings: Settings, schema: Schema) -> Checked:
    """Check a folder (or `s3://` prefix) of tables, and propose a schema for what cannot be parsed.

    Raises `FileNotFoundError` where the folder does not exist, and `ValueError` where it is not a folder of tables.
    """
    if not sources.is_folder(source, settings):
        raise ValueError(f"'{source}' is a bundled source, a decision log or a folder of replays: it needs no schema")
    missing, now = "", None
    try:
        now = look(source, settings, schema)
    except FileNotFoundError as error:
        missing = str(error)
    proposed, then = propose(source, settings, schema, now)
    looked = now or then
    if looked is None:
        raise FileNotFoundError(missing)
    return Checked(
        source=source,
        usable=now is not None and not now.problems,
        tables=looked.tables,
        problems=tuple(map(_plain, now.problems)) if now else ({"message": missing},),
        proposed={} if proposed == schema else proposed.plain(),
        proposed_usable=then is not None and not then.problems,
        remaining=_remaining(then),
    )


def _plain(problem: ContractBroken) -> dict[str, Any]:
    names = ("table", "column", "where", "rule", "rows", "hint", "mend")
    return {name: getattr(problem, name) for name in names} | {"message": str(problem)}


def _remaining(then: Looked | None) -> tuple[str, ...]:
    return tuple(str(problem) for problem in then.problems) if then else ()

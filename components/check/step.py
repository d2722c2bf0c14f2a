"""Can my tables be used? What is in a folder, what is wrong with it, and the schema file that would mend it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features import sources
from features.contracts import ContractBroken
from features.proposal import Looked, look, propose
from features.reading.report import TableReport
from features.schema import Schema
from features.settings import Settings


@dataclass(frozen=True)
class Checked:
    """What came out.

    Attributes:
        usable: whether the tables can be used as they are, by the schema that was given.
        tables: as they were understood; by the proposal where no file is called as a table.
        problems: what stands against it: table, column, where, rule, rows (or a cause), hint, mend, and all in words.
        proposed: a schema that mends what can be mended, as plain values; empty where nothing is to be said.
        proposed_usable: whether the tables can be used by it.
        remaining: what it does not mend, in words.
    """

    source: str
    usable: bool
    tables: tuple[TableReport, ...]
    problems: tuple[Mapping[str, Any], ...]
    proposed: Mapping[str, Any]
    proposed_usable: bool
    remaining: tuple[str, ...]


def check(source: str, settings: Settings, schema: Schema) -> Checked:
    """Look through a folder (or `s3://` prefix) of tables, and propose how to read what cannot be read.

    Raises `FileNotFoundError` where there is no such folder, and `ValueError` where it is no folder of tables.
    """
    if not sources.is_folder(source, settings):
        raise ValueError(f"'{source}' is a bundled source, a decision log or a folder of replays: it needs no schema")
    missing, now = "", None
    try:
        now = look(source, settings, schema)
    except FileNotFoundError as error:
        missing = str(error)
    proposed, then = propose(source, settings, schema)
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

"""Which header is which canonical column."""

import difflib
import re
from collections.abc import Mapping, Sequence

from features.contracts import ContractBroken
from features.names import safe
from features.reading import synonyms
from features.schema import TableSchema
from features.tables import SPECS

#: What pandas calls an index without a name: in Parquet, in CSV and read back from CSV.
_INDEX = re.compile(r"__index_level_\d+__|unnamed: ?\d+|", re.IGNORECASE)


def plain(header: str) -> str:
    """A header in the canonical style: `Customer ID`, `customerId` and `CUSTOMER-ID` are all customer_id."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header.strip())
    return re.sub(r"[^\w]+|_+", "_", parted).strip("_").lower()


def is_index(header: str) -> bool:
    """Whether a header is what pandas calls row numbers."""
    return _INDEX.fullmatch(header.strip()) is not None


def match(table: str, headers: Sequence[str], schema: TableSchema, where: str) -> tuple[dict[str, str], list[str]]:
    """The header of each column of a table, canonical ones by their name and the rest by a name of their own.

    A header in other letters or with spaces (`Customer ID`) is understood; any other name has to be told.

    Returns:
        header by column in the order of the file, and what is to be told.

    Raises `ContractBroken` where a required column is missing, or the schema names a header that is not there.
    """
    spec, told = SPECS[table], dict(schema.columns)
    unknown = next(((name, header) for name, header in told.items() if header and header not in headers), None)
    if unknown:
        rule = f"the schema says that its header is '{unknown[1]}'"
        raise ContractBroken(table, unknown[0], rule, _there(headers), where, _like(unknown[1], headers))
    named = {header: name for name, header in told.items() if header}
    notes = []
    for name in (name for name in spec if name not in told):
        header = name if name in headers else next((one for one in headers if plain(one) == name), None)
        if header is not None and header not in named:
            named[header] = name
            notes += [f"the column '{header}' is taken as {name}"] if header != name else []
    for name in (name for name, column in spec.items() if column.required and name not in named.values()):
        raise ContractBroken(table, name, "column is required", _there(headers), where, suggestion(name, headers))
    columns: dict[str, str] = {}
    for header in headers:
        if header not in named and is_index(header):
            notes.append(f"the column '{header}' counts rows, and is left out")
            continue
        name = named.get(header) or safe(header, [*spec, *named.values(), *columns])
        if header not in named and name != header.strip():
            notes.append(f"the column '{header}' is called '{name}': its own name is taken, or no feature's may be so")
        columns[name] = header
    return columns, notes


def _there(headers: Sequence[str]) -> str:
    return f"there are: {', '.join(headers)}"


def _like(name: str, headers: Sequence[str]) -> str:
    close = difflib.get_close_matches(plain(name), [plain(one) for one in headers], 1, 0.7)
    found = next((one for one in headers if close and plain(one) == close[0]), None)
    return f"did you mean '{found}'?" if found else ""


def guess(name: str, headers: Sequence[str], taken: Sequence[str] = ()) -> str | None:
    """The header that is likely meant by a canonical column: a synonym, or a misspelt name."""
    free = {plain(header): header for header in reversed(headers) if header not in taken and not is_index(header)}
    for synonym in (name, *synonyms.COLUMNS.get(name, ())):
        if synonym in free:
            return free[synonym]
    close = difflib.get_close_matches(name, list(free), 1, 0.8)
    return free[close[0]] if close else None


def suggestion(name: str, headers: Sequence[str]) -> str:
    """What to do where a canonical column is not found."""
    found = guess(name, headers)
    meant = f"did you mean '{found}'? " if found else ""
    shown = found or "its header"
    return f"{meant}Rename it, or say so in a schema file (columns: {{{name}: {shown}}}); adloop check proposes one"

"""Which header is which canonical column."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.contracts import ContractBroken
from features.names import safe
from features.reading import synonyms
from features.schema import TableSchema
from features.tables import SPECS

#: What pandas calls an index without a name: in Parquet, in CSV and read back from CSV.
_INDEX = re.compile(r"__index_level_\d+__|unnamed: ?\d+|", re.IGNORECASE)
#: What stands behind the word in names such as `client_no` or `total_eur`.
_QUALIFIED = re.compile(r"_(?:no|nr|num|number|id|key|code|nummer|eur|usd|gbp|chf)$")


def plain(header: str) -> str:
    """A header in the canonical style: `Customer ID`, `customerId` and `CUSTOMER-ID` are all customer_id."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header.strip())
    return re.sub(r"[^\w]+|_+", "_", parted).strip("_").lower()


def is_index(header: str) -> bool:
    """Whether a header is what pandas calls row numbers."""
    return _INDEX.fullmatch(header.strip()) is not None


@dataclass(frozen=True)
class Matched:
    """The header of each column in the order of the file, what is to be told, and what is missing."""

    columns: dict[str, str]
    notes: list[str]
    problems: list[ContractBroken]


def match(table: str, headers: Sequence[str], schema: TableSchema, where: str) -> Matched:
    """Which header is which column of a table: canonical ones have their name, the rest one of their own.

    A header in other letters or with spaces (`Customer ID`) is understood; any other name has to be told.
    """
    spec, told = SPECS[table], schema.columns
    named = {header: name for name, header in told.items() if header is not None and header in headers}
    notes: list[str] = []
    absent = (_not_there(table, name, told[name], headers, where) for name in told if name not in named.values())
    problems = [problem for problem in absent if problem]
    for name in (name for name in spec if name not in told):
        header = name if name in headers else next((one for one in headers if plain(one) == name), None)
        if header is not None and header not in named:
            named[header] = name
            notes += [f"the column '{header}' is taken as {name}"] if header != name else []
    meant: list[str] = []
    for name in (one for one, column in spec.items() if column.required and one not in {*named.values(), *told}):
        problems.append(_missing(table, name, headers, [*named, *meant], where))
        meant += problems[-1].mend.get("columns", {}).values()
    columns = _columns(spec, headers, named, notes)
    return Matched(columns, notes, problems)


def _not_there(table: str, name: str, header: str | None, headers: Sequence[str], where: str) -> ContractBroken | None:
    """What is wrong with a header that a schema names and the file has not."""
    if header is None:
        required = name in SPECS[table] and SPECS[table][name].required
        rule, cause = "column is required", "the schema says that there is none"
        return ContractBroken(table, name, rule, cause, where) if required else None
    close = difflib.get_close_matches(plain(header), [plain(one) for one in headers], 1, 0.7)
    found = next((one for one in headers if close and plain(one) == close[0]), None)
    hint, mend = (f"did you mean '{found}'?", {"columns": {name: found}}) if found else ("", {})
    rule = f"the schema says that its header is '{header}'"
    return ContractBroken(table, name, rule, _there(headers), where, hint, mend)


def _missing(table: str, name: str, headers: Sequence[str], taken: Sequence[str], where: str) -> ContractBroken:
    meant = guess(name, headers, taken)
    hint = f"did you mean '{meant}'?" if meant else "rename it, or say in a schema file which header it has"
    mend = {"columns": {name: meant}} if meant else {}
    return ContractBroken(table, name, "column is required", _there(headers), where, hint, mend)


def _columns(
    spec: Mapping[str, object], headers: Sequence[str], named: Mapping[str, str], notes: list[str]
) -> dict[str, str]:
    columns: dict[str, str] = {}
    for header in headers:
        if header not in named and is_index(header):
            notes.append(f"the column '{header}' has no name of its own, as row numbers have none, and is left out")
            continue
        name = named.get(header) or safe(header, [*spec, *named.values(), *columns])
        if header not in named and name != header.strip():
            notes.append(f"the column '{header}' is called '{name}': its own name is taken, or no feature's may be so")
        columns[name] = header
    return columns


def _there(headers: Sequence[str]) -> str:
    return f"there are: {', '.join(headers)}"


def guess(name: str, headers: Sequence[str], taken: Sequence[str] = ()) -> str | None:
    """The header that is likely meant by a canonical column: a synonym, a number or code of one, or a misspelt name."""
    free = [header for header in headers if header not in taken and not is_index(header)]
    for shorten in (_letters, lambda header: _letters(_QUALIFIED.sub("", plain(header)))):
        by_letters = {shorten(header): header for header in reversed(free)}
        for synonym in (name, *synonyms.COLUMNS.get(name, ())):
            if _letters(synonym) in by_letters:
                return by_letters[_letters(synonym)]
    by_name = {plain(header): header for header in reversed(free)}
    close = difflib.get_close_matches(name, list(by_name), 1, 0.8)
    return by_name[close[0]] if close else None


def _letters(header: str) -> str:
    return plain(header).replace("_", "")

"""Maps the headers of a file to canonical columns."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.attribute_names import safe
from features.contracts import ContractBroken
from features.reading import synonyms
from features.schema import TableSchema
from features.tables import SPECS

#: Names that pandas gives to an unnamed index: in Parquet, in CSV and read back from CSV.
_INDEX = re.compile(r"__index_level_\d+__|unnamed: ?\d+|", re.IGNORECASE)
#: Columns of `impressions` that may stand in a file of creatives too; as attributes they would leak the labels.
_OUTCOMES = ("impressions", "clicks", "conversions", "engagements", "spend")
_RATES = ("ctr", "click_rate", "conversion_rate", "cvr", "cpc", "cpm", "cpa", "engagement_rate")
#: Suffixes of names such as `client_no` or `total_eur`.
_QUALIFIED = re.compile(r"_(?:no|nr|num|number|id|key|code|nummer|eur|usd|gbp|chf)$")


def plain(header: str) -> str:
    """Convert a header to snake case: `Customer ID`, `customerId` and `CUSTOMER-ID` become customer_id."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header.strip())
    return re.sub(r"[^\w]+|_+", "_", parted).strip("_").lower()


def is_index(header: str) -> bool:
    """Whether a header is a pandas name for row numbers."""
    return _INDEX.fullmatch(header.strip()) is not None


def is_outcome(header: str) -> bool:
    """Whether a header names what came of impressions, such as `Clicks` or `Total_Conversion`."""
    stem = plain(header).removeprefix("total_").removeprefix("approved_")
    return stem in _RATES or any(stem in (name, *synonyms.COLUMNS[name]) for name in _OUTCOMES)


@dataclass(frozen=True)
class HeaderMatch:
    """The header of each column in file order, notes for the user, and required columns that are missing."""

    columns: dict[str, str]
    notes: list[str]
    problems: list[ContractBroken]


def match(table: str, headers: Sequence[str], schema: TableSchema, where: str) -> HeaderMatch:
    """Map the headers of a file to columns: canonical names where they match, else a safe name for the attribute.

    Case, spaces and punctuation are ignored (`Customer ID`); the schema has to map any other spelling.
    """
    spec, mapped = SPECS[table], schema.columns
    named = {header: name for name, header in mapped.items() if header is not None and header in headers}
    notes: list[str] = []
    absent = (_unmatched(table, name, mapped[name], headers, where) for name in mapped if name not in named.values())
    problems = [problem for problem in absent if problem]
    for name in (name for name in spec if name not in mapped):
        header = name if name in headers else next((other for other in headers if plain(other) == name), None)
        if header is not None and header not in named:
            named[header] = name
            notes += [f"the column '{header}' is taken as {name}"] if header != name else []
    meant: list[str] = []
    for name in (
        canonical
        for canonical, column in spec.items()
        if column.required and canonical not in {*named.values(), *mapped}
    ):
        problems.append(_missing(table, name, headers, [*named, *meant], where))
        meant += problems[-1].mend.get("columns", {}).values()
    columns = _columns(table, headers, named, notes)
    return HeaderMatch(columns, notes, problems)


def _unmatched(table: str, name: str, header: str | None, headers: Sequence[str], where: str) -> ContractBroken | None:
    """The problem of a column whose header in the schema is not in the file."""
    if header is None:
        required = name in SPECS[table] and SPECS[table][name].required
        rule, cause = "column is required", "the schema says that the file has none"
        return ContractBroken(table, name, rule, cause, where) if required else None
    close = difflib.get_close_matches(plain(header), [plain(other) for other in headers], 1, 0.7)
    found = next((other for other in headers if close and plain(other) == close[0]), None)
    hint, mend = (f"did you mean '{found}'?", {"columns": {name: found}}) if found else ("", {})
    rule = f"the schema maps it to the header '{header}', which is not in the file"
    return ContractBroken(table, name, rule, _listed(headers), where, hint, mend)


def _missing(table: str, name: str, headers: Sequence[str], taken: Sequence[str], where: str) -> ContractBroken:
    meant = guess(name, headers, taken)
    hint = f"did you mean '{meant}'?" if meant else "rename it, or map its header in a schema file (columns)"
    mend = {"columns": {name: meant}} if meant else {}
    return ContractBroken(table, name, "column is required", _listed(headers), where, hint, mend)


def _columns(table: str, headers: Sequence[str], named: Mapping[str, str], notes: list[str]) -> dict[str, str]:
    spec, columns = SPECS[table], dict[str, str]()
    for header in headers:
        if header not in named and is_index(header):
            notes.append(f"the column '{header}' holds row numbers and is left out")
            continue
        if header not in named and table == "creatives" and is_outcome(header):
            notes.append(f"the column '{header}' is what came of a creative, no attribute, and is left out")
            continue
        name = named.get(header) or safe(header, [*spec, *named.values(), *columns], table)
        if header not in named and name != header.strip():
            notes.append(f"the column '{header}' is renamed to '{name}': its name is taken or reserved")
        columns[name] = header
    return columns


def _listed(headers: Sequence[str]) -> str:
    return f"headers in the file: {', '.join(headers)}"


def guess(name: str, headers: Sequence[str], taken: Sequence[str] = ()) -> str | None:
    """The likeliest header of a canonical column: a synonym, with or without a suffix, or a misspelt name."""
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

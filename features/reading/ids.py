"""SQL for ids: trims them, restores those stored as floating point numbers, finds texts that mean a missing id."""

#: Texts that programs write for a missing value: as an id they would merge many customers into one.
NO_IDS = ("nan", "null", "none", "na", "n/a", "nil", "undefined", "#n/a", "<na>", "nat")
#: Floating point numbers from here on may have lost digits: those of 64 bits, and those of 32.
EXACT, EXACT_FLOAT = 2**53, 2**24


def clean(text: str) -> str:
    """SQL of an id without spaces around it and without the `.0` of a number."""
    return f"regexp_replace(trim({text}), '^([+-]?\\d+)\\.0+$', '\\1')"


def of_number(number: str) -> str:
    """SQL of the id stored as a floating point number: whole numbers without `.0`, NaN as null."""
    whole = f"{number} = trunc({number}) AND abs({number}) < {EXACT}"
    return f"CASE WHEN isnan({number}) THEN NULL WHEN {whole} THEN {number}::BIGINT::VARCHAR ELSE {number}::VARCHAR END"


def rounded(number: str, exact: int = EXACT) -> str:
    """SQL: whether an id stored as a floating point number may have lost digits."""
    return f"(NOT isnan({number}) AND abs({number}) >= {exact})"


def none(text: str) -> str:
    """SQL: whether a text means a missing value."""
    return f"lower(trim({text})) IN ({', '.join(repr(one) for one in NO_IDS)})"

"""Texts and numbers as yes or no."""

from features.schema import TableSchema
from features.tables import literal

TRUE, FALSE = ("true", "yes", "y", "t", "1"), ("false", "no", "n", "f", "0")


def truth(text: str, schema: TableSchema) -> str:
    """SQL of the boolean that a text tells, whatever its case; 1.0 and 0.0 are also told. Null where it tells none."""
    plain = f"lower(regexp_replace({text}, '^([01])\\.0+$', '\\1'))"
    yes, no = (
        ", ".join(literal(one) for one in dict.fromkeys([*map(str.lower, given), *usual]))
        for given, usual in ((schema.true_values, TRUE), (schema.false_values, FALSE))
    )
    return f"CASE WHEN {plain} IN ({yes}) THEN true WHEN {plain} IN ({no}) THEN false END"

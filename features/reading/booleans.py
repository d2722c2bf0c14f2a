"""SQL that parses text as booleans."""

from features.schema import TableSchema
from features.tables import literal

TRUE, FALSE = ("true", "yes", "y", "t", "1"), ("false", "no", "n", "f", "0")


def boolean(text: str, schema: TableSchema) -> str:
    """SQL of the boolean in a text, ignoring case; accepts 1.0 and 0.0. Null where it is not one."""
    plain = f"lower(regexp_replace({text}, '^([01])\\.0+$', '\\1'))"
    yes, no = (
        ", ".join(literal(one) for one in dict.fromkeys([*map(str.lower, configured), *usual]))
        for configured, usual in ((schema.true_values, TRUE), (schema.false_values, FALSE))
    )
    return f"CASE WHEN {plain} IN ({yes}) THEN true WHEN {plain} IN ({no}) THEN false END"

"""What a creative says and shows: its texts, image, format and attributes."""

from collections.abc import Mapping

from features.movement import Movement
from features.tables import Tables
from features.transforms import attributes

#: Columns whose content models read.
CONTENT = ("headline", "body", "image", "format")


def sql(tables: Tables) -> str:
    """A row of the spine with the content of its creative; null where it has none."""
    content = "".join(f", m.{name} AS {name}" for name in CONTENT)
    more = attributes.fields(tables, "creatives")
    joined = f"LEFT JOIN {tables.sql('creatives')} c USING (creative_id)" if more else ""
    return f"""
        SELECT s.creative_id, s.event_timestamp, NULL::TIMESTAMP AS observed_until{content}{more}
        FROM spine s LEFT JOIN made m USING (creative_id) {joined}
    """


def moves(tables: Tables) -> Mapping[str, Movement]:
    """Dates become days since then, which grow."""
    return attributes.growing(tables, "creatives")

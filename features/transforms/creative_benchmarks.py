"""What others reach with ads of a creative's format, where a table of benchmarks says so."""

from features.movement import FEW
from features.tables import SPECS, Tables

#: Figures of a benchmark, by column of the table.
FIGURES = tuple(name for name, column in SPECS["benchmarks"].items() if column.type == "DOUBLE")
MOVES = dict.fromkeys((f"benchmark_{name}" for name in FIGURES), FEW)


def sql(tables: Tables) -> str:
    """The newest benchmarks of the format that are known at a row of the spine; no columns without the table."""
    if not tables.columns("benchmarks"):
        return "SELECT creative_id, event_timestamp, NULL::TIMESTAMP AS observed_until FROM spine"
    newest = ", ".join(
        f"arg_max(b.{name}, coalesce(b.occurred_at, TIMESTAMP '0001-01-01'))::DOUBLE AS benchmark_{name}"
        for name in FIGURES
    )
    return f"""
        SELECT s.creative_id, s.event_timestamp, max(b.occurred_at) AS observed_until, {newest}
        FROM spine s LEFT JOIN made m USING (creative_id)
        LEFT JOIN ({tables.whole("benchmarks")}) b ON b.format = m.format
            AND coalesce(b.occurred_at <= s.event_timestamp, true)
        GROUP BY s.creative_id, s.event_timestamp
    """

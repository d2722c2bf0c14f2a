"""Share of purchases with promotions, discounts and coupons."""

from features.movement import GROWS

MOVES = dict.fromkeys(("coupon_orders", "coupon_savings"), GROWS)

SQL = """
    WITH sums AS (
        SELECT row,
               max(known_at) AS observed_until,
               sum(promoted_amount) / nullif(sum(amount) FILTER (promoted_lines IS NOT NULL), 0) AS promoted,
               sum(promoted_amount) FILTER (age < 84)
                   / nullif(sum(amount) FILTER (promoted_lines IS NOT NULL AND age < 84), 0) AS promoted_84d,
               avg((promoted_lines > 0)::INT) AS promoted_orders,
               sum(discount) / nullif(sum(amount + discount), 0) AS discounted,
               sum(discount) FILTER (age < 84) / nullif(sum(amount + discount) FILTER (age < 84), 0) AS discounted_84d,
               avg((coupon_discount > 0)::INT) AS with_coupon,
               count(*) FILTER (coupon_discount > 0) AS coupons,
               count(*) FILTER (coupon_discount > 0 AND age < 84) AS coupons_84d,
               sum(coupon_discount) AS saved,
               min(age) FILTER (coupon_discount > 0) AS coupon_age,
               count(coupon_discount) AS known
        FROM past WHERE purchase GROUP BY row
    )
    SELECT s.customer_id, s.event_timestamp, observed_until,
           promoted::DOUBLE AS promotion_share,
           promoted_84d::DOUBLE AS promotion_share_84d,
           promoted_orders::DOUBLE AS promotion_order_share,
           discounted::DOUBLE AS discount_share,
           discounted_84d::DOUBLE AS discount_share_84d,
           with_coupon::DOUBLE AS coupon_order_share,
           CASE WHEN known > 0 THEN coupons END::DOUBLE AS coupon_orders,
           CASE WHEN known > 0 THEN coupons_84d END::DOUBLE AS coupon_orders_84d,
           saved::DOUBLE AS coupon_savings,
           coupon_age::DOUBLE AS coupon_recency_days
    FROM spine s LEFT JOIN sums USING (row)
"""

"""Feature groups: plain SQL from the canonical tables to features as of many moments at once.

Each group is one statement over the relations that its entity's `open_history` prepares, and yields one row a row of
the spine. Every number is a float64 and null where it cannot be known, so that a frame has the same types for every
business. Days are fractional. Literature for the buy-till-you-die columns: Fader, Hardie and Lee, "Counting your
customers the easy way" (2005) and "RFM and CLV" (2005).
"""

from collections.abc import Callable, Mapping
from types import ModuleType

from features.movement import Movement
from features.tables import Tables
from features.transforms import (
    attributes,
    bidding,
    breadth,
    campaigns,
    history,
    intervals,
    market,
    promotion,
    rfm,
    seasonality,
    trend,
)

#: The SQL of a group, given the tables at hand.
GROUPS: Mapping[str, Callable[[Tables], str]] = {
    "rfm": rfm.sql,
    "trend": trend.sql,
    "intervals": intervals.sql,
    "seasonality": seasonality.sql,
    "breadth": breadth.sql,
    "promotion": promotion.sql,
    "campaigns": campaigns.sql,
    "attributes": attributes.sql,
    "market": market.sql,
}

_MOVES: Mapping[str, Mapping[str, Movement]] = {
    "rfm": rfm.MOVES,
    "intervals": intervals.MOVES,
    "seasonality": seasonality.MOVES,
    "breadth": breadth.MOVES,
    "promotion": promotion.MOVES,
    "campaigns": campaigns.MOVES,
    "market": market.MOVES,
}

#: By the key of an entity the module whose `open_history` prepares what its groups read, and whose `STATEMENTS` do so.
HISTORIES: Mapping[str, ModuleType] = {"customer_id": history, "campaign_id": bidding}


def moves(group: str, tables: Tables) -> Mapping[str, Movement]:
    """The features of a group that move as time goes by; all others should stay as they are where the world does."""
    return attributes.moves(tables) if group == "attributes" else _MOVES.get(group, {})

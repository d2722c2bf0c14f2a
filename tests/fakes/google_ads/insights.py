"""The make-up of audiences."""

from typing import Any

from tests.fakes.google_ads.failures import Refusal

#: By dimension: attributes with the share of everybody, and what an interest adds to it.
_SHARES = {
    "AGE_RANGE": (("25-34", 0.24, 1.4), ("35-44", 0.20, 1.1), ("65 or more", 0.15, 0.5)),
    "GENDER": (("Female", 0.5, 1.2), ("Male", 0.5, 0.8)),
    "AFFINITY_USER_INTEREST": (("Runners", 0.08, 3.0), ("Cooks", 0.12, 0.9)),
    "IN_MARKET_USER_INTEREST": (("Athletic shoes", 0.05, 4.0),),
}


def composition(request: Any, answer: Any) -> Any:
    """Fill in the answer: shares of the audience beside those of everybody."""
    if not request.audience.country_locations:
        raise Refusal("field_error.REQUIRED", "The required field was not present.", "audience.country_locations")
    if not request.dimensions:
        raise Refusal("field_error.REQUIRED_NONEMPTY_LIST", "The list is empty.", "dimensions")
    about = request.DESCRIPTOR.fields_by_name["dimensions"].enum_type.values_by_number
    interested = bool(request.audience.topic_audience_combinations)
    for dimension in request.dimensions:
        section = answer.sections.add(dimension=dimension)
        for name, share, times in _SHARES.get(about[dimension].name, ()):
            one = section.top_attributes.add()
            one.attribute_metadata.display_name, one.attribute_metadata.dimension = name, dimension
            one.metrics.baseline_audience_share = share
            one.metrics.audience_share = share * (times if interested else 1.0)
            one.metrics.index = times if interested else 1.0
    return answer

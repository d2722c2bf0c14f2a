"""What a prediction is worth: impressions until the best headline is found, with it and without, at equal error."""

from typing import Any

from features.settings import Settings
from tests.benchmarks import creative_tests as tests
from tests.benchmarks.creative_tests import ERROR, TESTS


def rows(settings: Settings) -> list[dict[str, Any]]:
    made = tests.trials(tests.read())
    ours = tests.course(made)
    told = f"impressions until the best is found at {ERROR:.0%} clearly wrong in {TESTS} simulated tests over the same"
    others = {
        "creative.prior.impressions_ratio": (tests.unknown, "bandit without predictions", "<= .85"),
        "creative.prior.impressions_ratio_by_means": (tests.alike, "bandit with equal means as strong", ""),
    }
    return [
        {
            "name": name,
            **tests.ratio(ours, tests.course([other(one) for one in made])),
            "unit": f"{told} {what}",
            "goal": goal,
            **tests.about(),
        }
        for name, (other, what, goal) in others.items()
    ]

"""Ad copy of the simulated creative market: headlines from templates whose traits have planted effects."""

from dataclasses import dataclass

import numpy as np

#: By topic: what is advertised, and what the body says of it.
TOPICS = {
    "travel": ("city trips", "train tickets", "beach holidays", "mountain huts"),
    "money": ("savings plans", "travel insurance", "pension plans", "current accounts"),
    "food": ("recipe boxes", "coffee beans", "organic vegetables", "family dinners"),
    "sport": ("running shoes", "yoga classes", "bike tours", "gym passes"),
}
_BODIES = {
    "travel": "Book your next trip in a few minutes.",
    "money": "Compare what you pay today with what you could pay.",
    "food": "Fresh to your door, every week of the year.",
    "sport": "Train where and when it suits you.",
}
#: Words of strong emotion; each has a neutral one beside it of the same length in words.
EMOTIONAL, NEUTRAL = ("Amazing", "Beloved", "Thrilling", "Joyful"), ("Current", "Regular", "Seasonal", "Selected")
_NUMBERS = (3, 5, 7, 10, 12, 25)
_TAILS = ("", " for you", " for a busy week", " that you can book from home today")


@dataclass(frozen=True)
class Copy:
    """The texts of a creative, and the traits they have."""

    headline: str
    body: str
    topic: str
    number: bool
    question: bool
    emotional: bool

    @property
    def words(self) -> int:
        """Length of the headline."""
        return len(self.headline.split())


def write(rng: np.random.Generator) -> Copy:
    """Draw a topic, each trait with probability 1/2, and a length; put them into words."""
    topic = str(rng.choice(list(TOPICS)))
    number, question, emotional = (bool(one) for one in rng.random(3) < 0.5)
    adjective = str(rng.choice(EMOTIONAL if emotional else NEUTRAL))
    thing, tail = str(rng.choice(TOPICS[topic])), str(rng.choice(_TAILS))
    count = f"{rng.choice(_NUMBERS)} " if number else ""
    phrase = f"{count}{adjective.lower()} {thing}{tail}"
    headline = (
        f"Looking for {phrase[0].lower()}{phrase[1:]}?" if question else f"Discover {phrase[0].lower()}{phrase[1:]}"
    )
    return Copy(headline, _BODIES[topic], topic, number, question, emotional)

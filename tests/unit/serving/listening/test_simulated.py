"""The simulated stream of the report."""

from pathlib import Path

from features.settings import Settings
from models.text.embedding import embed
from serving.listening import simulated
from tests.unit.serving.listening.heard import BAD, WORDS, Vader

TEXTS = [
    (f"{'great love' if n % 3 else f'terrible {BAD[n % 5]}'} {WORDS[n % 14]} {n}", 0.5 if n % 3 else -0.6)
    for n in range(900)
]


def test_its_burst_is_the_newest_alarm_and_it_can_be_heard_again(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert simulated.heard(settings) == ()
    for _ in range(2):
        simulated.simulate(settings, TEXTS, Vader(), embed)
    ours, other = simulated.heard(settings)
    assert (ours.brand, other.competitor) == ("Runfast", True)
    assert ours.voices + other.voices <= len(TEXTS)
    assert 0 <= ours.alarms[-1]["at"] - simulated.BURST_AT <= 3600
    assert len(ours.alarms) + len(other.alarms) <= 3  # a false one a month and brand is what the list allows

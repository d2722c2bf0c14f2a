"""A home with campaigns, a ledger, stops and the repository's policy, for tests."""

from pathlib import Path

from features.settings import Settings
from serving.campaigns.approvals import approve
from serving.campaigns.life import CampaignVersion
from serving.campaigns.reading import read_text
from serving.campaigns.safety.guard import Guarded, guarded
from tests.unit.serving.campaigns.test_reading import EXAMPLE

ROOT = Path(__file__).parents[4]
NOON = 1_803_816_000.0  # 28 February 2027, the day before the example begins


class TestClock:
    """Time that only moves when told to."""

    __test__ = False

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


def opened(home: Path, clock: TestClock) -> Guarded:
    found = guarded(Settings(home=home), ROOT / "params.yaml")
    return Guarded(found.lives, found.ledger, found.stops, found.policy, clock)


def planned(known: Guarded, who: str = "ann", **replaced: str) -> CampaignVersion:
    """The example, planned, with texts of it replaced."""
    text = EXAMPLE.read_text()
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    plan, whole = read_text(text.encode(), "example.yaml")
    return known.lives.plan(plan, whole, who, "spring", known.now())


def checked(known: Guarded, **replaced: str) -> CampaignVersion:
    return known.lives.move(planned(known, **replaced), "checked", "ann", "all checks passed", known.now())


def approved(known: Guarded, **replaced: str) -> CampaignVersion:
    return approve(known.lives, checked(known, **replaced), "bob", "fine", known.policy, known.now())

"""A gate on logged decisions can only be applied where something replays the challenger on them."""

from models import catalog
from serving.experiments.challenges import JUDGES


def test_every_family_with_a_gate_on_logged_decisions_has_a_judge_and_no_other() -> None:
    assert {name for name in catalog.NAMES if catalog.family(name).log_gate is not None} == set(JUDGES)

"""Where customers use less before they leave, the table of interactions makes churn better known."""

from pathlib import Path

from features.settings import Settings
from models.churn import FAMILY
from models.evaluation import bootstrap
from tests.benchmarks.churn_interactions import SEED, compared


def test_churn_is_better_known_with_the_table(tmp_path: Path) -> None:
    """By logistic regression, which is quick; all of the family is in `make benchmark`."""
    fit = FAMILY.baselines["logistic_regression"]
    truth, answers, _ = compared(tmp_path, 500, Settings(home=tmp_path), fit)
    assert bootstrap.gain(FAMILY.metrics[0], truth, answers["with"], answers["without"], SEED).low > 0

"""What members say together, where there are few customers to learn their weights from."""

import numpy as np
import pytest

from models.churn import selection
from models.churn.stacking import Stack

FEW, SEEDS = 200, 20


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds by one member that has found the truth and six that see it through noise, and what came."""
    rng = np.random.default_rng(seed)
    truth = rng.logistic(size=FEW + 2000) * 0.8 - 1
    noisy = 0.5 * truth[:, None] + rng.normal(0, 1.5, (len(truth), 6))
    return np.column_stack([truth, noisy]), (rng.random(len(truth)) < 1 / (1 + np.exp(-truth))).astype(float)


def loss(logits: np.ndarray, churned: np.ndarray) -> float:
    return float(np.mean(np.logaddexp(0, logits) - churned * logits))


def test_of_few_customers_it_is_hardly_worse_than_the_member_that_is_right() -> None:
    behind = []
    for seed in range(SEEDS):
        logits, churned = drawn(seed)
        stack = Stack.fit(logits[:FEW], churned[:FEW], np.ones(FEW, dtype=bool))
        behind.append(loss(stack.blend(logits[FEW:]), churned[FEW:]) - loss(logits[FEW:, 0], churned[FEW:]))

    assert np.mean(behind) < 0.012 and max(behind) < 0.03


def test_members_that_err_apart_are_better_together_and_calibrated() -> None:
    rng = np.random.default_rng(1)
    truth = rng.logistic(size=4000) - 1
    logits = 2 * (truth[:, None] + rng.normal(0, 1, (4000, 2))) + 1
    churned = (rng.random(4000) < 1 / (1 + np.exp(-truth))).astype(float)

    stack = Stack.fit(logits, churned, np.ones(4000, dtype=bool))

    chance = stack.probability(logits)
    assert min(stack.weights) > 0.3 * max(stack.weights)
    assert loss(stack.blend(logits), churned) < min(
        loss(Stack.fit(one[:, None], churned, churned >= 0).blend(one[:, None]), churned) for one in logits.T
    )
    assert chance.mean() == pytest.approx(churned.mean(), abs=0.005)
    assert chance[chance > 0.6].mean() == pytest.approx(churned[chance > 0.6].mean(), abs=0.04)


def test_only_members_that_are_picked_are_kept() -> None:
    logits, churned = drawn(3)
    said = {f"member{place}": one for place, one in enumerate(logits.T)}

    kept = selection.chosen(said, churned, seed=1)

    assert kept[0] == "member0" and len(kept) < len(said)

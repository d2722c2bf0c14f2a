"""Whether a text belongs to any label: by what is near it, and by how sure the tuned layers are."""

from dataclasses import replace

import numpy as np
import pytest

from models.nlp.scope import FEWEST_LABELS, Scope, SeenTexts

LABELS, SIZE, EACH = 8, 16, 30


def seen(seed: int, labels: int = LABELS, sure: float = 4.0) -> SeenTexts:
    """Texts around one direction a label, with logits for their label."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(labels), EACH)
    vectors = np.eye(SIZE)[codes] + rng.normal(0, 0.15, (len(codes), SIZE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    logits = sure * np.eye(labels)[codes] + rng.normal(0, 0.3, (len(codes), labels))
    return SeenTexts(
        vectors.astype(np.float32), logits.astype(np.float32), np.array([f"label {code}" for code in codes])
    )


NONE = SeenTexts(np.empty((0, SIZE), np.float32), np.empty((0, LABELS), np.float32), np.empty(0, str))


def test_what_is_near_and_told_for_sure_is_in_scope() -> None:
    scope = Scope.fit(seen(1), seen(2), NONE, 0)
    assert scope is not None
    known, far = seen(3), np.eye(SIZE, dtype=np.float32)[-4:]
    unsure = np.full((4, LABELS), 0.0, np.float32)
    assert np.median(scope.inside(known.vectors, known.logits)) > 0.9
    assert scope.inside(far, unsure).max() < 0.1
    near, told = known.vectors[:4], known.logits[:4]
    assert (scope.inside(near, told) > scope.inside(near, unsure)).all(), "as near, and less sure"
    assert (scope.inside(near, told) > scope.inside(far, told)).all(), "as sure, and less near"


@pytest.mark.parametrize("held", [seen(2, sure=0.0), NONE])
def test_without_tuned_layers_or_held_out_texts_nearness_tells(held: SeenTexts) -> None:
    learnt, known = (replace(one, logits=np.zeros_like(one.logits)) for one in (seen(1), seen(3)))
    scope = Scope.fit(learnt, replace(held, logits=np.zeros_like(held.logits)), NONE, 0)
    assert scope is not None and scope.energy == 0
    assert np.median(scope.inside(known.vectors, known.logits)) > 0.9
    far = np.eye(SIZE, dtype=np.float32)[-4:]
    assert scope.inside(far, np.zeros((4, LABELS), np.float32)).max() < 0.1


def test_of_few_labels_all_is_in_scope() -> None:
    few = seen(1, labels=FEWEST_LABELS - 1)
    assert Scope.fit(few, few, NONE, 0) is None

"""Learns effects of texts from counts of clicks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csc_matrix, diags
from scipy.sparse.linalg import splu

from models.text.effects import prior as priors
from models.text.effects.calibration import calibrate
from models.text.effects.evidence import Array, ClickEvidence, evidence
from models.text.effects.inputs import EncodedTexts, Matrix, TextInputs
from models.text.effects.model import TextEffects, TextWeights
from models.text.effects.prior import TextPrior, shared

#: Rows that are learnt from, at most: time grows with their cube, memory with their square (256 MB).
ROWS = 8000
#: Texts by which errors are told.
LANDMARKS = 256
#: Share of the groups that effects and errors are calibrated on.
HELD = 0.25


def fit(
    texts: Sequence[str],
    groups: Sequence[str],
    impressions: npt.ArrayLike,
    clicks: npt.ArrayLike,
    pictures: Sequence[str | None] | None = None,
    days: npt.ArrayLike = 0.0,
    seed: int = 0,
) -> TextEffects:
    """Learn from texts that were shown side by side.

    Groups also differ by what their texts have in common, so that a topic's level is learnt too, as far as groups
    differ little otherwise; how much each of this weighs is told by the marginal likelihood.

    Args:
        texts, impressions, clicks: one row per text and place where it was counted; several of a text are added up.
        groups: rows that share whom they were shown to and when, such as the arms of a test, or of a campaign.
        pictures: what differed within groups beside texts.
        days: when each row was shown, in days on any calendar: clicks drift.

    Raises `ValueError` without two texts that were shown, and for counts that cannot be.
    """
    rows = evidence(texts, groups, impressions, clicks, pictures, days)
    if len(rows.texts) < 2:
        raise ValueError(f"texts: expected at least two that were shown, got {len(rows.texts)}")
    rows = rows.blocks(ROWS, seed)[0]
    inputs = TextInputs.fit(rows.texts)
    blocks = rows.blocks(priors.ROWS, seed)[: priors.BLOCKS]
    prior = TextPrior.fit([(block, inputs.of(block.texts)) for block in blocks])
    rest, held = rows.apart(HELD, seed)
    slope, spread = calibrate(_learn(inputs, prior, rest, seed), held) if len(rest) else (1.0, 1.0)
    return replace(_learn(inputs, prior, rows, seed), slope=slope, spread=spread)


def _learn(inputs: TextInputs, prior: TextPrior, rows: ClickEvidence, seed: int) -> TextEffects:
    encoded = inputs.of(rows.texts)
    dual = np.bincount(rows.text, _dual(prior, rows, encoded), len(rows.texts)).astype(np.float32)
    drawn = np.random.default_rng(seed).permutation(len(rows.texts))[:LANDMARKS]
    landmarks = encoded[np.sort(drawn)]
    weights = TextWeights.fold(prior, encoded, dual)
    return TextEffects(inputs, prior, weights, landmarks, _learnt(prior, rows, encoded, landmarks))


def _dual(prior: TextPrior, rows: ClickEvidence, texts: EncodedTexts) -> Array:
    """The weight of each row in the mean of the posterior."""
    whole: Matrix = prior.between(texts, texts)[np.ix_(rows.text, rows.text)]
    for name, kernel in shared(rows):
        whole += np.float32(getattr(prior, name)) * kernel
    whole[np.diag_indices_from(whole)] += rows.noise.astype(np.float32)
    factor = cho_factor(whole.T, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, rows.value.astype(np.float32), check_finite=False), dtype=np.float64)


def _learnt(prior: TextPrior, rows: ClickEvidence, texts: EncodedTexts, landmarks: EncodedTexts) -> Array:
    """`TextEffects.learnt`, by the deterministic training conditional (Quinonero-Candela and Rasmussen, 2005)."""
    rest = diags(rows.noise).tocsc()
    for variance, place in ((prior.own, rows.text), (prior.picture, rows.picture), (prior.group, rows.group)):
        member = csc_matrix((np.ones(len(rows)), (np.arange(len(rows)), place)))
        rest = rest + variance * (member @ member.T)
    across = prior.between(texts, landmarks)[rows.text].astype(np.float64)
    among = prior.between(landmarks, landmarks).astype(np.float64)
    among[np.diag_indices_from(among)] += 1e-6 * np.trace(among) / len(among) + 1e-9
    told = across.T @ splu(rest.tocsc()).solve(across)
    eye = np.eye(len(among))
    return np.asarray(np.linalg.solve(among, eye) - np.linalg.solve(among + told, eye))

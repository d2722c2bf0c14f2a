"""Drivers of an answer, and the intervention that follows from them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Driver = dict[str, str | float]
Floats = npt.NDArray[np.float32]
Score = Callable[[Floats], npt.NDArray[np.float64]]
TOP = 5

#: Themes by words in a feature's name; the first that fits is a driver's theme.
THEMES = {
    "incentive_programs": [
        "price",
        "charge",
        "discount",
        "coupon",
        "promotion",
        "payment",
        "billing",
        "contract",
        "renew",
        "saving",
    ],
    "product_improvements": [
        "service",
        "support",
        "product",
        "categor",
        "security",
        "backup",
        "device",
        "return",
        "rating",
        "feature",
        "nps",
        "complaint",
        "refund",
    ],
    "communication_optimization": [
        "touch",
        "campaign",
        "recency",
        "gap",
        "overdue",
        "silence",
        "email",
        "frequency",
        "login",
    ],
}


def drivers(effects: npt.NDArray[np.floating[Any]], origins: Sequence[str]) -> list[list[Driver]]:
    """The features with the largest effects on each row, effects on one feature's columns summed."""
    features, place = np.unique(np.asarray(origins), return_inverse=True)
    summed = np.zeros((len(effects), len(features)))
    np.add.at(summed.T, place, effects.T)
    largest = np.argsort(-np.abs(summed), axis=1, kind="stable")[:, :TOP]
    return [
        [{"feature": str(features[i]), "effect": float(row[i])} for i in order]
        for row, order in zip(summed, largest, strict=True)
    ]


def losses(score: Score, x: Floats, typical: Floats, origins: Sequence[str]) -> npt.NDArray[np.float64]:
    """Change of each row's score when one feature takes its `typical` value: (rows, columns).

    A feature's effect is in the first of its columns.
    """
    effects = np.zeros(x.shape)
    told, names = score(x), np.asarray(origins)
    for name in dict.fromkeys(origins):
        columns = np.flatnonzero(names == name)
        without = x.copy()
        without[:, columns] = typical[columns]
        effects[:, columns[0]] = told - score(without)
    return effects


def intervention(band: str, why: Sequence[Driver]) -> str:
    """The intervention for a customer, one of four strategies.

    | risk | first driver of risk that has a theme | intervention |
    |---|---|---|
    | low | any | none |
    | medium, high | price, discount, contract | incentive_programs |
    | medium, high | product, service, support | product_improvements |
    | medium | contact, rhythm, or no theme | communication_optimization |
    | high | contact, rhythm, or no theme | personalized_outreach |
    """
    if band == "low":
        return "none"
    themes = (_theme(str(driver["feature"])) for driver in why if float(driver["effect"]) > 0)
    theme = next((theme for theme in themes if theme), "communication_optimization")
    if band == "high" and theme == "communication_optimization":
        return "personalized_outreach"
    return theme


def _theme(feature: str) -> str | None:
    name = feature.lower()
    return next((theme for theme, words in THEMES.items() if any(word in name for word in words)), None)

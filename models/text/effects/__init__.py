"""The effect of a text on clicks, learnt from texts that were shown side by side."""

from models.text.effects.fit import fit
from models.text.effects.model import TextEffects

__all__ = ["TextEffects", "fit"]

"""The `nlp` section of `params.yaml`."""

from pydantic import PositiveInt

from models.family import FamilyParams


class NlpParams(FamilyParams):
    """What the nlp family learns by.

    Attributes:
        max_examples: texts of a task, at most; a sample of them where there are more.
    """

    max_examples: PositiveInt = 50_000

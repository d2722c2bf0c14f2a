"""What a kind of decision is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from serving.decisions.case import Case, Draft
from serving.decisions.records import Action, Opportunity
from serving.decisions.rules.guardrails import Guardrail
from serving.decisions.state.store import Purpose

#: A policy: from a case, which is the context and the state, to a draft, which is an action and its propensity. What it
#: has learnt is in the state (`State.evidence`, by arm) and in the models' answers.
Policy = Callable[[Case[Any]], Draft]


class Need(NamedTuple):
    """An answer that a decision is made from.

    Attributes:
        family: of the model that gives it, which is loaded for it.
        answer: the model's name for it.
        entity: the field of the request with the id of what the model's features are of.
        optional: versions that do not give it are asked all the same.
    """

    family: str
    answer: str
    entity: str
    optional: bool = False


def nobody(draft: Draft) -> str | None:
    """What comes of a decision is evidence of no arm."""
    return None


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of decision, in declarations.

    Attributes:
        name: what `asked` is in a request.
        request: what is asked.
        example: a request, for the OpenAPI document.
        needs: by the name that this kind has for an answer; two families may call theirs alike.
        policy: what proposes.
        guardrails: what bounds the proposal, in this order: later ones have the last word.
        paid: what money is set aside for, by the actions that need some.
        learnt_from: the family whose version evidence is kept for; it must answer for the endpoint to be ready.
        known: the entities that the online store must have: in an auction somebody new is nothing strange, but an offer
            is made to who is known.
        judged: `(decisions, features) -> labels`, on the index of decisions: the labels of `learnt_from` that follow
            from the outcomes of decisions (rows of `outcomes.joined`, and the features read), and as `answer.<name>`
            the answers that its metrics judge, where the model's own were changed. None: labels are reported.
        credited: the arm that what comes of a decision is evidence of, after all guardrails; None: of none.
    """

    name: str
    request: type[Opportunity]
    example: Mapping[str, Any]
    policy: Policy
    guardrails: tuple[tuple[str, Guardrail], ...]
    needs: Mapping[str, Need] = field(default_factory=dict)
    paid: Mapping[Action, Purpose] = field(default_factory=dict)
    learnt_from: str | None = None
    known: frozenset[str] = frozenset()
    judged: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame] | None = None
    credited: Callable[[Draft], str | None] = nobody

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Whose models are asked."""
        return tuple(sorted({need.family for need in self.needs.values()}))

    @property
    def followed(self) -> bool:
        """Whether anything that comes of its decisions matters: money was set aside, or something is learnt."""
        return bool(self.paid) or self.credited is not nobody

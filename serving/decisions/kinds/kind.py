"""The contract of a kind of decision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from serving.decisions.case import Case, Draft
from serving.decisions.records import Action, Opportunity
from serving.decisions.rules.guardrails import Guardrail
from serving.decisions.state.store import Purpose

#: A policy: from a case (context and state) to a draft (action and propensity). What it has learnt is in the state
#: (`State.evidence`, by arm) and in the models' answers.
Policy = Callable[[Case[Any]], Draft]


class Need(NamedTuple):
    """A model's answer that a decision needs.

    Attributes:
        family: family of the model.
        answer: the model's name for the answer.
        entity: field of the request with the entity id for the model's features.
        optional: model versions without this answer are used too.
    """

    family: str
    answer: str
    entity: str
    optional: bool = False


def nobody(draft: Draft) -> str | None:
    """Outcomes are evidence of no arm."""
    return None


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of decision, as declarations.

    Attributes:
        name: its value of the request field `asked`.
        request: type of its requests.
        example: a request, for the OpenAPI document.
        needs: needed answers by the kind's own name; families may use equal names.
        policy: proposes a decision.
        guardrails: bound the proposal in this order; later ones override earlier ones.
        paid: purpose of the money, by action that costs some.
        learnt_from: family for whose version evidence is kept; it must be served for the endpoint to be ready.
        known: entities that must be in the online store. An auction may be about an unknown entity, an offer may not.
        judged: `(decisions, features) -> labels`, on the index of decisions: the labels of `learnt_from` that follow
            from the outcomes of decisions (rows of `outcomes.joined`, and the features read), and as `answer.<name>`
            the answers that its metrics judge, where the model's own were changed. None: labels are reported.
        credited: the arm that outcomes are evidence of, after all guardrails; None for none.
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
        """Families of the needed answers. Families of optional ones are asked where another kind needs them."""
        return tuple(sorted({need.family for need in self.needs.values() if not need.optional}))

    @property
    def followed(self) -> bool:
        """Whether outcomes matter: the decision costs money, or yields evidence."""
        return bool(self.paid) or self.credited is not nobody

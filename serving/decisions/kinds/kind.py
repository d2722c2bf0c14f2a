"""The contract of a kind of decision."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from serving.decisions.case import Case, Draft
from serving.decisions.params import DecisionParams
from serving.decisions.records import Action, Decision, Opportunity
from serving.decisions.rules.guardrails import Guardrail
from serving.decisions.state.store import Exposure, Purpose

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
        learnt_from: family that outcomes judge; where it is released, it must be served for the endpoint to be ready.
        renewed: whether evidence starts anew with each of its versions, as evidence of the version's own actions. What
            came of a creative stays true whoever chose it.
        known: entities that must be in the online store. An auction may be about an unknown entity, an offer may not.
        judged: `(decisions, features) -> labels`, on the index of decisions: the labels of `learnt_from` that follow
            from the outcomes of decisions (rows of `outcomes.joined`, and the features read), and as `answer.<name>`
            the answers that its metrics judge, where the model's own were changed. None: labels are reported.
        credited: the arm that outcomes are evidence of, after all guardrails; None for none.
        candidates: the opportunity as models see it, once for each candidate with its `creative_id`; None for kinds
            without candidates.
        exposed: `(decision, opportunity, params) -> exposure` to count before the answer; None for decisions that show
            nothing.
    """

    name: str
    request: type[Opportunity]
    example: Mapping[str, Any]
    policy: Policy
    guardrails: tuple[tuple[str, Guardrail], ...]
    needs: Mapping[str, Need] = field(default_factory=dict)
    paid: Mapping[Action, Purpose] = field(default_factory=dict)
    learnt_from: str | None = None
    renewed: bool = True
    known: frozenset[str] = frozenset()
    judged: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame] | None = None
    credited: Callable[[Draft], str | None] = nobody
    candidates: Callable[[Any], Sequence[Opportunity]] | None = None
    exposed: Callable[[Decision, Any, DecisionParams], Exposure | None] | None = None

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Families of the needed answers. Families of optional ones are asked where another kind needs them."""
        return tuple(sorted({need.family for need in self.needs.values() if not need.optional}))

    def evidence_of(self, versions: Mapping[str, str]) -> str:
        """The version whose evidence counts; empty where all versions share it."""
        return versions.get(self.learnt_from or "", "") if self.renewed else ""

    @property
    def followed(self) -> bool:
        """Whether outcomes matter: the decision costs money, or yields evidence."""
        return bool(self.paid) or self.credited is not nobody

"""The gate of `apply`: the first reason why a change waits."""

from collections.abc import Sequence
from pathlib import Path

from features.settings import Settings
from serving.campaigns.safety.approved import approved
from serving.campaigns.safety.attempts import attempts
from serving.campaigns.safety.guard import Guard, Guarded, guarded
from serving.campaigns.safety.quality import quality
from serving.campaigns.safety.rates import rates
from serving.campaigns.safety.spend import spend
from serving.campaigns.safety.stops import stops
from serving.campaigns.safety.wording import wording
from serving.integrations.change import Change
from serving.integrations.session import Gate

GUARDS: Sequence[Guard] = (stops, approved, spend, rates, attempts, quality, wording)


def gate(settings: Settings, params_file: Path) -> Gate:
    """The gate of a home. It reads its stops, campaigns and ledger for each change anew."""
    return of(guarded(settings, params_file))


def of(known: Guarded) -> Gate:
    """The gate of what is given."""

    def why(change: Change) -> str | None:
        return next((said for guard in GUARDS if (said := guard(change, known)) is not None), None)

    return why

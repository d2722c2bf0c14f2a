"""What checks look at, and what they say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from serving.campaigns.plan import CampaignPlan
from serving.campaigns.policy import CampaignPolicy
from serving.campaigns.typical import FirstBid
from serving.integrations.platform import AccountAccess, Capability


@dataclass(frozen=True)
class LaunchVerdict:
    """What a check says. `do` says how to mend it; a failed check bars the launch, a warning does not."""

    check: str
    verdict: Literal["pass", "warn", "fail"]
    said: str
    do: str = ""


@dataclass(frozen=True)
class ConnectedAccount:
    """An account that the plan names, as the platform shows it; `fault` says why it does not."""

    access: AccountAccess | None
    able: tuple[Capability, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class BeforeLaunch:
    """A plan with all that its checks need.

    Attributes:
        accounts: by platform.
        limit: daily limit of adloop's account; None without one.
        stopped: why the account or everything is stopped.
        bids: by `platform/ad group`.
        members: hashes of the members by segment, those held out left away; the fault where they cannot be read.
        any_address: pages at private addresses are looked at too.
        now: Unix seconds.
    """

    plan: CampaignPlan
    policy: CampaignPolicy
    accounts: Mapping[str, ConnectedAccount]
    now: float
    limit: float | None = None
    stopped: str | None = None
    bids: Mapping[str, FirstBid] = field(default_factory=dict)
    members: Mapping[str, Sequence[str] | str] = field(default_factory=dict)
    any_address: bool = False


LaunchCheck = Callable[[BeforeLaunch], LaunchVerdict]


def passed(check: str, said: str) -> LaunchVerdict:
    return LaunchVerdict(check, "pass", said)


def warned(check: str, said: str, do: str) -> LaunchVerdict:
    return LaunchVerdict(check, "warn", said, do)


def failed(check: str, said: str, do: str) -> LaunchVerdict:
    return LaunchVerdict(check, "fail", said, do)

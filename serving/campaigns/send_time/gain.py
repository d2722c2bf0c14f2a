"""What the learnt hour gains over the fixed one, by the holdout."""

from collections.abc import Iterable
from dataclasses import dataclass

from serving.campaigns.send_time.log import JudgedEmail


@dataclass(frozen=True, slots=True)
class SendTimeGain:
    """Rates of response with learnt hours and of the holdout, and the 95% interval of their difference."""

    learnt: float
    holdout: float
    low: float
    high: float
    emails: int
    customers: int

    @property
    def value(self) -> float:
        return self.learnt - self.holdout

    def __str__(self) -> str:
        told = f"{self.value:+.2%} of e-mails ({self.low:+.2%} to {self.high:+.2%})"
        return f"learnt hours {self.learnt:.2%}, fixed hour {self.holdout:.2%}: {told}"


def gain(emails: Iterable[JudgedEmail]) -> SendTimeGain | None:
    """The gain; None until both arms have two customers.

    The interval is over customers, not e-mails: those of one customer are alike.
    """
    by_customer = dict[tuple[str, str], list[bool]]()
    for email in emails:
        by_customer.setdefault((email.drawn.arm, email.drawn.customer_id), []).append(email.responded)
    arms = [[one for (of, _), one in by_customer.items() if of == arm] for arm in ("learnt", "holdout")]
    if min(len(arm) for arm in arms) < 2:
        return None
    (learnt, learnt_variance), (held, held_variance) = (_rate(arm) for arm in arms)
    away = 1.96 * (learnt_variance + held_variance) ** 0.5
    emails_in_all = sum(len(one) for arm in arms for one in arm)
    return SendTimeGain(
        learnt, held, learnt - held - away, learnt - held + away, emails_in_all, sum(len(arm) for arm in arms)
    )


def _rate(customers: list[list[bool]]) -> tuple[float, float]:
    """The rate of an arm, and its variance as a ratio of sums over customers."""
    sent, count = sum(len(one) for one in customers), len(customers)
    rate = sum(sum(one) for one in customers) / sent
    spread = sum((sum(one) - rate * len(one)) ** 2 for one in customers)
    return rate, spread * count / (count - 1) / sent**2

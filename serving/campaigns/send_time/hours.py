"""How often people respond by hour of sending: a recipient's own rates shrunk to their segment's, and these to all."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from serving.decisions.rules.bandit import Rate, posterior

#: E-mails that a level's prior counts for: of all hours for one hour, of all people for a segment, of a segment for one
#: recipient. A recipient who always clicks at 7 must do so some times before that counts more than the segment.
HOUR, SEGMENT, RECIPIENT = 50.0, 100.0, 20.0
#: The same for the rate of everything, at a rate that no e-mail falls far below.
_ALL, _RATE = 100.0, 0.01


@dataclass(frozen=True, slots=True)
class SentEmail:
    """An e-mail that reached its recipient.

    Attributes:
        hour: of the recipient's clock, when it was sent.
        responded: a person clicked in it, or bought soon after.
    """

    customer_id: str
    segment: str
    hour: int
    responded: bool


@dataclass
class HourCounts:
    """Counts of e-mails and responses by level and hour."""

    sent: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    responded: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    @classmethod
    def of(cls, emails: Iterable[SentEmail]) -> "HourCounts":
        counts = cls()
        for email in emails:
            counts.add(email)
        return counts

    def add(self, email: SentEmail) -> None:
        for level, name in (("all", ""), ("segment", email.segment), ("recipient", email.customer_id)):
            key = level, name, email.hour
            self.sent[key] += 1
            self.responded[key] += email.responded

    def rates(self, customer_id: str, segment: str, hours: tuple[int, ...]) -> tuple[Rate, ...]:
        """What is known of the recipient's rate of response at each hour."""
        sent, responded = (sum(counts["all", "", hour] for hour in hours) for counts in (self.sent, self.responded))
        overall = posterior(_RATE, _ALL, responded, sent)
        return tuple(self._rate(overall, customer_id, segment, hour) for hour in hours)

    def _rate(self, overall: Rate, customer_id: str, segment: str, hour: int) -> Rate:
        found = overall
        for key, strength in (
            (("all", "", hour), HOUR),
            (("segment", segment, hour), SEGMENT),
            (("recipient", customer_id, hour), RECIPIENT),
        ):
            found = posterior(found.mean, strength, self.responded[key], self.sent[key])
        return found

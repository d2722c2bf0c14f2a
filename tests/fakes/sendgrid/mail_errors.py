"""What SendGrid finds wrong with an e-mail: messages and fields as it words them."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Seconds ahead that an e-mail may be scheduled for.
_AHEAD_S = 72 * 3600


def mail_errors(mail: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Messages, each with its field."""
    return list(_errors(mail))


def _errors(mail: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    people = mail.get("personalizations")
    if not isinstance(people, list) or not 1 <= len(people) <= 1000:
        yield "The personalizations field is required and must have at least one personalization.", "personalizations"
        return
    yield from _addresses(mail, people)
    yield from _content(mail, people)
    if mail.get("send_at") is not None and mail["send_at"] > time.time() + _AHEAD_S:
        yield "The send_at parameter must be within 72 hours.", "send_at"
    sandbox = ((mail.get("mail_settings") or {}).get("sandbox_mode") or {}).get("enable", False)
    if not isinstance(sandbox, bool):
        yield "The sandbox_mode enable parameter must be a boolean.", "mail_settings.sandbox_mode.enable"
    if not all(isinstance(one, str) for one in (mail.get("custom_args") or {}).values()):
        yield "The custom_args values must be strings.", "custom_args"


def _addresses(mail: Mapping[str, Any], people: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str | None]]:
    if "@" not in str((mail.get("from") or {}).get("email", "")):
        yield "The from object must be provided for every email send.", "from.email"
    for number, person in enumerate(people):
        for place, one in enumerate(person.get("to") or [{}]):
            if "@" not in str(one.get("email", "")):
                yield "Does not contain a valid address.", f"personalizations.{number}.to.{place}.email"


def _content(mail: Mapping[str, Any], people: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str | None]]:
    if "template_id" in mail:
        return
    if not mail.get("subject") and not all(one.get("subject") for one in people):
        yield "The subject is required.", "subject"
    if not mail.get("content"):
        yield "Unless a valid template_id is provided, the content parameter is required.", "content"

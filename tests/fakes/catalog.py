"""The fakes by platform, imported when they are asked for."""

from importlib import import_module

from tests.fakes.fake import Fake

NAMES: tuple[str, ...] = (
    "google_ads",
    "google_analytics",
    "hubspot",
    "linkedin",
    "meta",
    "mailgun",
    "posthog",
    "salesforce",
    "sendgrid",
)


def fake(name: str) -> Fake:
    """The fake of a platform."""
    found = import_module(f"tests.fakes.{name}").FAKE
    assert isinstance(found, Fake)
    return found

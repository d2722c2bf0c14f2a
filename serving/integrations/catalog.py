"""The platforms by name, imported when they are asked for. A platform is a folder here and a name in this list."""

from importlib import import_module

from serving.integrations.credentials import NotConnected
from serving.integrations.platform import Platform

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


def platform(name: str) -> Platform:
    """The account that the credentials are of. Raises `NotConnected`, and `ValueError` for an unknown name."""
    if name not in NAMES:
        raise ValueError(f"platform: expected one of {', '.join(NAMES)}, got '{name}'")
    opened = import_module(f"serving.integrations.{name}.account").connected()
    return opened  # type: ignore[no-any-return]


def connected() -> list[Platform]:
    """The platforms with credentials."""
    found = list[Platform]()
    for name in NAMES:
        try:
            found.append(platform(name))
        except NotConnected:  # most businesses use few of them
            continue
    return found

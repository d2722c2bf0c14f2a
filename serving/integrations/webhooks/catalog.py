"""The platforms that send webhooks, imported when one comes."""

from collections.abc import Mapping
from importlib import import_module

from serving.integrations.webhooks.events import Delivery

NAMES: tuple[str, ...] = ("mailgun", "sendgrid")


def read(platform: str, headers: Mapping[str, str], body: bytes) -> Delivery:
    """The events of a webhook. Raises `WrongSignature`, `BadWebhook`, and `NotConnected` without the key to check by.

    Args:
        headers: with names in lower case.
    """
    read_one = import_module(f"serving.integrations.{platform}.webhooks").read
    return read_one(headers, body)  # type: ignore[no-any-return]

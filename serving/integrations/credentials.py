"""Credentials of platforms: environment variables, or files of the same names in the folder ADLOOP_SECRETS.

A mounted secret is such a folder. Nothing here is ever written: neither into the home, nor into logs or errors.
"""

import os
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from features import __version__

#: Sent with every call, so that platforms can tell who called.
USER_AGENT = f"adloop/{__version__}"


class PlatformSettings(BaseSettings):
    """Settings of one platform; each has a prefix of its own (`ADLOOP_META_`)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


Kind = TypeVar("Kind", bound=PlatformSettings)


class NotConnected(ValueError):
    """Credentials are missing or malformed; the message names the variables."""


def read(kind: type[Kind]) -> Kind:
    """The settings of a platform. Raises `NotConnected` naming what is missing."""
    try:
        return kind(_secrets_dir=os.environ.get("ADLOOP_SECRETS") or None)
    except ValidationError as fault:
        prefix = kind.model_config.get("env_prefix", "")
        said = "; ".join(f"{prefix}{one['loc'][0]}".upper() + f": {one['msg']}" for one in fault.errors())
        raise NotConnected(f"{said}. Set variables, or files of these names in the folder ADLOOP_SECRETS") from None

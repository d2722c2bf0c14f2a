"""What connects to a PostHog project."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings


class PosthogCredentials(PlatformSettings):
    """Variables `ADLOOP_POSTHOG_…`.

    Least scopes of the personal key: `query:read`, `project:read`, `user:read`, `feature_flag:write`,
    `activity_log:read`.

    Attributes:
        project: number of the project; it is the account.
        project_key: the project's key (`phc_…`), with which events are sent.
        personal_key: a personal API key (`phx_…`).
        url: `https://eu.posthog.com` for projects in the EU, or one's own server.
        interactions: JSON: the kind of interaction by name of event, such as `{"user logged in": "login"}`. Page and
            screen views are `content`. Events without a kind are left out.
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOP_POSTHOG_")

    project: str
    project_key: SecretStr
    personal_key: SecretStr
    url: str = "https://us.posthog.com"
    interactions: dict[str, Literal["login", "feature", "content", "support", "complaint"]] = Field(
        default_factory=dict[str, Literal["login", "feature", "content", "support", "complaint"]]
    )

"""Values of a campaign's file, each with what is expected of it."""

from difflib import get_close_matches
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, ValidationError

from features.time_zones import time_zones
from serving.campaigns.currencies import CURRENCIES

#: Platforms that campaigns run on.
AdPlatform = Literal["google_ads", "meta", "linkedin"]
#: What platforms and laws ask to be declared.
RegulatedCategory = Literal["credit", "employment", "housing", "alcohol", "gambling", "health", "finance"]
MatchType = Literal["exact", "phrase", "broad"]


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        near = get_close_matches(code.upper(), CURRENCIES, 1)
        raise ValueError(f"expected a currency of ISO 4217, got '{code}'{f'; did you mean {near[0]}?' if near else ''}")
    return code


def _zone(name: str) -> str:
    if name not in time_zones():
        near = get_close_matches(name, time_zones(), 1)
        raise ValueError(f"expected a time zone, got '{name}'{f'; did you mean {near[0]}?' if near else ''}")
    return name


def _platform(name: str) -> str:
    if name not in get_args(AdPlatform):
        known = get_args(AdPlatform)
        near = get_close_matches(name, known, 1)
        raise ValueError(
            f"expected a platform of {', '.join(known)}, got '{name}'{f'; did you mean {near[0]}?' if near else ''}"
        )
    return name


def _url(text: str) -> str:
    try:
        (HttpUrl(text).host or "").encode("idna")
        urlsplit(text)  # tracking parameters are added by it
    except ValidationError as invalid:
        raise ValueError(f"expected a URL: {invalid.errors()[0]['msg'].rpartition(', ')[2]}") from None
    except UnicodeError:
        raise ValueError("expected a URL: a part of the host's name is empty or too long") from None
    except ValueError:
        raise ValueError("expected a URL: brackets before its path are for IPv6 addresses alone") from None
    return text


Currency = Annotated[str, AfterValidator(_currency)]
Zone = Annotated[str, AfterValidator(_zone)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Wording = Annotated[str, Field(min_length=1, max_length=2000)]
Title = Annotated[str, Field(min_length=1, max_length=120)]
PageUrl = Annotated[str, Field(max_length=2000), AfterValidator(_url)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
PlatformName = Annotated[str, AfterValidator(_platform)]


class PlanSection(BaseModel):
    """Strict and frozen: errors name the misspelt, missing or mistyped field."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

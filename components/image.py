"""The container image pipeline steps run in: a component's image is fixed when it is defined, so it is read here."""

from features.settings import Settings

IMAGE = Settings().image

"""The container image of pipeline steps, read once, as components fix it when they are defined."""

from features.settings import Settings

IMAGE = Settings().image

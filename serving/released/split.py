"""How traffic of a family stands at one moment."""

from pydantic import BaseModel, ConfigDict, Field


class Split(BaseModel):
    """Who answers for a family: the champion, and a canary for `weight` percent of the requests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: str
    canary: str | None = None
    weight: int = Field(default=0, ge=0, le=100)

    @property
    def versions(self) -> tuple[str, ...]:
        """All that must be able to answer."""
        return (self.champion,) if self.canary is None else (self.champion, self.canary)

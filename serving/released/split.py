"""Traffic split of a family."""

from pydantic import BaseModel, ConfigDict, Field


class Split(BaseModel):
    """The champion of a family, and a canary with `weight` percent of the requests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: str
    canary: str | None = None
    weight: int = Field(default=0, ge=0, le=100)

    @property
    def versions(self) -> tuple[str, ...]:
        """All versions that must be served."""
        return (self.champion,) if self.canary is None else (self.champion, self.canary)

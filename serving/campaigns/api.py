"""The routes of campaigns. Who acts is the name of the key; approvals need a key of their own scope."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from features.settings import Settings
from features.yaml_file import SIZE, InvalidFile
from serving.access.keys import Key
from serving.access.scopes import Scope
from serving.campaigns.approvals import NotApproved
from serving.campaigns.checks.run import LaunchBlocked
from serving.campaigns.desk import CampaignDesk, desk
from serving.campaigns.life import WrongState
from serving.campaigns.parts import CannotRun
from serving.campaigns.reading import read_text

PREFIX = "/v1/campaigns"
#: The parameters of this server; a folder without them serves no campaigns.
PARAMS = Path("params.yaml")
Why = Annotated[str, Field(min_length=1, max_length=2000)]
Access = Callable[[Scope], Callable[[Request], Key]]


class CampaignFile(BaseModel):
    """A campaign's file (YAML), and why it is planned."""

    model_config = ConfigDict(extra="forbid")

    plan: Annotated[str, Field(max_length=SIZE)]
    why: Why


class CampaignReason(BaseModel):
    """Why; and which version, the newest by default."""

    model_config = ConfigDict(extra="forbid")

    why: Why
    version: Annotated[int, Field(ge=1)] | None = None


class _OpenedDesk:
    def __init__(self, settings: Settings, params_file: Path) -> None:
        self._settings, self._params, self._turn = settings, params_file, Lock()

    @cached_property
    def _desk(self) -> CampaignDesk:
        return desk(self._settings, self._params)

    @contextmanager
    def used(self, key: Key, name: str | None = None) -> Iterator[CampaignDesk]:
        """The desk, for a key that may see the campaign's account; refusals become answers."""
        try:
            with self._turn:
                found = self._desk
            if name is not None:
                key.need([found.known.lives.newest(name).account])
            yield found
        except FileNotFoundError as missing:
            raise HTTPException(503, f"{missing.filename}: this server needs it for campaigns") from missing
        except LookupError as unknown:
            raise HTTPException(404, str(unknown)) from unknown
        except NotApproved as refused:
            raise HTTPException(403, str(refused)) from refused
        except (WrongState, LaunchBlocked) as barred:
            raise HTTPException(409, str(barred)) from barred
        except (InvalidFile, CannotRun) as wrong:
            raise HTTPException(422, str(wrong)) from wrong


def router(settings: Settings, access: Access, params_file: Path = PARAMS) -> APIRouter:
    """The routes."""
    opened, routes = _OpenedDesk(settings, params_file), APIRouter(prefix=PREFIX, tags=["campaigns"])
    acting, approving = Depends(access("campaigns")), Depends(access("approve"))

    @routes.get("/", operation_id="campaigns", summary="The newest version of each campaign, and its state.")
    def campaigns(key: Annotated[Key, acting]) -> dict[str, Any]:
        with opened.used(key) as found:
            found.settle()
            names = sorted({one.name for one in found.known.lives.versions()})
            newest = [found.known.lives.newest(one) for one in names]
            return {
                "campaigns": [found.shown(one) for one in newest if key.accounts is None or one.account in key.accounts]
            }

    @routes.post("/", operation_id="plan_campaign", summary="Keep a campaign's file as a version, in draft.")
    def plan(asked: CampaignFile, key: Annotated[Key, acting]) -> dict[str, Any]:
        with opened.used(key) as found:
            planned, text = read_text(asked.plan.encode(), "plan")
            key.need([planned.account])
            return found.shown(found.plan(planned, text, key.name, asked.why))

    @routes.get("/{name}", operation_id="campaign", summary="A campaign, and all that happened to it.")
    def campaign(name: str, key: Annotated[Key, acting]) -> dict[str, Any]:
        with opened.used(key, name) as found:
            found.settle()
            return {**found.shown(found.known.lives.newest(name)), "events": found.events(name)}

    @routes.post("/{name}/check", operation_id="check_campaign", summary="Run the checks before a launch.")
    def check(name: str, key: Annotated[Key, acting]) -> dict[str, Any]:
        with opened.used(key, name) as found:
            version, verdicts = found.check(name, key.name)
            return {**found.shown(version), "verdicts": [asdict(one) for one in verdicts]}

    @routes.post("/{name}/approve", operation_id="approve_campaign", summary="Approve a checked version of others.")
    def approve(name: str, asked: CampaignReason, key: Annotated[Key, approving]) -> dict[str, Any]:
        with opened.used(key, name) as found:
            return found.shown(found.approve(name, key.name, asked.why, asked.version))

    @routes.post("/{name}/{act}", operation_id="move_campaign", summary="Launch, pause or end a campaign.")
    def act(
        name: str, act: Literal["launch", "pause", "end"], asked: CampaignReason, key: Annotated[Key, acting]
    ) -> dict[str, Any]:
        with opened.used(key, name) as found:
            changes = {
                "launch": lambda: found.launch(name, key.name, asked.why, asked.version),
                "pause": lambda: found.ask(name, "paused", key.name, asked.why),
                "end": lambda: found.end(name, key.name, asked.why).changes,
            }[act]()
            return {**found.shown(found.known.lives.newest(name)), "changes": changes}

    return routes

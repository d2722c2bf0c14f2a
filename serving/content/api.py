"""The routes of content: draft, check, and what people say of drafts."""

from dataclasses import asdict
from functools import cached_property
from threading import Lock
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field, model_validator

from features.settings import Settings
from serving.content.draft import Content, OtherLanguage, UnknownFormat, check_all
from serving.content.drafters import drafter
from serving.content.feedback import UnknownDraft, feedback
from serving.content.ranking import champion
from serving.content.rules import NOTE, rules
from serving.content.sheet import Brief, Sheet

_STRICT = ConfigDict(extra="forbid")
Text = Annotated[str, Field(max_length=5000)]


class DraftRequest(BaseModel):
    """A product sheet, a brief, and the seed of the draw."""

    model_config = _STRICT

    sheet: Sheet
    brief: Brief = Brief()
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class CheckRequest(BaseModel):
    """Copy by its `format.part`, with the sheet and brief that it is checked against."""

    model_config = _STRICT

    sheet: Sheet
    brief: Brief = Brief()
    copy_: Annotated[dict[str, Annotated[list[Text], Field(max_length=100)]], Field(alias="copy", max_length=20)]


class PersonsVerdict(BaseModel):
    """What a person says of a draft. An edit has the text that it became."""

    model_config = _STRICT

    id: Annotated[str, Field(max_length=64)]
    verdict: Literal["accept", "edit", "reject"]
    edited: Text | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _edited(self) -> "PersonsVerdict":
        if (self.verdict == "edit") != (self.edited is not None):
            raise ValueError("expected the text `edited` with the verdict edit, and only then")
        return self


def content(settings: Settings) -> Content:
    """All that drafting needs: the model, the champion of the creative family, and where verdicts are kept."""
    return Content(drafter(settings), champion(settings), feedback(settings))


class _OpenedContent:
    """`Content`, whose models are loaded by the first draft."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, Lock()
        self._feedback = feedback(settings)

    @cached_property
    def _content(self) -> Content:
        return content(self._settings)

    def draft(self, asked: DraftRequest) -> dict[str, Any]:
        with self._lock:  # loaded once
            found = self._content
        try:
            return found.draft(asked.sheet, asked.brief, asked.seed).as_dict()
        except (UnknownFormat, OtherLanguage) as wrong:
            raise HTTPException(422, str(wrong)) from wrong

    def check(self, asked: CheckRequest) -> dict[str, Any]:
        try:
            found = check_all(asked.copy_, asked.sheet, asked.brief, {})
        except UnknownFormat as wrong:
            raise HTTPException(422, str(wrong)) from wrong
        return {"checked": [asdict(one) for one in found], "note": NOTE}

    def judge(self, said: PersonsVerdict) -> dict[str, Any]:
        try:
            return asdict(self._feedback.say(said.id, said.verdict, said.edited, said.reason))
        except UnknownDraft as unknown:
            raise HTTPException(404, str(unknown)) from unknown

    def rules(self) -> dict[str, Any]:
        return {"rules": [one.model_dump(exclude={"allowed"}) for one in rules()], "note": NOTE}


def router(settings: Settings) -> APIRouter:
    """The routes."""
    opened, routes = _OpenedContent(settings), APIRouter(prefix="/v1/content", tags=["content"])
    named = (
        ("POST", "/drafts", opened.draft, "draft_copy", "Draft copy from a product sheet and a brief."),
        ("POST", "/checks", opened.check, "check_copy", "Check copy against the rules and the product sheet."),
        ("POST", "/feedback", opened.judge, "judge_copy", "Accept, edit or reject a draft."),
        ("GET", "/rules", opened.rules, "copy_rules", "All rules, with their sources and dates."),
    )
    for method, path, answer, name, summary in named:
        routes.add_api_route(path, answer, methods=[method], operation_id=name, summary=summary)
    return routes

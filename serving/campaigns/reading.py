"""Reads campaign files. What a file names (product sheet, brief, copy) is read too, so that a version is whole."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from features.yaml_file import InvalidFile, fields, parsed, read
from serving.campaigns.plan import CampaignPlan
from serving.content.sheet import read_copy

#: Parts of copy that are an ad's headlines; all others are its bodies.
HEADLINES = ("headline", "subject")


def read_plan(path: Path) -> tuple[CampaignPlan, str]:
    """The plan in a file, and its whole text as a version keeps it. Raises `InvalidFile`."""
    found, lines = read(path)
    return _whole(_with_files(found, path), lines, path.name)


def read_text(written: bytes, name: str) -> tuple[CampaignPlan, str]:
    """The plan in a text that came over the network. It may name no file of this machine. Raises `InvalidFile`."""
    found, lines = fields(written, name)
    plan, text = _whole(found, lines, name)
    if plan.segments:
        raise InvalidFile(f"{name}: names files of a machine: plan it there, by adloop campaign plan FILE")
    return plan, text


def plan_of(text: str) -> CampaignPlan:
    """The plan of a version."""
    return CampaignPlan.model_validate_json(text)


def _whole(found: Mapping[str, Any], lines: Mapping[str, int], name: str) -> tuple[CampaignPlan, str]:
    plan = parsed(CampaignPlan, found, lines, name)
    return plan, json.dumps(found, default=str, sort_keys=True, ensure_ascii=False)


def _with_files(found: dict[str, Any], path: Path) -> dict[str, Any]:
    """The fields with the content of files that they name, and with absolute paths of scores."""
    for name in ("sheet", "brief"):
        if isinstance(found.get(name), str):
            found[name] = read(_beside(path, found[name], name))[0]
    for segment in _dicts(found.get("segments")):
        for name in ("scores", "contacts"):
            if isinstance(segment.get(name), str):
                segment[name] = str(_beside(path, segment[name], f"segments: {name}"))
    for ad in _ads(found):
        _ad(ad, path)
    return found


def _ads(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    platforms = found.get("platforms")
    for platform in _dicts(list(platforms.values()) if isinstance(platforms, dict) else ()):
        for group in _dicts(platform.get("ad_groups")):
            yield from _dicts(group.get("ads"))


def _ad(ad: dict[str, Any], path: Path) -> None:
    copy = ad.pop("copy", None)
    if copy is None:
        return
    for part, texts in read_copy(_beside(path, str(copy), "copy")).items():
        name, _, kind = part.rpartition(".")
        if ad.get("format", name) == name:
            ad["format"] = name
            place = "headlines" if kind in HEADLINES else "bodies"
            ad[place] = [*ad.get(place, ()), *texts]


def _beside(path: Path, named: str, field: str) -> Path:
    """A file that is named in another. Raises `InvalidFile` where it is not there."""
    there = (path.parent / named).resolve()
    if not there.exists():
        raise InvalidFile(f"{path.name}: {field}: there is no file {named} in {path.parent}")
    return there


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list | tuple) else []

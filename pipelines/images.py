"""`adloop image optimise` and `check`: versions of pictures beside drawings of their crops, and the pre-flight.

A file that cannot be read is named, and the others go on.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from models.image.box import Box
from models.image.logos import Mark
from models.image.overlay import encoded
from models.image.picture import InvalidPicture
from pipelines.console import console
from serving.images.compress import SUFFIXES, own_names, saved
from serving.images.formats import ImageFormat
from serving.images.optimise import Optimised, optimised
from serving.images.preflight import Preflight, no_picture, preflight

_COLOURS = {"fail": "red", "warn": "yellow", "pass": "green"}


def versions(
    files: Sequence[Path], formats: Sequence[ImageFormat], product: Sequence[Box], out: Path
) -> Iterator[dict[str, Any]]:
    """Write the versions of each file; what was written and why, or the `error` of a file."""
    for file, name in zip(files, own_names([file.stem for file in files]), strict=True):
        try:
            made = list(optimised(_content(file), formats, product))
        except InvalidPicture as fault:
            yield {"source": str(file), "error": str(fault)}
            continue
        yield from (written(one, file, out, name) for one in made)


def checked(file: Path, formats: Sequence[ImageFormat], product: Sequence[Box], marks: Sequence[Mark]) -> Preflight:
    """The pre-flight of a file; one that cannot be read fails."""
    try:
        return preflight(_content(file), formats, product, marks=marks)
    except InvalidPicture as fault:
        return no_picture(fault, formats)


def written(one: Optimised, source: Path, out: Path, name: str) -> dict[str, Any]:
    """Write a version and its drawing into a folder, by the name of its source; what was written and why."""
    name = f"{name}.{one.form.id}"
    told = {"source": str(source), **one.as_dict(), "why": str(saved(encoded(one.overlay), out / f"{name}.why.png"))}
    if one.file is not None:
        told["file"] = str(saved(one.file.content, out / f"{name}.{SUFFIXES[one.file.kind]}"))
    return told


def show_optimised(told: Sequence[Mapping[str, Any]]) -> None:
    """A line for each version: what it is, why it was cropped so, and what the pre-flight says; then broken files."""
    table = Table()
    for name in ("file", "size", "KB", "crop", "pre-flight"):
        table.add_column(name, overflow="fold")
    made, broken = ([one for one in told if ("error" in one) == is_broken] for is_broken in (False, True))
    for one in made:
        file = Text(str(one.get("file", f"none for {one['format']}")))
        size = f"{one['width']} x {one['height']}" if "file" in one else ""
        kilobytes = f"{one['bytes'] / 1000:.1f}" if "file" in one else ""
        table.add_row(file, size, kilobytes, Text(one["reason"]), _verdict(one["check"]) if one["check"] else "")
    if made:
        console().print(table)
        console().print("how each was cropped is drawn in its .why.png", markup=False)
    for one in broken:
        console().print(Text(f"{one['source']}: {one['error']}", "red"), soft_wrap=True)


def show_checked(found: Mapping[str, Preflight]) -> None:
    """All findings of each picture, the worst first."""
    for name, checked in found.items():
        table = Table(title=Text(f"{name} as {checked.format}"))
        for column in ("verdict", "check", "found", "expected", "do"):
            table.add_column(column, overflow="fold")
        for one in checked.findings:
            verdict = Text(one.verdict, _COLOURS[one.verdict])
            table.add_row(verdict, *(Text(text) for text in (one.check, one.value, one.limit, one.do)))
        console().print(table)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as wrong:
        raise InvalidPicture("a file that can be read", str(wrong.strerror)) from wrong


def _verdict(check: Mapping[str, Any]) -> Text:
    wrong = [f"{one['check']}: {one['value']}" for one in check["findings"] if one["verdict"] != "pass"]
    return Text("\n".join([check["verdict"], *wrong]), _COLOURS[check["verdict"]])

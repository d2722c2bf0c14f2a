"""`adloop image`: reads pictures, shows what was found in them, and writes drawings of it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from features.settings import Settings
from models.image.logos import Mark, of_brand, of_picture
from models.image.overlay import encoded
from models.image.picture import InvalidPicture, Picture, opened
from models.image.traits import LONGEST
from pipelines.console import console, progress
from serving.images.analysis import NOT_LEARNT, Analysis
from serving.images.analysis import analyse as looked_at
from serving.images.compress import own_names, saved
from serving.images.overlays import overlays
from serving.images.rating import ReleasedRater

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class AnalysedFile:
    """What became of a file: its analysis and its drawings, or why it could not be read."""

    file: Path
    analysis: Analysis | None = None
    drawings: tuple[Path, ...] = ()
    fault: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        if self.analysis is None:
            return {"file": str(self.file), "error": self.fault}
        drawings = [str(drawing) for drawing in self.drawings]
        return {"file": str(self.file), **self.analysis.as_dict(), "drawings": drawings}


def marks(brands: Sequence[str], logo_files: Sequence[Path]) -> list[Mark]:
    """The logos to look for: of brands by name, and of files by the brand that each is named after.

    Raises `UnknownBrand`, and `InvalidPicture` that names the file.
    """
    return [*(of_brand(brand) for brand in brands), *(of_picture(file.stem, _read(file)) for file in logo_files)]


def analyse(files: Sequence[Path], marks: Sequence[Mark], out: Path | None, as_json: bool, settings: Settings) -> bool:
    """Analyse files and print what was found; draw it where there is a folder for it. Returns whether all were read."""
    rater = ReleasedRater(settings)
    with progress() as tell:
        found = []
        for place, (file, name) in enumerate(zip(files, own_names([file.name for file in files]), strict=True)):
            tell(file.name, place / len(files))
            found.append(_looked(file, marks, rater, out, name))
    if as_json:
        print(json.dumps([one.as_dict() for one in found], indent=1, ensure_ascii=False))
    else:
        terminal = console()
        for one in found:
            show(one, terminal)
    return all(one.analysis is not None for one in found)


def show(looked: AnalysedFile, terminal: "Console") -> None:
    """Print what was found in a file."""
    terminal.print(Text(str(looked.file), "bold"))
    if looked.analysis is None:
        terminal.print(Text(f"  {looked.fault}\n", "red"))
        return
    table = Table.grid(padding=(0, 2))
    for name, value in _facts(looked.analysis):
        table.add_row(Text(f"  {name}", "dim"), Text(value))
    terminal.print(table)
    rated = Table("score", "", "", box=None, padding=(0, 2), header_style="dim")
    for score in looked.analysis.scores:
        rated.add_row(f"  {score.name}", f"{score.value:.2f}", Text(score.says))
    terminal.print(rated)
    for warning in looked.analysis.warnings:
        terminal.print(Text(f"  ! {warning}", "yellow"))
    if looked.drawings:
        names = ", ".join(drawing.name for drawing in looked.drawings)
        terminal.print(Text(f"  drawn in {looked.drawings[0].parent}: {names}", "dim"))
    terminal.print()


def _facts(found: Analysis) -> Iterator[tuple[str, str]]:
    picture, seen = found.picture, found.traits
    notes = f"; {', '.join(picture.notes)}" if picture.notes else ""
    yield "file", f"{picture.format}, {picture.width} x {picture.height}, {picture.size:,} bytes{notes}"
    yield "scene", f"{found.scene.name} ({found.scene.confidence:.2f})"
    yield "tags", _listed(f"{label} {chance:.0%}" for label, chance in found.tags)
    yield "things", _listed(f"{one.label} {one.score:.0%}" for one in seen.things)
    yield "faces", str(len(seen.faces))
    yield "text", _listed(repr(line.text) for line in seen.lettering.lines)
    yield "logos", _listed(f"{one.brand} (its {one.by}, {one.box.score:.2f})" for one in found.logos)
    yield "unsafe", f"{found.unsafe:.1%}"
    yield "mood", f"{found.mood.word}: an association with its colours and things, no measured effect"
    yield "palette", _listed(f"{one.name} {one.colour} {one.share:.0%}" for one in seen.colours.palette)
    rated = found.rating
    yield (
        "rating",
        NOT_LEARNT if rated is None else f"{rated.value:.2f}, of {rated.low:g} to {rated.high:g} learnt from",
    )


def _listed(parts: Iterator[str]) -> str:
    return ", ".join(parts) or "none"


def _looked(file: Path, marks: Sequence[Mark], rater: ReleasedRater, out: Path | None, name: str) -> AnalysedFile:
    try:
        content = file.read_bytes()
        found = looked_at(opened(content, LONGEST), marks, rater.rating(content))
    except InvalidPicture as wrong:
        return AnalysedFile(file, fault=str(wrong))
    except OSError as wrong:
        return AnalysedFile(file, fault=f"picture: expected a file that can be read, got {wrong.strerror}")
    if out is None:
        return AnalysedFile(file, found)
    drawings = [saved(encoded(pixels), out / f"{name}.{what}.png") for what, pixels in overlays(found).items()]
    return AnalysedFile(file, found, tuple(drawings))


def _read(file: Path) -> Picture:
    return opened(file.read_bytes(), LONGEST)

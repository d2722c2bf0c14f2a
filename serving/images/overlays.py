"""Drawings of an analysis that a designer understands: each shows some of the scores on the picture itself."""

from collections.abc import Callable

from models.image.aesthetics.clutter import edges
from models.image.aesthetics.composition import calm
from models.image.aesthetics.text_contrast import NEEDED
from models.image.box import Box
from models.image.overlay import BLUE, GREEN, ORANGE, PINK, RED, YELLOW, Sketch
from models.image.picture import Pixels
from models.image.saliency import saliency
from serving.images.analysis import Analysis


def overlays(analysis: Analysis) -> dict[str, Pixels]:
    """The drawings by name, as `Score.overlay` has it, and `found` for what is in the picture."""
    return {name: draw(analysis) for name, draw in _DRAWN.items()}


def _found(analysis: Analysis) -> Pixels:
    drawing, seen = Sketch(analysis.picture), analysis.traits
    for line in seen.lettering.lines:
        drawing.frame(line.corners, YELLOW)
    for thing in seen.things:
        drawing.frame(_corners(thing), BLUE, f"{thing.label} {thing.score:.0%}")
    for face in seen.faces:
        drawing.frame(_corners(face), PINK, "face")
    for logo in analysis.logos:
        label = logo.brand if logo.by == "mark" else f"{logo.brand} (name)"
        cut = f", cut off at the {' and '.join(logo.off)}" if logo.off else ""
        drawing.frame(_corners(logo.box), RED if logo.off else GREEN, label + cut)
    faces, text = len(seen.faces), len(seen.lettering.lines)
    lines = [
        f"Scene: {analysis.scene.name}. Mood: {analysis.mood.word}. Faces: {faces}. Lines of text: {text}.",
        "blue: things; pink: faces; yellow: text; green: logos, red where cut off",
    ]
    return drawing.done("What is in the picture", lines)


def _composition(analysis: Analysis) -> Pixels:
    picture, made = analysis.picture, analysis.traits.composition
    drawing = Sketch(picture, faded=True)
    drawing.shade(saliency(picture), ORANGE, 0.75)
    width, height = picture.width, picture.height
    for part in (1 / 3, 2 / 3):
        drawing.line((part * width, 0), (part * width, height), YELLOW)
        drawing.line((0, part * height), (width, part * height), YELLOW)
    drawing.ring((made.centre[0] * width, made.centre[1] * height), RED, "eye is drawn here")
    return drawing.done("Composition", [*_said(analysis, "composition"), "orange: what draws the eye; yellow: thirds"])


def _colour(analysis: Analysis) -> Pixels:
    drawing, hues = Sketch(analysis.picture), analysis.traits.colours
    drawing.strip([(one.colour, f"{one.name}\n{one.colour}\n{one.share:.0%}", one.share) for one in hues.palette])
    said = f"Associated with (no effect of this picture): {', '.join(hues.associations)}." if hues.associations else ""
    return drawing.done("Colour", [*_said(analysis, "colour"), said])


def _text(analysis: Analysis) -> Pixels:
    drawing = Sketch(analysis.picture)
    for one in analysis.traits.contrasts:
        fault = f", needs {NEEDED}:1" if not one.enough else ""
        drawing.frame(one.line.corners, GREEN if one.enough else RED, f"{one.ratio:.1f}:1{fault}")
    legend = f"red: text below {NEEDED}:1 where it is hardest to read (WCAG 2); green: text above"
    return drawing.done("Text", [*_said(analysis, "text"), legend])


def _calm(analysis: Analysis) -> Pixels:
    drawing = Sketch(analysis.picture, faded=True)
    drawing.shade(calm(analysis.picture), BLUE, 0.5)
    drawing.shade(edges(analysis.picture), RED, 0.9)
    return drawing.done("Space and clutter", [*_said(analysis, "calm"), "blue: calm, room for a message; red: edges"])


def _quality(analysis: Analysis) -> Pixels:
    pixels, drawing = analysis.picture.pixels, Sketch(analysis.picture)
    drawing.shade(pixels.min(axis=2) >= 251, RED, 0.9)
    drawing.shade(pixels.max(axis=2) <= 4, BLUE, 0.9)
    return drawing.done(
        "Quality", [*_said(analysis, "quality"), "red: white without detail; blue: black without detail"]
    )


_DRAWN: dict[str, Callable[[Analysis], Pixels]] = {
    "found": _found,
    "composition": _composition,
    "colour": _colour,
    "text": _text,
    "calm": _calm,
    "quality": _quality,
}


def _said(analysis: Analysis, overlay: str) -> list[str]:
    return [f"{one.name} {one.value:.2f}: {one.says}" for one in analysis.scores if one.overlay == overlay]


def _corners(box: Box) -> list[tuple[float, float]]:
    return [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]

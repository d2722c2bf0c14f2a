"""The pre-flight: whether a platform takes a picture, and whether people will see what it should show.

Everything is looked at, so that all that is wrong is told at once, each by its name with value, limit and what to do.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from models.image.aesthetics.text_contrast import NEEDED
from models.image.box import Box
from models.image.logos import Mark
from models.image.picture import InvalidPicture, Picture, opened
from models.image.unsafe import LOOK_FROM
from serving.images.contents import Contents
from serving.images.formats import ImageFormat, nearest
from serving.images.texts import box_of
from serving.images.window import CropWindow

Verdict = Literal["fail", "warn", "pass"]

#: Longer side at which a picture is looked at.
LONGEST = 1600
#: Sharpness below which people see blur: 1 in 100 real photographs lies below, and 3 in 4 of them after a blur by half
#: a percent of their side.
LEAST_SHARPNESS = 0.4
#: Probability of being unsafe from which platforms refuse, most likely.
REFUSED_FROM = 0.8
#: The share of a text or product that may lie where the platform covers it: boxes are not exact to the pixel.
COVERED = 0.05


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: its name.
        verdict: `fail`: the platform refuses it, or its viewers would miss what matters; `warn`: it is taken.
        value, limit: what is, and what should be.
        do: how to mend it; empty where it passes.
        place: where in the picture, in pixels of the upright original.
    """

    check: str
    verdict: Verdict
    value: str
    limit: str
    do: str = ""
    place: Box | None = None


@dataclass(frozen=True)
class Preflight:
    """All findings of a picture in a format, the worst first."""

    format: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        return self.findings[0].verdict

    @property
    def wrong(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.verdict != "pass")

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"format": self.format, "verdict": self.verdict, "findings": [asdict(one) for one in self.findings]}


@dataclass(frozen=True)
class Subject:
    """A picture that is checked for a format; `product` are boxes that must be seen."""

    picture: Picture
    form: ImageFormat
    contents: Contents
    product: Sequence[Box] = ()


def preflight(
    content: bytes,
    formats: Sequence[ImageFormat],
    product: Sequence[Box] = (),
    text_share: float | None = None,
    marks: Sequence[Mark] = (),
    original: Box | None = None,
) -> Preflight:
    """Check the bytes of a picture for the format whose ratio is nearest to its own.

    Args:
        formats: that it may be meant for, at least one.
        product: boxes of what must be seen, in pixels of the upright original.
        text_share: share that text covers, as somebody measured it; otherwise it is measured.
        marks: logos that must be whole where they are.
        original: the part that is the picture itself, where the rest is padding; what is read there is no text.
    """
    try:
        picture = opened(content, LONGEST)
    except InvalidPicture as fault:
        return no_picture(fault, formats)
    form = nearest(formats, picture.width, picture.height)
    subject = Subject(picture, form, Contents(picture, text_share, marks, original), product)
    findings = [finding for check in CHECKS for finding in check(subject)]
    findings.sort(key=lambda one: ("fail", "warn", "pass").index(one.verdict))
    return Preflight(form.id, tuple(findings))


def no_picture(fault: InvalidPicture, formats: Sequence[ImageFormat]) -> Preflight:
    """That there is no picture, and why."""
    found = Finding("file", "fail", f"is no picture that is read: {fault.got}", fault.expected, "save it anew")
    return Preflight(formats[0].id, (found,))


def file_type(subject: Subject) -> Iterator[Finding]:
    kind, files = subject.picture.format, subject.form.files
    taken = kind in files
    yield _found("file type", taken, f"is {kind}", " or ".join(files), f"save it as {files[0]}")


def file_weight(subject: Subject) -> Iterator[Finding]:
    size, most = subject.picture.size / 1e6, subject.form.megabytes
    do = "compress it (adloop image optimise)"
    yield _found("file weight", size <= most, f"has {size:.2f} MB", f"at most {most:g} MB", do)


def animation(subject: Subject) -> Iterator[Finding]:
    frames, most = subject.picture.frames, subject.form.frames
    limit = "a still picture" if most == 1 else f"at most {most} frames"
    yield _found(
        "animation", frames <= most, f"has {frames} frames" if frames > 1 else "is still", limit, "use one frame"
    )


def size(subject: Subject) -> Iterator[Finding]:
    (width, height), form = (subject.picture.width, subject.picture.height), subject.form
    value, wanted = f"is {width} pixels wide and {height} high", f"{form.size[0]} by {form.size[1]}"
    if width < form.least[0] or height < form.least[1]:
        limit = f"at least {form.least[0]} by {form.least[1]}, better {wanted}"
        yield Finding("size", "fail", value, limit, "take a larger original; enlarging adds no detail")
    elif form.most is not None and (width > form.most[0] or height > form.most[1]):
        limit = f"at most {form.most[0]} by {form.most[1]}, better {wanted}"
        yield Finding("size", "fail", value, limit, "reduce it (adloop image optimise)")
    else:
        enough = width >= form.size[0] or height >= form.size[1]
        do = "take a larger original, if there is one"
        yield _found("size", enough, value, f"recommended {wanted}", do, "warn")


def ratio(subject: Subject) -> Iterator[Finding]:
    width, height, form = subject.picture.width, subject.picture.height, subject.form
    off = abs(width / height / form.ratio - 1)
    least, most = (form.narrow or form.ratio) * (1 - form.tolerance), (form.wide or form.ratio) * (1 + form.tolerance)
    taken = least <= width / height <= most
    value, wanted = f"is {width} by {height}, {width / height:.2f}:1", f"{form.ratio:.2f}:1 within {form.tolerance:.0%}"
    limit = (
        wanted
        if form.narrow is None or form.narrow == form.wide
        else f"{wanted}; {least:.2f}:1 to {most:.2f}:1 is taken"
    )
    do = "crop it (adloop image optimise); the platform would cut it or refuse it"
    yield _found("ratio", off <= form.tolerance, value, limit, do, "warn" if taken else "fail")


def transparency(subject: Subject) -> Iterator[Finding]:
    opaque = subject.picture.alpha is None
    value = "is opaque" if opaque else "has transparent parts"
    yield _found(
        "transparency", opaque, value, "an opaque picture", "lay it on its background: platforms choose one", "warn"
    )


def text_share(subject: Subject) -> Iterator[Finding]:
    share, most = subject.contents.text_share, subject.form.text
    yield _found(
        "text share", share <= most, f"text covers {share:.0%}", f"at most {most:.0%}", "use less text", "warn"
    )


def text_contrast(subject: Subject) -> Iterator[Finding]:
    weak = [one for one in subject.contents.contrasts if not one.enough]
    for one in weak:
        value = f"'{one.line.text}' has a contrast of {one.ratio:.1f}:1"
        do = "darken what is behind it, or change its colour"
        yield Finding("text contrast", "warn", value, f"at least {NEEDED}:1", do, box_of(one.line))
    if not weak:
        yield Finding("text contrast", "pass", "every text stands out", f"at least {NEEDED}:1")


def logo(subject: Subject) -> Iterator[Finding]:
    """Whether the logos that were asked for are whole; none is needed."""
    found = subject.contents.logos
    for one in found:
        if one.off:
            value = f"the logo of {one.brand} is cut off at the {' and '.join(one.off)}, {one.visible:.0%} of it shows"
            yield Finding("logo", "warn", value, "a whole logo", "show all of it, or none", one.box)
    if not any(one.off for one in found):
        yield Finding("logo", "pass", f"{len(found)} found, none is cut off", "a whole logo")


def sharpness(subject: Subject) -> Iterator[Finding]:
    found, limit = subject.contents.sharpness, f"at least {LEAST_SHARPNESS}"
    value = f"has a sharpness of {found:.2f}"
    yield _found("sharpness", found >= LEAST_SHARPNESS, value, limit, "take a sharper original", "warn")


def safe_zone(subject: Subject) -> Iterator[Finding]:
    """Texts, and the product or, where none is given, the main things found, that the platform covers or cuts off."""
    whole = CropWindow(0, 0, subject.picture.width, subject.picture.height)
    safe, covered = whole.within(subject.form.safe), False
    texts = [Box(f"the text '{line.text}'", 1.0, *box_of(line).place) for line in subject.contents.lettering.lines]
    held = [Box("the product", 1.0, *box.place) for box in subject.product] or subject.contents.main
    for box in [*texts, *held]:
        hidden = 1 - safe.kept(box.clip(whole.width, whole.height)) if box.area else 0.0
        if hidden > COVERED:
            covered, value = True, f"{hidden:.0%} of {box.label} lies where the platform covers or cuts off"
            verdict: Verdict = "fail" if box.label == "the product" else "warn"
            yield Finding("safe zone", verdict, value, _margins(subject.form), "crop it (adloop image optimise)", box)
    if not covered:
        yield Finding("safe zone", "pass", "nothing that matters is covered", _margins(subject.form))


def unsafe(subject: Subject) -> Iterator[Finding]:
    chance = subject.contents.unsafe
    verdict: Verdict = "fail" if chance >= REFUSED_FROM else "warn"
    value, do = f"{chance:.0%} unfit for work", "let a person look; the filter takes much skin for nudity"
    yield _found("unsafe", chance < LOOK_FROM, value, f"below {LOOK_FROM:.0%}", do, verdict)


def _margins(form: ImageFormat) -> str:
    told = {edge: getattr(form.safe, edge) for edge in ("top", "bottom", "left", "right")}
    return ", ".join(f"{share:.0%} at the {edge}" for edge, share in told.items() if share) or "no margin is covered"


def _found(check: str, fine: bool, value: str, limit: str, do: str, otherwise: Verdict = "fail") -> Finding:
    return Finding(check, "pass", value, limit) if fine else Finding(check, otherwise, value, limit, do)


Check = Callable[[Subject], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    *(file_type, file_weight, animation, size, ratio, transparency),
    *(text_share, text_contrast, logo, sharpness, safe_zone, unsafe),
)

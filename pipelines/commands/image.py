"""Subcommands for pictures of ads: what is in them, a version for each format of a platform, and the pre-flight."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

import click

from features.settings import Settings
from pipelines.commands.options import JSON
from serving.images.formats import AdPlatform

if TYPE_CHECKING:
    from models.image.box import Box
    from serving.images.formats import ImageFormat

_FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
_PLATFORM = click.option(
    "--platform", required=True, type=click.Choice(get_args(AdPlatform)), help="The platform that the picture is for."
)
_FORMAT = click.option(
    "--format",
    "names",
    metavar="ID",
    multiple=True,
    help="A format such as meta.stories; may be repeated. Default: all.",
)


class ProductBox(click.ParamType):
    """Where the product is: left, top, right and bottom in pixels."""

    name = "L,T,R,B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Box":
        from models.image.box import Box

        try:
            left, top, right, bottom = (float(part) for part in str(value).split(","))
        except ValueError:
            self.refuse(value, param, ctx)
        if not (0 <= left < right < float("inf") and 0 <= top < bottom < float("inf")):
            self.refuse(value, param, ctx)
        return Box("product", 1.0, left, top, right, bottom)

    def refuse(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> NoReturn:
        self.fail(f"expected left,top,right,bottom in pixels, such as 40,60,400,300, got {value}", param, ctx)


_BRAND = click.option(
    "--brand", "brands", multiple=True, metavar="NAME", help="Look for this brand's logo and name; repeatable."
)
_PRODUCT = click.option(
    "--product",
    type=ProductBox(),
    multiple=True,
    help="Where the product is in the upright picture, in pixels from its upper left corner; may be repeated.",
)


@click.group()
def image() -> None:
    """Tell what is in a picture and how it looks, make it fit the formats of a platform, check it before a launch.

    The formats are data with sources and dates (serving/images/formats.yaml).
    """


@image.command()
@_FILES
@_BRAND
@click.option(
    "--logo",
    "logo_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Look for the logo in this picture, of the brand that the file is named after; repeatable.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to draw the findings into (PNG).")
@JSON
def analyse(
    files: tuple[Path, ...], brands: tuple[str, ...], logo_files: tuple[Path, ...], out: Path | None, as_json: bool
) -> None:
    """Tell what is in pictures and how they look by rules of design; with --out, draw it.

    Things, scene, text, logos, faces (counted, never recognised), whether it may be unsuitable for work, mood;
    composition, colours, quality, clutter, and contrast of text (WCAG 2). None of it was measured on ads.
    A picture that cannot be read is named, and the others are analysed; exits 1 then.

    \b
    adloop image analyse banner.jpg --brand Nike --out drawn
    """
    from models.image.logos import UnknownBrand
    from models.image.picture import InvalidPicture
    from pipelines import image_analysis

    try:
        marks = image_analysis.marks(brands, logo_files)
    except (UnknownBrand, InvalidPicture) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    if not image_analysis.analyse(files, marks, out, as_json, Settings()):
        raise SystemExit(1)


@image.command()
@_FILES
@_PLATFORM
@_FORMAT
@_PRODUCT
@click.option(
    "--out", default="images", show_default=True, type=click.Path(file_okay=False, path_type=Path), help="Folder."
)
@JSON
def optimise(
    files: tuple[Path, ...],
    platform: str,
    names: tuple[str, ...],
    product: tuple["Box", ...],
    out: Path,
    as_json: bool,
) -> None:
    """Write a version of each picture for each format of a platform, and draw how it was cropped.

    \b
    adloop image optimise shoe.jpg --platform meta
    adloop image optimise shoe.jpg --platform meta --format meta.stories --product 310,120,890,640

    A crop cuts neither a text nor the product: the one that --product marks, or the main thing that is found. Where no
    crop can hold them, the picture is padded, and refused where padding would be most of it. NAME.FORMAT.why.png shows
    the crop over the picture, what the platform covers of it, and the reason. Where files have one NAME, all are
    numbered.

    Files are the smallest that look the same (SSIM of .95), and have no metadata: no position, no camera, no comment.
    Each is checked as `adloop image check` does. Nothing is ever enlarged. A picture that cannot be read is named, and
    the others are written; exits 1 then.
    """
    from pipelines.images import show_optimised, versions

    told = list(versions(files, _formats(platform, names), product, out))
    click.echo(json.dumps(told, indent=1)) if as_json else show_optimised(told)
    if any("error" in one for one in told):
        raise SystemExit(1)


@image.command()
@_FILES
@_PLATFORM
@_FORMAT
@_PRODUCT
@_BRAND
@JSON
def check(
    files: tuple[Path, ...],
    platform: str,
    names: tuple[str, ...],
    product: tuple["Box", ...],
    brands: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check pictures before a launch: all that is wrong at once, with what to do. Exits 1 if any fails.

    \b
    adloop image check shoe.jpg --platform meta
    adloop image check shoe.jpg --platform meta --format meta.stories --json

    The format is the one whose ratio is nearest to the picture's, of those named or of all of the platform. What the
    platform would refuse fails: kind of file, weight, size, ratio, animation. So do a product where it covers the
    picture and what is unsafe. Much text, faint text, blur, a logo that is cut off and text in a covered place warn.
    """
    from models.image.logos import UnknownBrand, of_brand
    from pipelines.images import checked, show_checked

    formats = _formats(platform, names)
    try:
        marks = [of_brand(brand) for brand in brands]
    except UnknownBrand as unknown:
        raise click.ClickException(str(unknown)) from unknown
    found = {str(file): checked(file, formats, product, marks) for file in files}
    if as_json:
        click.echo(json.dumps({name: one.as_dict() for name, one in found.items()}, indent=1))
    else:
        show_checked(found)
    if any(one.verdict == "fail" for one in found.values()):
        raise SystemExit(1)


def _formats(platform: str, names: tuple[str, ...]) -> "list[ImageFormat]":
    from serving.images.formats import UnknownImageFormat, image_format, of_platform

    try:
        found = [image_format(name) for name in names] or of_platform(platform)
    except UnknownImageFormat as unknown:
        raise click.UsageError(str(unknown)) from unknown
    for one in found:
        if one.platform != platform:
            raise click.UsageError(f"--format: '{one.id}' is of {one.platform}, not of {platform}")
    return found

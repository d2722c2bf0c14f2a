"""The routes of pictures: what is in them, the pre-flight, and a version for each format of a platform.

A picture comes as the body itself (image/jpeg and so on), as the field `file` of a form, or as JSON with its `uri`. It
is looked at in threads beside the event loop, a few at a time; who comes when many wait is told to come again.
"""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile

from features.fetch import Unreachable, content_of
from features.settings import Settings
from models.image.box import Box
from models.image.logos import Mark, UnknownBrand, of_brand
from models.image.overlay import encoded
from models.image.picture import InvalidPicture, opened
from models.image.traits import LONGEST
from serving.images.analysis import analyse
from serving.images.formats import AdPlatform, ImageFormat, UnknownImageFormat, image_format, of_platform
from serving.images.optimise import Optimised, optimised
from serving.images.overlays import overlays
from serving.images.preflight import preflight
from serving.images.rating import ReleasedRater

PREFIX = "/v1/images"
#: Bytes of a picture, and of a request: a form has a little more around it.
MOST_BYTES = 30_000_000
BODY_LIMIT = MOST_BYTES + 64 * 1024
#: Pixels of a picture: more would take too much memory of a server.
MOST_PIXELS = 50_000_000
#: Pictures that are looked at beside each other, and that may wait.
AT_ONCE, WAITING = 2, 8
_NUMBER = r"\d{1,6}(\.\d{1,3})?"
ProductText = Annotated[str, Field(pattern=rf"^{_NUMBER}(,{_NUMBER}){{3}}$")]

Platform = Annotated[AdPlatform, Query(description="The platform that the picture is for.")]
Formats = Annotated[
    list[str], Query(alias="format", default_factory=list, max_length=20, description="Such as meta.stories; else all.")
]
Products = Annotated[
    list[ProductText],
    Query(alias="product", default_factory=list, max_length=20, description="Left, top, right, bottom in pixels."),
]


Brands = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=60)]],
    Query(alias="brand", default_factory=list, max_length=20, description="Whose logos are looked for."),
]
Draw = Annotated[bool, Query(description="Whether drawings of what was found are answered too, as data: URIs.")]


class PictureSource(BaseModel):
    """Where a picture is: a public address, or what the server's owner allows (ADLOOP_IMAGES)."""

    model_config = ConfigDict(extra="forbid")

    uri: Annotated[str, Field(min_length=1)]


class _OpenedPictures:
    def __init__(self, settings: Settings) -> None:
        self._settings, self._limiter, self._taken = settings, anyio.CapacityLimiter(AT_ONCE), 0
        self._rater = ReleasedRater(settings)

    async def analyse(self, request: Request, brands: Brands, draw: Draw = False) -> dict[str, Any]:
        marks = _marks(brands)

        def work(content: bytes) -> dict[str, Any]:
            found = analyse(opened(content, LONGEST), marks, self._rater.rating(content))
            drawn = {name: _uri(encoded(pixels), "PNG") for name, pixels in overlays(found).items()} if draw else {}
            return {**found.as_dict(), "drawings": drawn}

        return await self._worked(request, work)

    async def check(
        self, request: Request, platform: Platform, names: Formats, product: Products, brands: Brands
    ) -> dict[str, Any]:
        formats, boxes, marks = _formats(platform, names), _boxes(product), _marks(brands)
        return await self._worked(request, lambda content: preflight(content, formats, boxes, marks=marks).as_dict())

    async def optimise(self, request: Request, platform: Platform, names: Formats, product: Products) -> dict[str, Any]:
        formats, boxes = _formats(platform, names), _boxes(product)
        return await self._worked(
            request, lambda content: {"versions": [_told(one) for one in optimised(content, formats, boxes)]}
        )

    async def _worked(self, request: Request, work: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
        """What `work` makes of the request's picture, in a thread."""
        source = await _source(request)
        if self._taken >= AT_ONCE + WAITING:
            raise HTTPException(503, f"{WAITING} pictures wait already", {"retry-after": "5"})

        def done() -> dict[str, Any]:
            content = content_of(source, MOST_BYTES, self._settings) if isinstance(source, str) else source
            _bounded(content)
            return work(content)

        self._taken += 1
        try:
            return await anyio.to_thread.run_sync(done, limiter=self._limiter)
        except (InvalidPicture, Unreachable) as fault:
            raise HTTPException(422, str(fault)) from fault
        finally:
            self._taken -= 1


async def _source(request: Request) -> bytes | str:
    """A picture's bytes, or its URI."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            return PictureSource.model_validate_json(await request.body()).uri
        except ValidationError as wrong:
            raise RequestValidationError(wrong.errors()) from None
    if kind == "multipart/form-data":
        form = await request.form(max_files=1, max_fields=1)
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(422, "file: expected a form with a picture in the field 'file'")
        return _within(await file.read())
    if kind.startswith("image/") or kind == "application/octet-stream":
        return _within(await request.body())
    said = "content-type: expected image/..., multipart/form-data with the field 'file', or application/json with a uri"
    raise HTTPException(415, f"{said}, got '{kind[:80]}'")


def _within(content: bytes) -> bytes:
    if len(content) > MOST_BYTES:
        raise HTTPException(413, f"picture: expected at most {MOST_BYTES:,} bytes, got {len(content):,}")
    return content


def _bounded(content: bytes) -> None:
    """Raises `InvalidPicture` for a picture of too many pixels, by its header."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
    except Exception:
        opened(content, 1)  # says what is wrong
        return
    if width * height > MOST_PIXELS:
        raise InvalidPicture(f"at most {MOST_PIXELS:,} pixels", f"{width:,} by {height:,}")


def _formats(platform: str, names: Sequence[str]) -> list[ImageFormat]:
    try:
        found = [image_format(name) for name in names] or of_platform(platform)
    except UnknownImageFormat as unknown:
        raise HTTPException(422, str(unknown)) from unknown
    for one in found:
        if one.platform != platform:
            raise HTTPException(422, f"format: '{one.id}' is of {one.platform}, not of {platform}")
    return found


def _marks(brands: Sequence[str]) -> list[Mark]:
    try:
        return [of_brand(brand) for brand in brands]
    except UnknownBrand as unknown:
        raise HTTPException(422, str(unknown)) from unknown


def _boxes(product: Sequence[str]) -> list[Box]:
    found = [Box("product", 1.0, *map(float, text.split(","))) for text in product]
    for box in found:
        if not box.area:
            raise HTTPException(422, f"product: expected left,top,right,bottom with an area, got {box.place}")
    return found


def _told(one: Optimised) -> dict[str, Any]:
    """A version with its file and the drawing of its crop as `data:` URIs."""
    file = None if one.file is None else _uri(one.file.content, one.file.kind)
    return {**one.as_dict(), "file": file, "why": _uri(encoded(one.overlay), "PNG")}


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind.lower()};base64,{base64.b64encode(content).decode()}"


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
_BODY = {
    "required": True,
    "content": {
        **{f"image/{kind}": _BINARY for kind in ("jpeg", "png", "webp", "avif", "gif")},
        "multipart/form-data": {"schema": _FORM},
        "application/json": {"schema": PictureSource.model_json_schema()},
    },
}


def router(settings: Settings) -> APIRouter:
    """The routes."""
    pictures, routes = _OpenedPictures(settings), APIRouter(prefix=PREFIX, tags=["images"])
    named = (
        ("/analyse", pictures.analyse, "analyse_picture", "What is in a picture, and how it looks."),
        ("/check", pictures.check, "check_picture", "The pre-flight of a picture: all that is wrong at once."),
        ("/optimise", pictures.optimise, "optimise_picture", "A version of a picture for each format of a platform."),
    )
    for path, answer, name, summary in named:
        routes.add_api_route(
            path, answer, methods=["POST"], operation_id=name, summary=summary, openapi_extra={"requestBody": _BODY}
        )
    return routes

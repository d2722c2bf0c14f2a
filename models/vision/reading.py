"""Pictures behind URIs, one at a time."""

from collections.abc import Iterable, Iterator

from features.fetch import Unreachable, content_of
from features.settings import Settings
from models.image.picture import MOST_BYTES, InvalidPicture, Picture, opened
from models.inputs import InvalidRows

URI = "uri"
#: Of the longer side, in pixels; larger pictures are reduced while they are read.
LONGEST = 4096
#: Characters of a URI that messages show: a `data:` URI is a whole picture.
SHOWN = 100


def picture_of(uri: str, settings: Settings) -> Picture:
    """The picture behind a URI. Raises `InvalidRows`, with what came, where there is none."""
    try:
        return opened(content_of(uri, MOST_BYTES, settings), LONGEST)
    except (Unreachable, InvalidPicture) as fault:
        raise InvalidRows(URI, "the URI of a picture", f"{uri[:SHOWN]}: {fault}") from fault


def pictures(uris: Iterable[str | None]) -> Iterator[Picture | None]:
    """The picture of each URI, None of a missing one, each opened when it is asked for. Raises `InvalidRows`."""
    settings = Settings()
    return (None if uri is None else picture_of(uri, settings) for uri in uris)

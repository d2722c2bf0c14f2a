"""Pages and pictures on loopback."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height)).save(written, kind)
    return written.getvalue()


PAGES: dict[str, tuple[int, bytes]] = {
    "/malt": (200, b"<h1>Malt</h1>"),
    "/gone": (404, b""),
    "/nowhere": (302, b""),
    "/broken": (500, b""),
    "/good.png": (200, picture(1200, 628)),
    "/wide.png": (200, picture(900, 600)),
    "/small.png": (200, picture(300, 300)),
    "/tall.png": (200, picture(700, 1400)),
    "/odd.webp": (200, picture(1200, 628, "WEBP")),
    "/text.png": (200, b"no picture"),
}
#: Where pages lead on to.
MOVED = {"/moved": "/malt", "/round": "/round", "/lost": "https://[half/malt"}


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        place = self.path.partition("?")[0]
        if place in MOVED:
            self.send_response(302)
            self.send_header("location", MOVED[place])
            self.send_header("content-length", "0")
            self.end_headers()
            return
        status, body = PAGES.get(place, (404, b""))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving_pages() -> Iterator[str]:
    """The address of a server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

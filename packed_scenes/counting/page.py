"""Answering pairs in the browser: one small page on this computer only, from the standard library's server.

The page asks for the pair in question, shows both crops and sends a key's answer. It is bound to 127.0.0.1, every
request must carry the secret of the address that was printed, and the Host must be this machine's, so that no other
page in the same browser can read crops or give answers.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from packed_scenes.cluster.counting import Enough
from packed_scenes.counting.answers import Answer, AnswerBook, Undo
from packed_scenes.counting.page_text import PAGE
from packed_scenes.counting.pictures import one_picture
from packed_scenes.data.errors import InputError

LONGEST = 4096  # bytes of a request's body


class PageDialogue:
    """Serves the page and waits for answers; use as a context.

    Args:
        book: counts the answers given.
        paths: file of each row.
        budget: most answers; None = until the interval is small enough.
        port: 0 = any free one.

    Attributes:
        address: what to open in the browser.

    Raises:
        InputError: if the port is taken.
    """

    def __init__(self, book: AnswerBook, paths: Sequence[Path], *, budget: int | None = None, port: int = 0) -> None:
        self.book, self.paths, self.budget = book, paths, budget
        self.secret = secrets.token_urlsafe(16)
        self.status = ""
        self._changed = threading.Condition()
        self._pair: tuple[int, int] | None = None
        self._number = 0
        self._reply = ""
        self._done = False
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        except OSError as error:
            raise InputError(
                f"port {port} cannot be had ({error.strerror})", remedy="Choose another --port."
            ) from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.address = f"http://127.0.0.1:{self.port}/?key={self.secret}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def judge(self, a: int, b: int) -> Answer:
        """Show a pair and wait for its answer."""
        if self.budget is not None and len(self.book) >= self.budget:
            raise Enough
        with self._changed:
            self._pair, self._reply, self._number = (a, b), "", self._number + 1
            self._changed.wait_for(lambda: self._reply != "")
            reply, self._pair = self._reply, None
        if reply == "undo":
            raise Undo
        if reply == "quit":
            raise Enough
        return Answer(reply)

    def finish(self, status: str) -> None:
        """Tell the page that it is over."""
        self.status, self._done = status, True

    def state(self) -> dict[str, Any]:
        """What the page shows, as JSON values."""
        with self._changed:
            pair = self._pair if not self._reply else None
            return {
                "number": self._number,
                "names": None if pair is None else [self.book.names[row] for row in pair],
                "answered": len(self.book),
                "budget": self.budget,
                "status": self.status,
                "done": self._done,
            }

    def crop(self, number: int, side: int) -> bytes | None:
        """PNG of one of the two crops in question; None if that question is over."""
        import cv2

        with self._changed:
            if self._pair is None or number != self._number or side not in (0, 1):
                return None
            file = self.paths[self._pair[side]]
        try:
            done, data = cv2.imencode(".png", cv2.cvtColor(one_picture(file), cv2.COLOR_RGB2BGR))
        except InputError:
            return None
        return data.tobytes() if done else None

    def answer(self, number: int, reply: str) -> bool:
        """Take an answer to the question of this number; False if it is no answer or another question's."""
        if reply not in {*Answer, "undo", "quit"}:
            return False
        with self._changed:
            if self._pair is None or self._reply or number != self._number:
                return False
            self._reply = reply
            self._changed.notify_all()
        return True


def _handler(dialogue: PageDialogue) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = parse_qs(address.query)
            if not self._allowed(query):
                self._send(403, b"the key is missing: open the address that was printed", "text/plain")
            elif address.path == "/":
                self._send(200, PAGE.encode(), "text/html; charset=utf-8")
            elif address.path == "/state":
                self._send(200, json.dumps(dialogue.state()).encode(), "application/json")
            elif address.path == "/crop":
                data = dialogue.crop(_number(query, "number"), _number(query, "side"))
                self._send(404 if data is None else 200, data or b"", "image/png")
            else:
                self._send(404, b"nothing here", "text/plain")

        def do_POST(self) -> None:
            address = urlsplit(self.path)
            query = parse_qs(address.query)
            length = self.headers.get("Content-Length", "")
            if not self._allowed(query):
                self._send(403, b"the key is missing", "text/plain")
            elif address.path != "/answer" or not length.isdigit() or int(length) > LONGEST:
                self._send(404, b"nothing here", "text/plain")
            else:
                try:
                    body = json.loads(self.rfile.read(int(length)))
                    good = dialogue.answer(int(body["number"]), str(body["answer"]))
                except (ValueError, KeyError, TypeError):
                    good = False
                self._send(200 if good else 409, json.dumps({"taken": good}).encode(), "application/json")

        def _allowed(self, query: dict[str, list[str]]) -> bool:
            host = self.headers.get("Host", "")
            given = query.get("key", [""])[0]
            return host in (f"127.0.0.1:{dialogue.port}", f"localhost:{dialogue.port}") and secrets.compare_digest(
                given.encode(), dialogue.secret.encode()
            )

        def _send(self, code: int, body: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _number(query: dict[str, list[str]], name: str) -> int:
    text = query.get(name, [""])[0]
    return int(text) if text.isdigit() and len(text) < 10 else -1

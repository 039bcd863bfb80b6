"""The pairs that ``count`` and ``refine`` ask about, answered in the browser: the workbench's question view on
a server of its own.

The same guard as the workbench: the local address only, a key in the printed address, no foreign Host, Origin or page.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from packed_scenes.cluster.counting import StopAsking
from packed_scenes.counting.answers import Answer, AnswerBook, Undo
from packed_scenes.counting.pictures import one_picture
from packed_scenes.data.errors import InputError
from packed_scenes.web.server.answers import get, picture, post
from packed_scenes.web.server.app import LOCAL, PAGE, Unkept
from packed_scenes.web.server.guard import Guard
from packed_scenes.web.server.pagedata import jpeg

LAST_LOOK_S = 5.0


class PageDialogue:
    """Serves the page and waits for answers; use as a context.

    Args:
        book: counts the answers given.
        paths: file of each row.
        budget: most answers; None = until the interval is small enough.
        port: 0 = any free one.
        title: what it is about.

    Attributes:
        address: what to open in the browser.
        status: what the page shows about the count so far.

    Raises:
        InputError: if the port is taken.
    """

    def __init__(
        self, book: AnswerBook, paths: Sequence[Path], *, budget: int | None = None, port: int = 0,
        title: str = "How many different things?",
    ) -> None:  # fmt: skip
        import uvicorn

        self.book, self.paths, self.budget, self.title = book, paths, budget, title
        self.status, self.note = "", ""
        self._changed = threading.Condition()
        self._pair: tuple[int, int] | None = None
        self._number = 0
        self._reply = ""
        self._done = False
        self._visited = False
        self._answered_page = threading.Event()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((LOCAL, port))
            self._socket.listen(64)
        except OSError as error:
            self._socket.close()
            raise InputError(
                f"port {port} cannot be had ({error.strerror})", remedy="Choose another --port."
            ) from error
        self.port = int(self._socket.getsockname()[1])
        token = secrets.token_urlsafe(24)
        self.address = f"http://{LOCAL}:{self.port}/?token={token}"
        hosts = {f"{name}:{self.port}" for name in (LOCAL, "localhost")}
        app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/api/question", get(lambda _: self.state())),
                Route("/api/question/{number:int}/{side:int}.jpg", get(self._crop)),
                Route("/api/answer", post(self._answer), methods=["POST"]),
                Mount("/page", Unkept(directory=PAGE)),
            ],
            middleware=[Middleware(Guard, token=token, hosts=hosts)],
        )
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True, name="questions"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._done and self._visited:  # a page looks every .3 s: it is to say "Done", not "ended"
            self._answered_page.wait(LAST_LOOK_S)
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    def judge(self, a: int, b: int) -> Answer:
        """Show a pair and wait for its answer."""
        if self.budget is not None and len(self.book) >= self.budget:
            raise StopAsking
        with self._changed:
            self._pair, self._reply, self._number = (a, b), "", self._number + 1
            self._changed.wait_for(lambda: self._reply != "")
            reply, self._pair = self._reply, None
        if reply == "undo":
            raise Undo
        if reply == "quit":
            raise StopAsking
        return Answer(reply)

    def finish(self, status: str, *, note: str = "The result is written. This page can be closed.") -> None:
        """Tell the page that there is nothing more to ask; leaving the context waits until it has asked, or 5 s."""
        self.status, self.note, self._done = status, note, True

    def state(self) -> dict[str, Any]:
        """What the page shows, as JSON values."""
        self._visited = True
        if self._done:
            self._answered_page.set()
        with self._changed:
            pair = self._pair if not self._reply else None
            return {
                "title": self.title,
                "number": self._number,
                "names": None if pair is None else [self.book.names[row] for row in pair],
                "answered": len(self.book),
                "budget": self.budget,
                "status": self.status,
                "note": self.note,
                "done": self._done,
            }

    async def _page(self, _: Request) -> Response:
        return FileResponse(PAGE / "question.html", headers={"cache-control": "no-cache"})

    def _crop(self, request: Request) -> Response:
        """One of the two crops in question; refused when that question is over."""
        number, side = int(request.path_params["number"]), int(request.path_params["side"])
        with self._changed:
            if self._pair is None or number != self._number or side not in (0, 1):
                raise InputError("that question is over")
            file = self.paths[self._pair[side]]
        return picture(jpeg(one_picture(file), side=420), keep=False)

    def _answer(self, _: Request, body: dict[str, Any]) -> Response:
        """Take an answer to the question of this number."""
        number, reply = body.get("number"), body.get("answer")
        with self._changed:
            taken = (
                reply in {*Answer, "undo", "quit"}
                and self._pair is not None
                and not self._reply
                and number == self._number
            )
            if taken:
                self._reply = str(reply)
                self._changed.notify_all()
        return JSONResponse({"taken": taken}, 200 if taken else 409)

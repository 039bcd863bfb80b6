"""The server put together, and how it is run."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from packed_scenes.data.errors import InputError
from packed_scenes.web.server import ask, home, teach, work
from packed_scenes.web.server.guard import Guard
from packed_scenes.web.server.workplace import Workplace

PAGE = Path(__file__).resolve().parents[1] / "page"
LOCAL = "127.0.0.1"
TIDY = 60.0  # s between looks for projects that nobody has open any more


def make_app(workplace: Workplace, *, port: int, token: str, host: str = LOCAL) -> Starlette:
    """Make the ASGI application.

    Args:
        workplace: the state.
        port: where it will listen; part of the allowed Host.
        token: secret of the address.
        host: address it listens on.
    """

    async def tidy() -> None:
        while True:
            await asyncio.sleep(TIDY)
            await run_in_threadpool(workplace.close_idle)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        tidying = asyncio.create_task(tidy())
        yield
        tidying.cancel()
        workplace.close()

    async def page(_: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})

    async def fault(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": "Something went wrong here; the log says more."}, 500)

    hosts = {f"{name}:{port}" for name in {*names_of(host), LOCAL, "localhost"}}
    handlers: dict[Any, Any] = {Exception: fault}
    app = Starlette(
        routes=[
            Route("/", page),
            *home.ROUTES,
            *work.ROUTES,
            *ask.ROUTES,
            *teach.ROUTES,
            Mount("/page", Unkept(directory=PAGE)),
        ],
        middleware=[Middleware(Guard, token=token, hosts=hosts)],
        exception_handlers=handlers,
        lifespan=life,
    )
    app.state.workplace = workplace
    return app


class Unkept(StaticFiles):
    """Files that the browser asks for again after an update."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        """Answer with a file."""
        response = super().file_response(*args, **options)
        response.headers["cache-control"] = "no-cache"
        return response


def names_of(host: str) -> list[str]:
    """What a browser may call this machine when the server listens on ``host``; the one to print first.

    Every address (``0.0.0.0``, ``::``) is called by the machine's name and by its addresses.
    """
    import socket

    if host not in ("0.0.0.0", "::"):
        return [f"[{host}]" if ":" in host else host]
    name = socket.gethostname()
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    except OSError:
        found = set()
    return [name, *sorted(f"[{address}]" if ":" in address else address for address in found)]


def _is_fault(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log tells of a fault: requests that Ctrl+C cuts off are none."""
    cut_off = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut_off and "graceful shutdown exceeded" not in record.getMessage()


def serve(workplace: Workplace, *, port: int, host: str = LOCAL, open_browser: bool = False) -> None:
    """Run until Ctrl+C; prints the address.

    Raises:
        InputError: if the port is taken.
    """
    import socket

    import uvicorn

    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise InputError(f"port {port} cannot be had ({error.strerror})", remedy="Choose another --port.") from error
    listening.listen(256)  # before the address is printed: whoever opens it at once waits a moment
    port = int(listening.getsockname()[1])
    token = secrets.token_urlsafe(24)
    address = f"http://{names_of(host)[0]}:{port}/?token={token}"
    if host not in (LOCAL, "localhost", "::1"):
        print(f"this address is reachable from other machines, without encryption: {host}", flush=True)
    print(f"open {address}", flush=True)
    if open_browser:
        import webbrowser

        webbrowser.open(address)
    app = make_app(workplace, port=port, token=token, host=host)
    logging.getLogger("uvicorn.error").addFilter(_is_fault)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3
    )
    uvicorn.Server(config).run(sockets=[listening])

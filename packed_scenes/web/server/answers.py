"""Requests as Python calls: JSON in and out, errors as sentences, the work in a thread."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from packed_scenes.data.errors import InputError
from packed_scenes.data.text import load_json
from packed_scenes.web.server.jobs import sentence
from packed_scenes.web.server.opened import Opened
from packed_scenes.web.server.workplace import Workplace

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 4_000_000  # bytes of a JSON body
Endpoint = Callable[[Request], Awaitable[Response]]


def workplace(request: Request) -> Workplace:
    """The state of the server."""
    found: Workplace = request.app.state.workplace
    return found


def opened(request: Request) -> Opened:
    """The project that the address names.

    Raises:
        InputError: if there is none, or it is another visit's.
    """
    return workplace(request).open(str(request.path_params["key"]), visit=request.scope["visit"])


def get(work: Callable[[Request], Any]) -> Endpoint:
    """Answer with what ``work`` returns."""

    async def endpoint(request: Request) -> Response:
        return await _answer(lambda: work(request))

    return endpoint


def post(work: Callable[[Request, dict[str, Any]], Any]) -> Endpoint:
    """Answer with what ``work`` makes of the JSON object that was sent."""

    async def endpoint(request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY_BYTES:
                return JSONResponse({"error": "This is too much at once."}, 413)
        try:
            content = load_json(bytes(body) or b"{}")
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            return JSONResponse({"error": "This request cannot be read."}, 400)
        return await _answer(lambda: work(request, content))

    return endpoint


async def _answer(work: Callable[[], Any]) -> Response:
    try:
        found = await run_in_threadpool(work)
    except InputError as error:
        return JSONResponse({"error": sentence(error)}, 400)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        # Of values that the page never sends: the request is wrong, not the server.
        _log.info("refused", exc_info=True)
        return JSONResponse({"error": f"This request cannot be understood ({type(error).__name__})."}, 400)
    if isinstance(found, Response):
        return found
    return Response(
        json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":")), media_type="application/json",
        headers={"cache-control": "no-store"},
    )  # fmt: skip


def picture(content: bytes, kind: str = "image/jpeg", *, keep: bool = True) -> Response:
    """A picture; with ``keep`` its address changes when it does, so that the browser may hold it."""
    return Response(
        content, media_type=kind, headers={"cache-control": "private, max-age=86400" if keep else "no-store"}
    )


def file(content: bytes | str, name: str, kind: str) -> Response:
    """A file to be saved."""
    from urllib.parse import quote

    return Response(
        content, media_type=kind,
        headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}", "cache-control": "no-store"},
    )  # fmt: skip


def whole(value: Any, *, minimum: int = 0) -> int:
    """A whole number that the page sent."""
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value < 1 << 40:
        raise InputError("a whole number is missing")
    return value


def numbers(value: Any, *, max_length: int = 5000) -> list[int]:
    """A list of row numbers that the page sent."""
    if not isinstance(value, list) or not 0 < len(value) <= max_length:
        raise InputError(f"choose 1 to {max_length} objects")
    return [whole(item) for item in value]


def decimal(value: Any) -> float:
    """A finite number that the page sent."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise InputError("a number is missing")
    return float(value)


def words(value: Any, *, max_length: int = 400) -> str:
    """A text that the page sent."""
    if not isinstance(value, str) or len(value) > max_length:
        raise InputError(f"a text of at most {max_length} characters is missing")
    return value

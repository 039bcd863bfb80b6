"""Who may talk to the server, and what its pages may do.

- The Host must be this machine's name and port, so that no foreign name that resolves here (DNS rebinding) is served.
- The first visit needs the token of the printed address; a cookie (HttpOnly, SameSite=Strict) carries it afterwards.
- What changes something needs an own-made header and, where the browser sends one, the same Origin: no other page's
  forms or scripts can send that (CORS is not allowed).
- A path from the page is opened only below a folder that was named when the app was started.
- Every answer carries a Content-Security-Policy of this server only, without inline script.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from packed_scenes.data.errors import InputError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
)
ASKING = "x-packed-scenes"  # header of everything that changes something
YEAR = 365 * 86_400
Scope = dict[str, Any]
Receive = Callable[..., Any]
Send = Callable[..., Any]


class Guard:
    """ASGI middleware around the whole server.

    Args:
        app: what is guarded.
        token: secret of the printed address.
        hosts: allowed values of Host, with the port.
    """

    def __init__(self, app: Any, *, token: str, hosts: Iterable[str]) -> None:
        self.app, self.token, self.hosts = app, token, frozenset(hosts)
        port = next(iter(self.hosts)).rsplit(":", 1)[-1]
        self._names = f"packed_scenes_{port}", f"packed_visit_{port}"  # cookies know no ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get("host", "") not in self.hosts:
            await _refuse(send, 421, "this name is not served here: open the address that was printed")
            return
        cookies = _cookies(headers.get("cookie", ""))
        key, visit_key = self._names
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        fresh: list[str] = []
        if not _equal(cookies.get(key, ""), self.token):
            if not _equal(given, self.token):
                await _refuse(send, 403, "Open the address that was printed when the app was started; it holds a key.")
                return
            fresh.append(f"{key}={self.token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={YEAR}")
        visit = cookies.get(visit_key, "")
        if not (len(visit) == 43 and visit.isascii()):
            visit = secrets.token_urlsafe(32)
            fresh.append(f"{visit_key}={visit}; Path=/; HttpOnly; SameSite=Strict; Max-Age={YEAR}")
        if scope["method"] not in ("GET", "HEAD") and not self._same_site(headers):
            await _refuse(send, 403, "this request does not come from the app's own page")
            return
        scope["visit"] = hashlib.sha256(visit.encode()).hexdigest()[:32]

        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                extra = [(n.encode(), v.encode()) for n, v in HEADERS if n.encode() not in there]
                extra += [(b"set-cookie", cookie.encode()) for cookie in fresh]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        if given and scope["method"] == "GET":  # the key does not stay in the address bar
            await answer({"type": "http.response.start", "status": 303, "headers": [(b"location", b"/")]})
            await answer({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, answer)

    def _same_site(self, headers: dict[str, str]) -> bool:
        if headers.get(ASKING) != "1" or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("origin")
        return origin is None or (urlsplit(origin).scheme == "http" and urlsplit(origin).netloc == headers["host"])


def _cookies(text: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(text).items()}
    except CookieError:
        return {}


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


async def _refuse(send: Send, status: int, text: str) -> None:
    head = [(b"content-type", b"text/plain; charset=utf-8"), *((n.encode(), v.encode()) for n, v in HEADERS)]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": text.encode()})


def below(text: str, roots: Sequence[Path]) -> Path:
    """A path from the page, if it lies below a folder that was named at the start.

    Raises:
        InputError: if it does not; nothing of the path is looked at before.
    """
    wanted = Path(os.path.normpath(text)) if text and "\0" not in text else Path()
    for root in roots:
        # Compared as written first, so that nothing outside is even asked for; then with links followed.
        if wanted.is_absolute() and wanted.is_relative_to(root) and wanted.resolve().is_relative_to(root):
            return wanted
    raise InputError(
        "this folder was not named when the app was started",
        remedy="Start the app with --photos FOLDER, or drop the files here.",
    )

"""Characters that show nothing and steer what shows them, and text escaped for pages and for plots.

Names, ids and messages can come from anyone. Hidden are control characters, characters that turn the direction of text
(Unicode's bidirectional controls: they make ``exe.jpg`` of ``gpj.exe``), line and paragraph separators, the byte order
mark, and lone surrogates (what is no UTF-8 in a file's name). Joiners, which emoji and some scripts need, are not.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from packed_scenes.data.errors import one_line

HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)  # the ranges are listed in UAX 9, table 1, and in the general categories Cc, Cs, Zl and Zp
HIDDEN_IN_JSON = re.compile(f"(?!\n){HIDDEN.pattern}")  # where control characters are escapes already
MAX_TEXT = 500  # characters of one name or message in a page or a plot
# Nothing is loaded, run or sent, whatever a name may hold: only pictures and styles inside the page.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html_text(value: object) -> str:
    """Make HTML of text that can come from anyone.

    Hidden characters are shown as backslash escapes, the rest is escaped for HTML (attributes too), and what is longer
    than ``MAX_TEXT`` characters is cut.
    """
    return escape(_cut(one_line(str(value))))


def html_head(title: str, *, style: str = "", policy: str = POLICY) -> str:
    """Begin a page, up to ``<body>``; ``title`` is plain text, ``policy`` its Content-Security-Policy."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html_text(title)}</title><style>{style}</style></head><body>"
    )


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return strict JSON (no NaN) in Unicode, with hidden characters as JSON's escapes."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return HIDDEN_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def plot_text(value: object) -> str:
    """Make a label that matplotlib draws as it is.

    Hidden characters are shown as escapes, ``$`` begins no formula, and a leading underscore, which would keep the
    label out of the legend, gets a space before it.
    """
    line = _cut(one_line(str(value))).replace("$", r"\$")
    return f" {line}" if line.startswith("_") else line


def _cut(line: str) -> str:
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"

"""Pieces of the reports in HTML: the page, hostile text, a table, a picture inside the page, a number, a time."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from packed_scenes.aggregate.page import STYLE
from packed_scenes.data.hidden import html_head, html_text

MAX_WIDTH = 1400  # pixels of a picture in the page


def page(title: str, parts: Sequence[str], *, style: str = "") -> str:
    """Write a whole page of HTML parts; ``title`` is plain text. The page allows itself nothing from outside."""
    return f"{html_head(title, style=STYLE + style)}<main>\n" + "\n".join(parts) + "\n</main></body></html>\n"


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    first: bool = False,
    drop: Sequence[int] = (),
) -> str:
    """Write a table of HTML cells; ``first`` marks the first row, ``drop`` leaves columns out."""
    kept = [at for at in range(len(head)) if at not in drop]
    top = "".join(f"<th{' class=n' if at in numbers else ''}>{head[at]}</th>" for at in kept)
    lines = []
    for place, row in enumerate(rows):
        cells = "".join(f"<td{' class=n' if at in numbers else ''}>{row[at]}</td>" for at in kept)
        lines.append(f"<tr{' class=won' if first and not place else ''}>{cells}</tr>")
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n'
        + "\n".join(lines)
        + "\n</tbody></table></div>"
    )


def picture(file: Path | None, text: str) -> str:
    """Put a picture into the page, at most ``MAX_WIDTH`` pixels wide; nothing if there is none or it cannot be read."""
    if file is None:
        return ""
    import cv2

    image = cv2.imread(str(file))
    if image is None:
        return ""
    scale = MAX_WIDTH / image.shape[1]
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    kind, options = (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 80]) if file.suffix == ".jpg" else (".png", [])
    data = base64.b64encode(cv2.imencode(kind, image, options)[1].tobytes()).decode()
    mime = "jpeg" if kind == ".jpg" else "png"
    return f'<img class="wide" alt="{html_text(text)}" src="data:image/{mime};base64,{data}">'


def number(value: float) -> str:
    """Three digits after the point; nothing for nan."""
    return "" if value != value else f"{value:.3f}"


def duration(seconds: float) -> str:
    """Seconds up to two minutes, else minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"

"""The shelf report as one HTML page that needs nothing else: pictures inside, no scripts, light and dark."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.colors import NOISE_COLOR, Color, assign_colors, is_light
from packed_scenes.aggregate.legend import cut, letterbox, typical_member
from packed_scenes.aggregate.planogram import Differences
from packed_scenes.aggregate.shelf import Share, ShelfReport
from packed_scenes.data.hidden import html_head, html_text
from packed_scenes.data.objects import NOISE

Image = npt.NDArray[np.uint8]

MAX_SIDE = 1600  # pixels of the pictures in the page
THUMB = (72, 72)
QUALITY = 82

STYLE = """
:root{color-scheme:light dark;--paper:#fbfbfa;--ink:#1c1e21;--soft:#5c626b;--line:#dcdfe4;--card:#fff}
@media (prefers-color-scheme:dark){:root{--paper:#15171a;--ink:#e8eaed;--soft:#a0a6ae;--line:#343941;--card:#1e2126}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:1.7rem;margin:.2em 0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2em 0 .6em}
p{color:var(--soft);margin:.3em 0}
img.scene{width:100%;height:auto;border-radius:8px;border:1px solid var(--line)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;margin:16px 0}
.figures div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px}
.figures b{display:block;font-size:1.6rem;line-height:1.2}
.figures span{color:var(--soft);font-size:.85rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--soft);font-weight:600;font-size:.85rem}
th,td{padding:6px 10px;border-bottom:1px solid var(--line)}
td.n,th.n{text-align:right}
td img{display:block;width:48px;height:48px;object-fit:contain}
.tag{display:inline-block;min-width:2.2em;text-align:center;padding:1px 8px;border-radius:6px;font-weight:700}
.bar{display:flex;height:30px;border-radius:6px;overflow:hidden;border:1px solid var(--line);margin:4px 0 12px}
.bar span{overflow:hidden;white-space:nowrap;text-align:center;font-size:.8rem;font-weight:700;line-height:28px}
.bar span{flex-basis:0;min-width:0}
.share{background:var(--line);border-radius:4px;height:8px;min-width:70px}
.share i{display:block;height:8px;border-radius:4px;background:#3b82f6}
"""


def shelf_page(
    report: ShelfReport,
    image: Image,
    overlay: Image,
    *,
    colors: Mapping[int, Color] | None = None,
    differences: Differences | None = None,
    difference_picture: Image | None = None,
    expected: str = "the plan",
) -> str:
    """Write the page.

    Args:
        report: what stands on the shelf.
        image: its photo, (H, W, 3) uint8 RGB; crops of the products are cut from it.
        overlay: the photo with its congregations.
        colors: cluster -> colour, as on the overlay; None = of this scene alone.
        differences: against a planogram or another photo.
        difference_picture: from :func:`packed_scenes.aggregate.difference.draw_differences`.
        expected: what it was compared with, for the text.

    Returns:
        HTML text. Names are escaped, so they can hold anything.
    """
    colors = assign_colors([report.objects]) if colors is None else colors
    known = [s for s in report.totals if s.cluster != NOISE]
    unknown = sum(s.facings for s in report.totals if s.cluster == NOISE)
    figures = [("facings", len(report.objects)), ("products", len(known)), ("shelf boards", report.rows.count)]
    figures += [("possible gaps", len(report.gaps)), ("not recognised", unknown)]
    title = f"Shelf report: {report.scene}"
    body = [f"<h1>{html_text(title)}</h1>", '<div class="figures">']
    body += [f"<div><b>{value}</b><span>{name}</span></div>" for name, value in figures]
    body += ["</div>", _picture(overlay, "The shelf with its products marked")]
    if differences is not None:
        body += _difference_part(differences, difference_picture, expected)
    body += ["<h2>Share of shelf</h2>", _share_table(report, image, colors)]
    body += ["<h2>Board by board</h2>", *_board_bars(report, colors)]
    body += ["<h2>Possible gaps</h2>", _gap_table(report)]
    return f"{html_head(title, style=STYLE)}<main>\n" + "\n".join(body) + "\n</main></body></html>\n"


def _difference_part(differences: Differences, picture: Image | None, expected: str) -> list[str]:
    counts = f"{len(differences.missing)} missing, {len(differences.moved)} moved, {len(differences.extra)} extra"
    unseen = f"; {differences.unseen} lie outside the other photo" if differences.unseen else ""
    if differences.joined:
        unseen += f"; {differences.joined} are shown in one box with others by the other photo, they are not judged"
    part = [
        f"<h2>Compared with {html_text(expected)}</h2>",
        f"<p>{differences.agreement:.0%} of the expected facings stand where they should: {counts}{unseen}.</p>",
    ]
    if picture is not None:
        part.append(_picture(picture, "Missing (red), moved (orange) and extra (blue) facings"))
    rows = [("missing", s.product, f"board {s.row}, place {s.position}", "") for s in differences.missing]
    rows += [
        ("moved", a.product, f"board {a.row}, place {a.position}", f"board {b.row}, place {b.position}")
        for a, b in differences.moved
    ]
    rows += [("extra", s.product, "", f"board {s.row}, place {s.position}") for s in differences.extra]
    if rows:
        part.append(
            _table(("", "product", "expected at", "found at"), [[html_text(cell) for cell in row] for row in rows])
        )
    return part


def _share_table(report: ShelfReport, image: Image, colors: Mapping[int, Color]) -> str:
    if not report.totals:
        return "<p>No objects on this shelf.</p>"
    crop = {s.cluster: report.objects.xyxy[typical_member(report.objects, s.cluster)] for s in report.totals}
    boards: dict[int, list[int]] = {}
    for line in report.lines:
        boards.setdefault(line.cluster, []).append(line.row)
    rows = [
        [
            f'<img alt="" src="{data_uri(letterbox(cut(image, crop[s.cluster]), THUMB))}">',
            _tag(s, colors),
            str(s.facings),
            str(s.places),
            f'{s.of_count:.1%}<div class="share"><i style="width:{s.of_count:.1%}"></i></div>',
            f"{s.of_area:.1%}",
            ", ".join(str(row) for row in sorted(boards[s.cluster])),
        ]
        for s in report.totals
    ]
    return _table(("", "product", "facings", "places", "share by count", "by area", "boards"), rows, numbers=(2, 3, 5))


def _board_bars(report: ShelfReport, colors: Mapping[int, Color]) -> list[str]:
    """Draw each board as a bar: products in the order they stand, as wide as their places."""
    cluster, rows = report.objects.cluster, report.rows
    assert cluster is not None
    share = {s.cluster: s for s in report.totals}
    bars = []
    for row in range(rows.count):
        on_board = np.flatnonzero((rows.row == row) & (rows.level == 0))
        standing = cluster[on_board[np.argsort(rows.stack[on_board])]]
        starts = np.flatnonzero(np.append(True, standing[1:] != standing[:-1]))
        parts = []
        for begin, size in zip(starts.tolist(), np.diff(np.append(starts, len(standing))).tolist(), strict=True):
            one = share[int(standing[begin])]
            text = f"{html_text(one.name)}{f' x {size}' if size > 1 else ''}"
            parts.append(f'<span style="flex-grow:{size};{_paint(one.cluster, colors)}" title="{text}">{text}</span>')
        bars.append(
            f'<p>Board {row + 1}: {int((rows.row == row).sum())} facings</p><div class="bar">{"".join(parts)}</div>'
        )
    return bars


def _gap_table(report: ShelfReport) -> str:
    if not report.gaps:
        return "<p>No free stretch between neighbours is wide enough for a missing facing.</p>"
    rows = [[str(g.row), html_text(g.left), html_text(g.right), str(g.room)] for g in report.gaps]
    note = "<p>Free stretches between two products. Space at the ends of a board is not judged.</p>"
    return note + _table(("board", "right of", "left of", "room for about"), rows, numbers=(0, 3))


def _table(head: tuple[str, ...], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> str:
    """Write a table; cells are HTML already."""

    def line(cells: list[str], kind: str) -> str:
        return "".join(f"<{kind}{' class=n' if at in numbers else ''}>{cell}</{kind}>" for at, cell in enumerate(cells))

    body = "\n".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    top = f"<thead><tr>{line(list(head), 'th')}</tr></thead>"
    return f'<div class="wide"><table>{top}<tbody>\n{body}\n</tbody></table></div>'


def _tag(share: Share, colors: Mapping[int, Color]) -> str:
    return f'<span class="tag" style="{_paint(share.cluster, colors)}">{html_text(share.name)}</span>'


def _paint(cluster: int, colors: Mapping[int, Color]) -> str:
    color = NOISE_COLOR if cluster == NOISE else colors[cluster]
    return f"background:rgb{color};color:{'#000' if is_light(color) else '#fff'}".replace(" ", "")


def _picture(image: Image, text: str) -> str:
    return f'<img class="scene" alt="{html_text(text)}" src="{data_uri(fitted(image))}">'


def fitted(image: Image, *, longest: int = MAX_SIDE) -> Image:
    """Reduce a picture so that its longer side has at most ``longest`` pixels."""
    import cv2

    scale = longest / max(image.shape[:2])
    return np.asarray(
        image if scale >= 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    )


def data_uri(image: Image) -> str:
    """Hold a picture, (H, W, 3) uint8 RGB, as a JPEG in a data URI."""
    import cv2

    _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()

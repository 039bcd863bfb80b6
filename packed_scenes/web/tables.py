"""Tables as plain HTML: readable by every browser and screen reader, scrolling sideways on a phone."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

STYLE = """
<style>
.tablebox { overflow: auto; border: 1px solid rgba(128,128,128,.35); border-radius: 10px; }
.tablebox table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
.tablebox th { position: sticky; top: 0; text-align: left; font-weight: 600; padding: 8px 12px; backdrop-filter: blur(8px);
  background: rgba(128,128,128,.22); white-space: nowrap; }
.tablebox td { padding: 5px 12px; border-top: 1px solid rgba(128,128,128,.22); }
.tablebox img { display: block; width: 44px; height: 44px; object-fit: contain; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 12px; }
.figures div { border: 1px solid rgba(128,128,128,.35); border-radius: 10px; padding: 10px 14px; }
.figures span { font-size: .88rem; opacity: .8; display: block; }
.figures b { font-size: 1.7rem; line-height: 1.2; font-weight: 600; }
.tablebox .track { display: inline-block; width: 90px; height: 8px; border-radius: 4px; background: rgba(128,128,128,.3); margin-right: 8px; }
.tablebox .track i { display: block; height: 8px; border-radius: 4px; background: #1f9d78; }
</style>
"""  # noqa: E501


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, height: int | None = None) -> str:
    """Write a table; the cells are HTML, so texts of people must be escaped before."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    limit = f' style="max-height:{height}px"' if height else ""
    return (
        f'{STYLE}<div class="tablebox" tabindex="0"{limit}><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def figures(values: Mapping[str, int]) -> str:
    """Show a few numbers, large."""
    boxes = "".join(f"<div><span>{escape(name)}</span><b>{value}</b></div>" for name, value in values.items())
    return f'{STYLE}<div class="figures">{boxes}</div>'


def picture_cell(jpeg: bytes) -> str:
    """Show a small picture."""
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'


def bar_cell(share: float) -> str:
    """Show a share as a bar and a number."""
    return f'<span class="track"><i style="width:{share:.1%}"></i></span>{share:.1%}'

"""From boxes and identities to congregations: where each identity stands, drawn on the picture, as tables and reports.

Nothing heavy is imported here; names load on first use.
"""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from aggregate.adjoin import ScaleBy as ScaleBy
    from aggregate.colors import assign_colors as assign_colors
    from aggregate.colors import colors_of as colors_of
    from aggregate.congregations import DEFAULT_REACH as DEFAULT_REACH
    from aggregate.congregations import Congregation as Congregation
    from aggregate.congregations import aggregate as aggregate
    from aggregate.difference import draw_differences as draw_differences
    from aggregate.overlay import draw_overlay as draw_overlay
    from aggregate.page import shelf_page as shelf_page
    from aggregate.planogram import Differences as Differences
    from aggregate.planogram import compare_layouts as compare_layouts
    from aggregate.planogram import differences_csv as differences_csv
    from aggregate.planogram import layout_of as layout_of
    from aggregate.planogram import planogram_csv as planogram_csv
    from aggregate.planogram import read_planogram as read_planogram
    from aggregate.rows import Rows as Rows
    from aggregate.rows import find_rows as find_rows
    from aggregate.sheet import ContactSheet as ContactSheet
    from aggregate.shelf import ShelfReport as ShelfReport
    from aggregate.shelf import gaps_csv as gaps_csv
    from aggregate.shelf import shelf_csv as shelf_csv
    from aggregate.shelf import shelf_report as shelf_report
    from aggregate.tables import congregations_json as congregations_json
    from aggregate.tables import objects_csv as objects_csv

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Congregation": "congregations",
        "ContactSheet": "sheet",
        "DEFAULT_REACH": "congregations",
        "Differences": "planogram",
        "Rows": "rows",
        "ScaleBy": "adjoin",
        "ShelfReport": "shelf",
        "aggregate": "congregations",
        "assign_colors": "colors",
        "colors_of": "colors",
        "compare_layouts": "planogram",
        "congregations_json": "tables",
        "differences_csv": "planogram",
        "draw_differences": "difference",
        "draw_overlay": "overlay",
        "find_rows": "rows",
        "gaps_csv": "shelf",
        "layout_of": "planogram",
        "objects_csv": "tables",
        "planogram_csv": "planogram",
        "read_planogram": "planogram",
        "shelf_csv": "shelf",
        "shelf_page": "page",
        "shelf_report": "shelf",
    },
)

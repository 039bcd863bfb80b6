"""From boxes and identities to congregations: where each identity stands, drawn on the picture, as tables and reports.

Nothing heavy is imported here; names load on first use.
"""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.aggregate.adjacency import ScaleBy as ScaleBy
    from packed_scenes.aggregate.colors import assign_colors as assign_colors
    from packed_scenes.aggregate.colors import colors_of as colors_of
    from packed_scenes.aggregate.congregations import DEFAULT_REACH as DEFAULT_REACH
    from packed_scenes.aggregate.congregations import Congregation as Congregation
    from packed_scenes.aggregate.congregations import aggregate as aggregate
    from packed_scenes.aggregate.difference import draw_differences as draw_differences
    from packed_scenes.aggregate.overlay import draw_overlay as draw_overlay
    from packed_scenes.aggregate.page import shelf_page as shelf_page
    from packed_scenes.aggregate.planogram import Differences as Differences
    from packed_scenes.aggregate.planogram import compare_layouts as compare_layouts
    from packed_scenes.aggregate.planogram import differences_csv as differences_csv
    from packed_scenes.aggregate.planogram import layout_of as layout_of
    from packed_scenes.aggregate.planogram import planogram_csv as planogram_csv
    from packed_scenes.aggregate.planogram import read_planogram as read_planogram
    from packed_scenes.aggregate.rows import Rows as Rows
    from packed_scenes.aggregate.rows import find_rows as find_rows
    from packed_scenes.aggregate.sheet import ContactSheet as ContactSheet
    from packed_scenes.aggregate.shelf import ShelfReport as ShelfReport
    from packed_scenes.aggregate.shelf import gaps_csv as gaps_csv
    from packed_scenes.aggregate.shelf import shelf_csv as shelf_csv
    from packed_scenes.aggregate.shelf import shelf_report as shelf_report
    from packed_scenes.aggregate.tables import congregations_json as congregations_json
    from packed_scenes.aggregate.tables import objects_csv as objects_csv

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Congregation": "congregations",
        "ContactSheet": "sheet",
        "DEFAULT_REACH": "congregations",
        "Differences": "planogram",
        "Rows": "rows",
        "ScaleBy": "adjacency",
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

"""From boxes and identities to congregations: where each identity stands, drawn on the picture, as tables and reports.

Nothing heavy is imported here; names load on first use.
"""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from aggregate.adjoin import ScaleBy as ScaleBy
    from aggregate.colors import assign_colors as assign_colors
    from aggregate.congregations import DEFAULT_REACH as DEFAULT_REACH
    from aggregate.congregations import Congregation as Congregation
    from aggregate.congregations import aggregate as aggregate
    from aggregate.overlay import draw_overlay as draw_overlay
    from aggregate.sheet import ContactSheet as ContactSheet
    from aggregate.tables import congregations_json as congregations_json
    from aggregate.tables import objects_csv as objects_csv

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Congregation": "congregations",
        "ContactSheet": "sheet",
        "DEFAULT_REACH": "congregations",
        "ScaleBy": "adjoin",
        "aggregate": "congregations",
        "assign_colors": "colors",
        "congregations_json": "tables",
        "draw_overlay": "overlay",
        "objects_csv": "tables",
    },
)

"""Why are these two alike, and which members of a cluster are in doubt: pictures of both."""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.explain.clusters import draw_clusters as draw_clusters
    from packed_scenes.explain.clusters import read_labels as read_labels
    from packed_scenes.explain.pairs import draw_pairs as draw_pairs
    from packed_scenes.explain.pairs import load_explained as load_explained

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"draw_clusters": "clusters", "draw_pairs": "pairs", "load_explained": "pairs", "read_labels": "clusters"},
)

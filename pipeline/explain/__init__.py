"""Why are these two alike, and which members of a cluster are in doubt: pictures of both."""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from pipeline.explain.clusters import draw_clusters as draw_clusters
    from pipeline.explain.clusters import read_labels as read_labels
    from pipeline.explain.pairs import draw_pairs as draw_pairs
    from pipeline.explain.pairs import load_explained as load_explained

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"draw_clusters": "clusters", "draw_pairs": "pairs", "load_explained": "pairs", "read_labels": "clusters"},
)

"""A better embedding of one collection from its own clusters, and the list of doubtful crops that a person can edit."""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.refining.loop import Options as Options
    from packed_scenes.refining.loop import Refined as Refined
    from packed_scenes.refining.loop import refine_crops as refine_crops
    from packed_scenes.refining.outputs import save_refined as save_refined
    from packed_scenes.refining.review import Review as Review
    from packed_scenes.refining.review import read_review as read_review

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Options": "loop",
        "Refined": "loop",
        "Review": "review",
        "read_review": "review",
        "refine_crops": "loop",
        "save_refined": "outputs",
    },
)

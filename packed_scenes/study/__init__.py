"""The study: many descriptors, many clusterings, what they find, and a report that a person can read."""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.study.collection import Collection as Collection
    from packed_scenes.study.collection import Descriptor as Descriptor
    from packed_scenes.study.collection import gather as gather
    from packed_scenes.study.options import StudyOptions as StudyOptions
    from packed_scenes.study.study import StudyResult as StudyResult
    from packed_scenes.study.study import run_study as run_study

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Collection": "collection", "Descriptor": "collection", "StudyOptions": "options", "StudyResult": "study",
        "gather": "collection", "run_study": "study",
    },
)  # fmt: skip

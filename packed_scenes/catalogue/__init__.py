"""The catalogue: everything analysed so far, to ask, to correct and to search; see its README.md."""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.catalogue.catalogue import Catalogue as Catalogue
    from packed_scenes.catalogue.records import Added as Added
    from packed_scenes.catalogue.records import Embedding as Embedding
    from packed_scenes.catalogue.records import Entry as Entry
    from packed_scenes.catalogue.records import Identity as Identity
    from packed_scenes.catalogue.records import SceneRecord as SceneRecord
    from packed_scenes.catalogue.records import Share as Share
    from packed_scenes.catalogue.records import Sighting as Sighting
    from packed_scenes.catalogue.records import Vectors as Vectors

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Catalogue": "catalogue", "Added": "records", "Embedding": "records", "Entry": "records", "Identity": "records",
        "SceneRecord": "records", "Share": "records", "Sighting": "records", "Vectors": "records",
    },
)  # fmt: skip

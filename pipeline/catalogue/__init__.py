"""The catalogue: everything analysed so far, to ask, to correct and to search; see its README.md."""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from pipeline.catalogue.catalogue import Catalogue as Catalogue
    from pipeline.catalogue.records import Added as Added
    from pipeline.catalogue.records import Embedding as Embedding
    from pipeline.catalogue.records import Entry as Entry
    from pipeline.catalogue.records import Identity as Identity
    from pipeline.catalogue.records import SceneRecord as SceneRecord
    from pipeline.catalogue.records import Share as Share
    from pipeline.catalogue.records import Sighting as Sighting
    from pipeline.catalogue.records import Vectors as Vectors

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Catalogue": "catalogue", "Added": "records", "Embedding": "records", "Entry": "records", "Identity": "records",
        "SceneRecord": "records", "Share": "records", "Sighting": "records", "Vectors": "records",
    },
)  # fmt: skip

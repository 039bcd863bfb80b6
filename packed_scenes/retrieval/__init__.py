"""Find it again: nearest vectors of a catalogue or a run, and whose they are."""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.retrieval.hits import Answer as Answer
    from packed_scenes.retrieval.hits import Hit as Hit
    from packed_scenes.retrieval.index import Kind as Kind
    from packed_scenes.retrieval.index import VectorIndex as VectorIndex
    from packed_scenes.retrieval.query import Query as Query
    from packed_scenes.retrieval.query import embed_queries as embed_queries
    from packed_scenes.retrieval.query import read_queries as read_queries
    from packed_scenes.retrieval.search import Searcher as Searcher

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Answer": "hits", "Hit": "hits", "Kind": "index", "Query": "query", "Searcher": "search",
        "VectorIndex": "index", "embed_queries": "query", "read_queries": "query",
    },
)  # fmt: skip

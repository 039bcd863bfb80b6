"""Stage ``search``: one query at a time in a large collection, ours beside faiss as it comes and a plain product."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .inputs import Work
from .record import Found, Table
from .timing import Timed, ratio

ROWS = 250_000
DIMENSION = 128
TOP = 10
HNSW_UP_TO = 100_000  # vectors: above, making its graph takes longer than all else here


def run(work: Work) -> Found:
    """Exact search beside faiss and numpy, then the kinds of index."""
    from packed_scenes.retrieval.index import VectorIndex
    from packed_scenes.retrieval.measure import measure, synthetic

    count = work.rows or (3_000 if work.tiny else ROWS)
    asked = 10 if work.tiny else 100
    vectors, queries = synthetic(count, DIMENSION, asked, seed=0)
    index = VectorIndex(vectors, kind="exact", device="cpu")
    jobs: dict[str, Any] = {
        "ours, exact": lambda query: index.search(query, TOP)[1][0],
        "numpy, product and partition": lambda query: _brute(vectors, query),
    }
    found = Found()
    try:
        import faiss
    except ImportError:
        found.skipped.append("faiss is not installed")
    else:
        flat = faiss.IndexFlatIP(DIMENSION)
        flat.add(vectors)
        jobs["faiss IndexFlatIP"] = lambda query: flat.search(query, TOP)[1][0]
    timed = {name: Timed() for name in jobs}
    results: dict[str, list[Any]] = {name: [] for name in jobs}
    for number in range(len(queries)):
        query = queries[number : number + 1]
        for name, search in jobs.items():
            if number == 0:
                search(query)
            results[name].append(timed[name].add(partial(search, query)))
    exact = results["ours, exact"]
    rows = [
        {
            "search": name,
            "same results": float(np.mean([set(a) == set(b) for a, b in zip(exact, results[name], strict=True)])),
        }
        | times.row()
        | ({} if name == "ours, exact" else ratio(times, timed["ours, exact"]))
        for name, times in timed.items()
    ]
    title = f"{count:,} x {DIMENSION} vectors, one query at a time, the {TOP} nearest"
    found.tables.append(Table(title, rows, plot="bars", by="search"))
    kinds = ("exact", "ivf", *(["hnsw"] if 50_000 <= count <= HNSW_UP_TO else []))
    measured = measure(count=count, dimension=DIMENSION, kinds=kinds, queries=asked, top=TOP, device="cpu")
    note = "`recall` is over the whole top 10, of which six or seven are true partners and the rest unrelated."
    found.tables.append(Table("kinds of index", [row.to_json() for row in measured], note))
    return found


def _brute(vectors: Any, query: Any) -> Any:
    similarity = vectors @ query[0]
    best = np.argpartition(-similarity, TOP)[:TOP]
    return best[np.argsort(-similarity[best])]

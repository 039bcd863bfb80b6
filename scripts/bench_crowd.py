"""Scores a run on frames with given boxes against the persons of the same table: `pedestrians` of the shared data.

Examples:
    uv run scripts/analyze.py ../shared/data/pedestrians/frames --boxes ../shared/data/pedestrians/labels.csv \
        --every 2 --preset crowd --linked --out runs/crowd
    uv run scripts/bench_crowd.py runs/crowd ../shared/data/pedestrians/labels.csv
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer


def truth_of(labels: Path) -> dict[int, list[int]]:
    """Person of every box, by frame, in the order of the table; 0 = no person."""
    from packed_scenes.data.tables import read_table

    found: dict[int, list[int]] = defaultdict(list)
    for _, row in read_table(labels, "frame", "person_id").records():
        found[int(row["frame"])].append(int(row["person_id"]))
    return found


def main(
    run: Annotated[Path, typer.Argument(help="Run folder of packed-scenes analyze.")],
    labels: Annotated[Path, typer.Argument(help="Table with the columns frame and person_id.")],
) -> None:
    """Print one JSON line: identities of the run against the persons; boxes of person 0 are left out."""
    import numpy as np
    import pyarrow.parquet as pq

    from packed_scenes.cluster import score
    from packed_scenes.tracking import frame_of

    table = pq.read_table(run / "objects.parquet", columns=["scene", "object_id", "cluster"])
    truth = truth_of(labels)
    place = [(frame_of(name), int(row)) for name, row in zip(*(table[c].to_pylist() for c in ("scene", "object_id")))]  # noqa: B905
    person = np.array([0 if at is None else truth[at[1]][row] for at, row in place])
    cluster = table["cluster"].to_numpy()
    known = person > 0
    found = score(person[known], cluster[known])
    size = np.unique(cluster[known], return_counts=True)[1]
    result = {
        "boxes": int(known.sum()), "persons": found.k_true, "identities": found.k_pred,
        "identities_of_5_boxes_or_more": int((size >= 5).sum()),
        "bcubed_f": found.bcubed_f, "bcubed_precision": found.bcubed_precision, "bcubed_recall": found.bcubed_recall,
        "pairwise_f": found.pairwise_f, "pairwise_precision": found.pairwise_precision,
        "pairwise_recall": found.pairwise_recall, "ARI": found.ARI,
    }  # fmt: skip
    typer.echo(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in result.items()}))


if __name__ == "__main__":
    typer.run(main)

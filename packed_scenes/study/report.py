"""The report: one HTML page that holds its pictures and asks nothing of the network, read from top to bottom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.labels import Labels
from packed_scenes.data.hidden import html_text
from packed_scenes.markup import duration, number, page, picture, table
from packed_scenes.study.against import sentences, verdicts
from packed_scenes.study.collection import Collection
from packed_scenes.study.ledger import Row
from packed_scenes.study.study import StudyResult

TABLE = 40  # models in the table of the best
MORE = """
.lead{font-size:1.05rem;color:var(--ink)}
img.wide{width:100%;height:auto;border:1px solid var(--line);border-radius:8px;background:#fff;margin:8px 0}
table{font-size:.9rem}
tr.won td{font-weight:700}
code{background:var(--card);border:1px solid var(--line);border-radius:4px;padding:0 4px;overflow-wrap:anywhere}
td code{overflow-wrap:normal}
.note{border-left:4px solid #d08700;padding-left:12px}
"""


@dataclass
class Pictures:
    """Pictures of a study that the page shows; None where there is none. ``shown`` says which rows the maps show."""

    kmeans: Path | None = None
    scores: Path | None = None
    truth: Path | None = None
    counts: Path | None = None
    maps: Path | None = None
    truth_maps: Path | None = None
    sheet: Path | None = None
    outliers: Path | None = None
    shown: str = ""


def report_page(result: StudyResult, row: Row, labels: Labels, pictures: Pictures) -> str:
    """Write the page about a study and one of its models (the winner, as a rule)."""
    parts = [
        *_top(result), *_winner(result, row), *_truth(result, pictures), *_clusters(result, labels, pictures),
        *_maps(pictures), *_curves(pictures), *_spaces(result), *_outliers(pictures), *models_section(result),
        *_reading(),
    ]  # fmt: skip
    return page("Study", parts, style=MORE)


def _top(result: StudyResult) -> list[str]:
    rows, collection = result.rows, result.collection
    methods = list(dict.fromkeys(row.method for row in rows))
    tiles = [
        (f"{collection.rows:,}", "crops" if collection.paths else "rows"),
        (str(len(collection.descriptors)), "descriptors"),
        (str(len({row.space for row in rows})), "spaces (descriptor x preparation)"),
        (f"{len(rows):,}", "models fitted and scored"),
        (duration(sum(row.seconds + row.shared_seconds + row.score_seconds for row in rows)), "of fitting and scoring"),
    ]
    if collection.failed:
        tiles.append((str(len(collection.failed)), "unreadable crops (errors.csv)"))
    tried = ", ".join(f"{sum(r.method == m for r in rows)} {m}" for m in methods)
    refined = sum(row.round > 0 for row in rows)
    return [
        "<h1>What is in these pictures?</h1>",
        '<p class="lead">Many descriptors and clusterings were tried; this page says which one reveals most, why it '
        "was chosen, and what its groups look like.</p>",
        '<div class="figures">',
        *(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in tiles),
        "</div>",
        f"<p>Tried: {tried}; {refined} of them in rounds of refinement around the best of each space.</p>",
    ]


def _winner(result: StudyResult, shown: Row) -> list[str]:
    if not result.choices:
        return ["<h2>No winner</h2><p>Every model is out of the running: see the table below.</p>"]
    first = result.choices[0]
    row = result.row(first.candidate.key)
    part = [
        "<h2>The winner, and why</h2>",
        f'<p class="lead"><b>{html_text(row.model)}</b> on <b>{html_text(row.space)}</b>: {row.clusters} clusters, '
        f"{row.noise:.1%} noise, silhouette {first.candidate.silhouette:.3f}, stability {first.stability:.2f}.</p>",
        "<p>The rule: models with fewer than two clusters, with more than one cluster for five rows, with a cluster of "
        "more than nine tenths, or with more than half noise are out. The others are ordered by how far the silhouette "
        "lies above that of structureless rows in the same space (few dimensions make anything look compact), every "
        f"noise row counting 0 ({html_text(_judging(row))}). The best dozen, at most three of a space, are fitted "
        "twice again on overlapping parts of the rows; the order below is by that quality times the agreement of the "
        "two (stability). Calinski-Harabasz and Davies-Bouldin have no voice: they fail where clusters are small.</p>",
    ]
    body = [
        [
            html_text(one.space), f"<code>{html_text(one.model)}</code>", str(one.clusters), f"{one.noise:.1%}",
            f"{choice.candidate.silhouette:.3f}", f"{choice.candidate.reference:.3f}",
            f"{choice.candidate.quality:.3f}", f"{choice.stability:.2f}", f"{choice.score:.3f}", number(one.ari),
        ]
        for choice in result.choices for one in [result.row(choice.candidate.key)]
    ]  # fmt: skip
    head = (
        "space", "model", "clusters", "noise", "silhouette", "of nothing", "quality", "stability", "score",
        "ARI (truth)",
    )  # fmt: skip
    part.append(table(head, body, first=True, drop=() if row.ari == row.ari else (9,)))
    if shown.key != row.key:
        part.append(
            f'<p class="note">The pictures below show another model, as asked: <b>{html_text(shown.model)}</b> on '
            f"{html_text(shown.space)}.</p>"
        )
    return part


def _truth(result: StudyResult, pictures: Pictures) -> list[str]:
    winner, best = result.winner, result.true_best
    if winner is None or best is None:
        return []
    head = ("", "space", "model", "clusters", "noise", "silhouette", "ARI", "AMI", "BCubed F")
    named = [("the rule's winner", winner), ("best by truth", best)]
    named += [(f"favourite of {v.name}", v.row) for v in verdicts(result)]
    body = [
        [
            html_text(name), html_text(r.space), f"<code>{html_text(r.model)}</code>", str(r.clusters),
            f"{r.noise:.1%}",
            number(r.judged), number(r.ari), number(r.ami), number(r.bcubed_f),
        ]
        for name, r in named
    ]  # fmt: skip
    return [
        "<h2>Beside the truth</h2>",
        f"<p>{winner.clusters_true} true groups; noise counts as a group of its own for every row.</p>",
        table(head, body, first=True),
        picture(pictures.truth, "ARI against each internal score"),
        "<h2>Where internal scores mislead here</h2>",
        *(f"<p>{html_text(line)}</p>" for line in sentences(result)),
    ]


def _clusters(result: StudyResult, labels: Labels, pictures: Pictures) -> list[str]:
    collection = result.collection
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    part = ["<h2>What each cluster looks like</h2>"]
    if pictures.sheet is not None:
        part.append("<p>One row for each cluster, the largest first; from the most typical crop to the least.</p>")
    part += [picture(pictures.sheet, "Crops of each cluster"), picture(pictures.counts, "Rows in each cluster")]
    if collection.truth is not None:
        part += ["<p>What the clusters hold by the truth:</p>", _content(collection, labels, sizes)]
    return part


def _content(collection: Collection, labels: Labels, sizes: npt.NDArray[np.int64]) -> str:
    truth = collection.truth
    assert truth is not None
    body = []
    for cluster in range(min(len(sizes), TABLE)):
        inside = truth[(labels == cluster) & (truth >= 0)]
        counts = np.bincount(inside, minlength=len(collection.truth_names))
        top = [int(c) for c in np.argsort(-counts, kind="stable")[:3] if counts[c]]
        text = ", ".join(f"{html_text(collection.truth_names[c])} {counts[c] / max(len(inside), 1):.0%}" for c in top)
        body.append([str(cluster), f"{sizes[cluster]:,}", text])
    return table(("cluster", "rows", "most frequent true groups"), body, numbers=(1,))


def _maps(pictures: Pictures) -> list[str]:
    if pictures.maps is None:
        return []
    return [
        "<h2>Maps</h2>",
        f"<p>The winner's space, {html_text(pictures.shown)}. A map bends distances: read neighbourhoods, not gaps. To "
        'turn and hover: <a href="umap_2d.html">umap_2d.html</a>, <a href="umap_3d.html">umap_3d.html</a> beside this '
        "page.</p>",
        picture(pictures.maps, "Maps coloured by cluster"),
        picture(pictures.truth_maps, "The same maps coloured by truth"),
    ]


def _curves(pictures: Pictures) -> list[str]:
    return [
        "<h2>Scores against the number of clusters</h2>",
        picture(pictures.kmeans, "KMeans: inertia and silhouette against k"),
        picture(pictures.scores, "Internal scores of every model against its clusters"),
    ]


def _spaces(result: StudyResult) -> list[str]:
    body = []
    for space in dict.fromkeys(row.space for row in result.rows):
        here = [row for row in result.rows if row.space == space]
        kept = sorted((r for r in here if not r.fault), key=lambda r: -result.candidate(r).quality)
        top = kept[0] if kept else None
        true = [row.ari for row in here if row.ari == row.ari]
        body.append(
            [
                html_text(space), str(here[0].dimensions), str(len(here)), str(len(kept)),
                "" if top is None else f"<code>{html_text(top.model)}</code>", "" if top is None else str(top.clusters),
                "" if top is None else f"{result.candidate(top).quality:.3f}", "" if top is None else number(top.ari),
                number(max(true, default=math.nan)),
            ]
        )  # fmt: skip
    head = (
        "space", "dimensions", "models", "in the running", "its best", "clusters", "quality", "ARI",
        "best ARI of the space",
    )  # fmt: skip
    return [
        "<h2>Descriptors and preparations compared</h2>",
        table(head, body, drop=() if any(r.ari == r.ari for r in result.rows) else (7, 8)),
    ]


def _outliers(pictures: Pictures) -> list[str]:
    text = (
        "<h2>Outliers</h2><p>Ranked in outliers.csv by the mean rank of four witnesses: GLOSH, the mean distance to "
        "ten neighbours, noise of DBSCAN at the knee, and an autoencoder's reconstruction error where there is one.</p>"
    )
    return [text, picture(pictures.outliers, "The strangest crops, first to last")]


def models_section(result: StudyResult) -> list[str]:
    """The table of the best models, those with equal scores once, as pieces of HTML."""
    running = sorted((r for r in result.rows if not r.fault), key=lambda r: -result.candidate(r).quality)
    seen: dict[tuple[object, ...], Row] = {}
    for r in running:  # other parameters often give the same clusters
        seen.setdefault((r.space, r.clusters, *(round(v, 3) for v in (r.noise, r.judged, r.davies_bouldin))), r)
    kept = list(seen.values())[:TABLE]
    body = [
        [
            f"<code>{r.key}</code>", html_text(r.space), f"<code>{html_text(r.model)}</code>", str(r.clusters),
            f"{r.noise:.1%}", number(r.judged), f"{r.calinski_harabasz:,.0f}",
            number(r.davies_bouldin), number(r.ari), f"{r.seconds:.2f}",
        ]
        for r in kept
    ]  # fmt: skip
    head = (
        "key", "space", "model", "clusters", "noise", "silhouette", "Calinski-Harabasz", "Davies-Bouldin", "ARI",
        "seconds",
    )  # fmt: skip
    drop = () if any(r.ari == r.ari for r in result.rows) else (8,)
    out = sum(bool(r.fault) for r in result.rows)
    return [
        f"<h2>The best {len(kept)} of {len(result.rows)} models</h2>",
        f"<p>{out} models are out of the running; {len(running) - len(seen)} that come out as a better or equal one in "
        "the same space are not repeated here. All of them, with time and memory, are in scores.csv and "
        "scores.parquet.</p>",
        table(head, body, drop=drop),
    ]


def _reading() -> list[str]:
    return [
        "<h2>How to read this, and how to go on</h2>",
        '<p class="note">A silhouette says how compact and separate groups are in one descriptor\'s own distances. It '
        "does not know which question you ask: a descriptor that sees colour groups by colour, one that sees pose by "
        "pose, and no number says which of them you meant. Look at the pictures of "
        "each cluster before you rely on a number.</p>",
        "<p>Show another model: the same command with <code>--model KEY</code>. Pictures of one cluster: "
        "<code>--show 3</code> (<code>--show -1</code> = noise). Sort the crops into folders: "
        "<code>--folders links</code>. More descriptors or another grid with the same <code>--out</code>: what is done "
        "is not done again.</p>",
    ]


def _judging(row: Row) -> str:
    if row.sampled:
        return f"a {row.silhouette_rule} rows of {row.rows:,} judged by root mean square distances to whole clusters"
    return "all rows judged"

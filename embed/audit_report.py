"""The audit of a folder as files: JSON, pictures, a page to read; and the cleaned list of crops."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.files import atomic_write, write_csv, write_json, write_text
from packed_scenes.data.hidden import POLICY, html_head, html_text
from packed_scenes.data.thresholds import calibrated_threshold
from packed_scenes.embed.audit import Audit, Finding, Kind, audit_vectors, summary
from packed_scenes.embed.embedder import Embedder
from packed_scenes.embed.folders import CropFolder, thumbnail
from packed_scenes.embed.sources import relabel

THUMBNAIL = (24, 36)
SHOWN = 12
STYLE = "body{font:15px sans-serif;margin:2em;max-width:70em}img{max-width:100%}"

TITLES = {
    Kind.DUPLICATE: "Duplicated classes: merged",
    Kind.SLIVER: "Slivers: joined to the class they came from",
    Kind.MIXTURE: "Mixtures: dropped",
    Kind.SPLIT: "Classes of two far groups: kept; look whether they are two products",
    Kind.MISLABELLED: "Mislabelled crops: dropped",
    Kind.COPY: "Copies: one of each kept per class",
}


def audit_folder(
    folder: CropFolder, embedder: Embedder, *, progress: Callable[[int, int], None] | None = None, seed: int = 0
) -> Audit:
    """Embed every crop of a folder and audit it.

    Args:
        folder: labelled crops.
        embedder: its card's calibrated threshold is the yardstick; .2 where it has none.
        progress: called with (done, all) crops.
        seed: of the sampling of large classes.

    Raises:
        InputError: if a file is no readable picture.
    """
    vectors, small, digests = [], [], []
    for start in range(0, len(folder), 256):
        part = folder.select(np.arange(start, min(start + 256, len(folder))))
        canvases = part.canvases(**embedder.cut)
        vectors.append(embedder.embed_canvases(canvases))
        small += [cv2.resize(canvas, THUMBNAIL, interpolation=cv2.INTER_AREA) for canvas in canvases]
        digests += [hashlib.sha256(path.read_bytes()).hexdigest() for path in part.paths]
        if progress is not None:
            progress(min(start + 256, len(folder)), len(folder))
    threshold = calibrated_threshold(embedder.card)
    return audit_vectors(
        np.concatenate(vectors),
        folder.label,
        digests=digests,
        thumbnails=np.stack(small),
        threshold=threshold,
        seed=seed,
    )


def apply_audit(folder: CropFolder, audit: Audit) -> CropFolder:
    """The folder with duplicates and slivers merged, mixtures, mislabelled crops and copies within a class dropped."""
    dropped = np.zeros(len(folder), bool)
    for finding in audit.of(Kind.MISLABELLED):
        dropped[list(finding.rows)] = True
    same, mixed = class_repairs(folder, audit)
    joined = [same.get(name, name) for name in folder.classes]
    for finding in audit.of(Kind.COPY):
        seen: set[str] = set()
        for row in finding.rows:
            name = joined[folder.label[row]]
            dropped[row] |= name in seen
            seen.add(name)
    return relabel(folder.select(~dropped), same=same, dropped=mixed)


def class_repairs(folder: CropFolder, audit: Audit) -> tuple[dict[str, str], tuple[str, ...]]:
    """Classes to merge (name -> name it joins) and to drop: what :func:`packed_scenes.embed.sources.repaired` reads."""
    same: dict[str, str] = {}
    for finding in [*audit.of(Kind.DUPLICATE), *audit.of(Kind.SLIVER)]:
        wrong, right = (folder.classes[c] for c in finding.classes[:2])
        right = same.get(right, right)
        same = {name: right if target == wrong else target for name, target in same.items()} | {wrong: right}
    return same, tuple(folder.classes[f.classes[0]] for f in audit.of(Kind.MIXTURE))


def write_report(folder: CropFolder, audit: Audit, out: str | Path) -> Path:
    """Write the audit as files.

    ``audit.json`` (findings), ``repairs.json`` (classes to merge and to drop), ``clean.csv`` (path and class of what
    stays), pictures of the findings, and ``audit.html`` to read.

    Returns:
        The page's path.
    """
    out = Path(out)
    write_json(out / "audit.json", summary(audit, folder.classes))
    same, dropped = class_repairs(folder, audit)
    write_json(out / "repairs.json", {"same": same, "dropped": list(dropped)})
    clean = apply_audit(folder, audit)
    kept = ((path.as_posix(), clean.classes[c]) for path, c in zip(clean.paths, clean.label, strict=True))
    write_csv(out / "clean.csv", [("path", "class"), *kept])
    body = [
        f"<h1>Label audit</h1><p>{len(folder)} crops in {len(folder.classes)} classes; "
        f"{len(clean)} crops in {len(clean.classes)} classes stay.</p>"
    ]
    for kind, title in TITLES.items():
        findings = audit.of(kind)
        body.append(f"<h2>{html_text(title)} ({len(findings)})</h2>")
        for number, finding in enumerate(findings[:60]):
            name = f"{kind}-{number:03d}.jpg"
            picture = _picture(folder, finding)
            with atomic_write(out / name) as temporary:
                cv2.imwrite(str(temporary), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            between = ", " if kind is Kind.COPY else " → "
            names = between.join(html_text(folder.classes[c]) for c in finding.classes)
            body.append(f'<p><b>{names}</b>: {html_text(finding.note)}<br><img src="{name}" alt="{names}"></p>')
            if kind is Kind.COPY:
                where = ", ".join(html_text(folder.paths[row].as_posix()) for row in finding.rows[:SHOWN])
                body.append(f"<p>{where}</p>")
        if len(findings) > 60:
            body.append(f"<p>{len(findings) - 60} more are in audit.json.</p>")
    head = html_head("Label audit", style=STYLE, policy=POLICY.replace("img-src data:", "img-src 'self' file:"))
    write_text(out / "audit.html", head + "\n".join(body) + "\n</body></html>\n")
    return out / "audit.html"


def _picture(folder: CropFolder, finding: Finding) -> npt.NDArray[np.uint8]:
    if finding.kind in (Kind.MIXTURE, Kind.SPLIT):
        rows = [list(finding.rows[:SHOWN]), list(finding.rows[-SHOWN:])]
    elif finding.kind is Kind.COPY:
        rows = [list(finding.rows[:SHOWN])]
    elif finding.rows:
        right = np.flatnonzero(folder.label == finding.classes[-1])
        rows = [[*finding.rows, *_spread(right, SHOWN - len(finding.rows))]]
    else:
        rows = [_spread(np.flatnonzero(folder.label == c), SHOWN) for c in finding.classes]
    blank = np.full((130, 130, 3), 255, np.uint8)
    lines = []
    for line in rows:
        pictures = [thumbnail(folder.read(row), 128) for row in line]
        lines.append(np.hstack(pictures + [blank] * (SHOWN - len(pictures))))
    return np.vstack(lines)


def _spread(rows: Sequence[int] | npt.NDArray[np.int64], count: int) -> list[int]:
    rows = np.asarray(rows)
    picks = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
    return [int(v) for v in rows[picks]]

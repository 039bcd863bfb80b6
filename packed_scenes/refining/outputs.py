"""The run folder of a refinement: weights with their card, labels, review list, history, sheets, record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.crops import cluster_sheet, label_table
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_csv, write_json, write_text
from packed_scenes.data.images import write_image
from packed_scenes.data.text import load_json
from packed_scenes.provenance import command_line, machine, versions
from packed_scenes.refining.review import review_csv

if TYPE_CHECKING:
    from packed_scenes.refining.loop import Refined


def save_refined(found: Refined, out: Path, *, truth: Sequence[str] | None = None) -> dict[str, Any]:
    """Write ``embedder.safetensors`` and its card, ``labels.csv``, ``review.csv``, ``history.csv``, ``clusters.png``,
    ``before.png``, ``run.json``, and ``errors.csv`` if crops had to be left out; each whole or not at all.

    Args:
        found: the result.
        out: the folder; files of the same name are replaced.
        truth: (N,) identity of each crop, for figures.

    Returns:
        The record that is ``run.json``.

    Raises:
        InputError: if the folder cannot be written.
    """
    from packed_scenes.cluster import membership_evidence
    from packed_scenes.embed.weights import save_weights

    if out.exists() and not out.is_dir():
        raise InputError("is a file, not a folder", file=out, remedy="Choose another --out.")
    refined_on = {
        "crops": len(found.crops), "start": found.card.get("sha256"), "round": found.best,
        "note": "labels were made by clustering; no truth was used", "start_data": found.card.get("data"),
    }  # fmt: skip
    card = {k: v for k, v in found.card.items() if k not in ("sha256", "version")}
    card |= {"name": "refined", "data": refined_on, "refinement": {**asdict(found.options)}}
    trained = trained_round(out)
    if found.best or not trained:
        save_weights(out / "embedder.safetensors", found.network.state_dict(), card)
    else:  # what was trained is not replaced by what was not
        found.warnings.append(
            f"{out / 'embedder.safetensors'}: the embedder of round {trained} of an earlier run stays"
        )
    labels = _with_noise(found)
    before = found.start_labels.tolist()
    write_csv(out / "labels.csv", label_table(found.crops.names, labels, found.probability, cluster_before=before))
    about = membership_evidence(found.vectors, labels, threshold=found.calibrated)
    write_text(out / "review.csv", review_csv(found.crops.names, labels, about))
    fields = list(asdict(found.history[0]))
    write_csv(out / "history.csv", [fields, *([asdict(r)[f] for f in fields] for r in found.history)])
    write_image(out / "clusters.png", cluster_sheet(found.crops.paths, labels, found.probability))
    write_image(out / "before.png", cluster_sheet(found.crops.paths, found.start_labels))
    if found.crops.errors:
        write_csv(out / "errors.csv", [("file", "reason"), *found.crops.errors])
    else:
        (out / "errors.csv").unlink(missing_ok=True)
    made = record(found, labels) | ({} if truth is None else {"scores": scores(found, labels, truth)})
    write_json(out / "run.json", made)
    return made


def trained_round(out: Path) -> int:
    """The round of the embedder that an earlier run left in a folder; 0 if there is none, or it was not trained."""
    from packed_scenes.embed.weights import card_path

    weights = out / "embedder.safetensors"
    try:
        about = load_json(card_path(weights).read_text("utf-8")).get("data") or {}
        return int(about.get("round", 0)) if weights.is_file() else 0
    except (OSError, ValueError, AttributeError, TypeError):
        return 0


def _with_noise(found: Refined) -> npt.NDArray[np.int64]:
    from packed_scenes.cluster import canonical

    gone = np.isin(np.asarray(found.crops.names), np.asarray(found.links.noise, dtype=np.str_))
    return canonical(np.where(gone, -1, found.labels))


def scores(found: Refined, labels: npt.NDArray[np.int64], truth: Sequence[str]) -> dict[str, Any]:
    """Figures before and after: of the loop's own labels, and of the default clusterer with the cameras alone."""
    from packed_scenes import cluster

    made: dict[str, Any] = {}
    for name, X, own in (("before", found.start, found.start_labels), ("after", found.vectors, labels)):
        model = cluster.make("default", calibrated=found.calibrated)
        for method, result in (("as labelled", own), ("default", model.fit_predict(X, scene=found.crops.camera))):
            s = cluster.score(truth, result)
            made[f"{name}, {method}"] = {
                "bcubed_f": round(s.bcubed_f, 4), "pairwise_f": round(s.pairwise_f, 4), "ARI": round(s.ARI, 4),
                "k_pred": s.k_pred, "k_true": s.k_true,
            }  # fmt: skip
    return made


def record(found: Refined, labels: npt.NDArray[np.int64]) -> dict[str, Any]:
    """How it was made, as JSON values."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"), "command": command_line(),
        "folder": str(found.crops.root), "options": asdict(found.options), "seed": found.options.seed,
        "versions": versions(), "machine": machine(), "weights_sha256": {"start": found.card.get("sha256")},
        "counts": {
            "crops": len(found.crops), "errors": len(found.crops.errors), "clusters": int(labels.max(initial=-1)) + 1,
            "clusters_before": int(found.start_labels.max()) + 1, "decisions": len(found.links),
        },
        "clusterer": found.clusterer,
        "kept_round": found.best, "rounds": [asdict(r) for r in found.history], "warnings": found.warnings,
    }  # fmt: skip

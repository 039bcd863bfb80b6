"""The scores of an evaluation as a table for people: plain names, units, and what the best value is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OF_SCENES = ", mean of the scenes"
# section -> (title, rows); a row is (key or keys, name, best value).
Row = tuple[str | tuple[str, str], str, str]
SECTIONS: dict[str, tuple[str, tuple[Row, ...]]] = {
    "detection": (
        "Boxes found",
        (
            ("AP", "average precision (AP), mean of IoU .50 to .95", "1"),
            ("AP50", "AP at IoU .50", "1"),
            ("AP75", "AP at IoU .75", "1"),
            ("AR300", "average recall, at most 300 boxes a scene", "1"),
            ("AR1000", "average recall, at most 1000 boxes a scene", "1"),
            ("precision50", "precision at IoU .50", "1"),
            ("recall50", "recall at IoU .50", "1"),
            ("balanced50", "precision and recall where they are equal", "1"),
            ("balanced_confidence", "  the confidence there (--confidence)", ""),
            (("n_detected", "n_true"), "number of boxes, found / true", "equal"),
        ),
    ),
    "clustering": (
        "Identities on the true boxes",
        (
            ("bcubed_f", "BCubed F: every object counts the same", "1"),
            ("pairwise_f", "pairwise F: large groups count more", "1"),
            ("bcubed_precision", "BCubed precision: how pure groups are", "1"),
            ("bcubed_recall", "BCubed recall: how whole groups are", "1"),
            ("pairwise_precision", "pairwise precision", "1"),
            ("pairwise_recall", "pairwise recall", "1"),
            ("ARI", "adjusted Rand index (0 = by chance)", "1"),
            ("AMI", "adjusted mutual information (0 = by chance)", "1"),
            ("V", "V-measure", "1"),
            (("k_pred", "k_true"), "number of identities, found / true", "equal"),
            ("count_error", f"error in that number{OF_SCENES}", "0 %"),
            ("noise_share", "in no group, counted as groups of one", "0 %"),
        ),
    ),
    "end_to_end": (
        "Identities on the boxes found; missed and invented objects count against them",
        (
            ("bcubed_f", "BCubed F: every object counts the same", "1"),
            ("pairwise_f", "pairwise F: large groups count more", "1"),
        ),
    ),
    "congregations": (
        "Congregations: where each identity stands",
        (
            ("pairwise_f", "pairwise F", "1"),
            (("n_predicted", "n_true"), "number of congregations, found / true", "equal"),
            ("count_error", f"error in that number{OF_SCENES}", "0 %"),
        ),
    ),
}
UNSAID = {"noise_policy"}  # in the name of noise_share
WIDTH = 52


def score_lines(overall: Mapping[str, Any], *, joint: bool) -> list[str]:
    """Return the table of ``overall`` of :func:`packed_scenes.evaluate`, line by line.

    Args:
        overall: sections of scores; a score that has no name here is shown under its key.
        joint: all scenes were clustered together.
    """
    count = overall["n_scenes"]
    scenes = "1 scene" if count == 1 else f"{count} scenes, {'clustered together' if joint else 'each on its own'}"
    lines = [scenes]
    for section, values in overall.items():
        if isinstance(values, Mapping):
            title, rows = SECTIONS.get(section, (section, ()))
            lines += ["", title, f"{'':{WIDTH}}{'score':>9}   best"]
            pooled = count == 1 or (joint and section == "clustering")
            lines += [
                line.replace(OF_SCENES, " " * len(OF_SCENES)) if pooled else line for line in _section(values, rows)
            ]
    return lines


def _section(values: Mapping[str, Any], rows: tuple[Row, ...]) -> list[str]:
    named = {key for keys, _, _ in rows for key in ((keys,) if isinstance(keys, str) else keys)}
    more: tuple[Row, ...] = tuple((key, key, "") for key in values if key not in named | UNSAID)
    lines = []
    for keys, name, best in (*rows, *more):
        found = [values.get(key) for key in ((keys,) if isinstance(keys, str) else keys)]
        if None not in found:
            said = " / ".join(_said(value, percent=best == "0 %") for value in found)
            lines.append(f"  {name:{WIDTH - 2}}{said:>9}   {best}".rstrip())
    return lines


def _said(value: Any, *, percent: bool) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{100 * value:.0f} %" if percent else f"{value:.3f}"

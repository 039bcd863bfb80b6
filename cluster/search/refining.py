"""The next round of a search: models beside the best ones so far, in steps that shrink from round to round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packed_scenes.cluster.search.grid import MAX_SAMPLES, SIZE, Method, Model

STEP = 1.6  # factor of the first round's steps; later rounds take its roots


def refine(best: Sequence[Model], done: set[str], *, rows: int, count: int, round_number: int = 1) -> list[Model]:
    """Return at most ``count`` new models near the best ones.

    Args:
        best: models, best first; each is given its turn before the first gets a second one.
        done: texts of the models that exist already.
        rows: N, which bounds sizes.
        count: how many to return.
        round_number: 1, 2, …; steps shrink with it.
    """
    step = STEP ** (1 / round_number)
    lines = [_near(model, step) for model in best]
    chosen: dict[str, Model] = {}
    while lines and len(chosen) < count:
        for line in list(lines):
            found = next((m for m in line if m.fits(rows) and str(m) not in done and str(m) not in chosen), None)
            if found is None:
                lines.remove(line)
            elif len(chosen) < count:
                chosen[str(found)] = found
    return list(chosen.values())


def _near(model: Model, step: float) -> Iterator[Model]:
    given = dict(model.params)
    if model.method in (Method.KMEANS, Method.AGGLOMERATIVE):
        k = int(given["k"])
        for other in (k + 1, k - 1, round(k * step) + 1, round(k / step) - 1, k + 2, k - 2):
            if other >= 2:
                yield _with(model, k=other)
        if model.method is Method.AGGLOMERATIVE:
            for name in ("ward", "average", "complete"):
                yield _with(model, linkage=name)
    elif model.method is Method.DBSCAN:
        for factor in (step**0.25, step**-0.25, step**0.5, step**-0.5):
            yield _with(model, knee=round(float(given["knee"]) * factor, 3))
        for factor in (step, 1 / step):
            yield _with(model, min_samples=min(max(2, round(int(given["min_samples"]) * factor)), MAX_SAMPLES + 1))
    else:
        size, samples = int(given[SIZE]), int(given["min_samples"])
        for factor in (step, 1 / step, step**2, step**-2):
            yield _with(model, min_cluster_size=max(2, round(size * factor)))
        for factor in (step, 1 / step):
            yield _with(model, min_samples=min(max(1, round(samples * factor)), MAX_SAMPLES))


def _with(model: Model, **changed: int | float | str) -> Model:
    return Model(model.method, tuple((name, changed.get(name, value)) for name, value in model.params))

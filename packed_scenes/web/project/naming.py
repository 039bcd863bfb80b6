"""Names from the catalogue: what a group looks like there, offered and never applied without being asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.objects import NOISE
from packed_scenes.web.project.project import Project
from packed_scenes.web.project.runs import to_analysis

if TYPE_CHECKING:
    from packed_scenes.catalogue import Added, Catalogue

MAX_OFFERS = 3  # offers for one group
OFFER_FACTOR = 2.0  # times the threshold: how far away an offer may be


def suggestions(project: Project, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Say which named identities of the catalogue the groups without a name look like.

    The distance is that of a group's most central object to the nearest object of the identity.

    Returns:
        ``c`` (group), ``name``, ``id``, ``crop`` (its nearest object), ``distance`` (cosine); the nearest first.
        Nothing if the catalogue's vectors are of another embedder.
    """
    embedding = catalogue.embedding
    weights = project.weights.get("embedder")
    if embedding is None or (weights and embedding.weights != weights):
        return []
    known = catalogue.vectors()
    named = {i.identity_id: i.name for i in catalogue.identities() if i.name}
    held = np.isin(known.identity_id, list(named))
    vectors, owner, objects = known.vector[held], known.identity_id[held], known.object_id[held]
    view = project.view()
    mine = project.document.columns["vector"][view.rows]
    if not len(vectors) or vectors.shape[1] != mine.shape[1]:
        return []
    found = []
    for cluster in view.grouping.clusters:
        if cluster in view.grouping.names:
            continue
        rows = np.flatnonzero(view.grouping.cluster == cluster)
        central = mine[rows[(mine[rows] @ mine[rows].mean(axis=0)).argmax()]]
        similarity = vectors @ central
        best: dict[int, tuple[float, int]] = {}
        for k in np.argsort(-similarity, kind="stable")[:50].tolist():
            best.setdefault(int(owner[k]), (float(similarity[k]), int(objects[k])))
        for identity, (near, crop) in list(best.items())[:MAX_OFFERS]:
            if 1 - near <= OFFER_FACTOR * project.threshold:
                found.append({"c": cluster, "id": identity, "name": named[identity], "crop": crop,
                              "distance": round(max(0.0, 1 - near), 3)})  # fmt: skip
    return sorted(found, key=lambda item: (item["distance"], item["c"]))


def add_named(project: Project, catalogue: Catalogue) -> Added:
    """Add the photos as edited to a catalogue; names go to identities that have none yet.

    Raises:
        InputError: as :meth:`packed_scenes.catalogue.Catalogue.add_analysis`.
    """
    result = to_analysis(project)
    added = catalogue.add_analysis(result)
    skipped = {given for given, _ in added.skipped}
    fresh = iter(added.scenes)
    taken = {identity.name for identity in catalogue.identities()}
    for scene in result.scenes:
        if scene.name in skipped:
            continue
        there = {sighting.key: sighting for sighting in catalogue.in_scene(next(fresh))}
        for cluster, name in project.grouping.names.items():
            assert scene.objects.cluster is not None
            if cluster == NOISE:
                continue
            ids = scene.objects.object_id[scene.objects.cluster == cluster].tolist()
            whose = {there[key].identity_id for key in ids if key in there and there[key].name is None}
            if len(whose) == 1 and name not in taken:
                catalogue.rename(whose.pop(), name)
                taken.add(name)
    return added

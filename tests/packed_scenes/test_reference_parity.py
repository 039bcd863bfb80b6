"""The reference method on its own photo and embeddings: our two stages give the labels of its two library calls."""

import numpy as np

from packed_scenes.cluster import make
from packed_scenes.data import read_image
from packed_scenes.data.boxes import read_boxes
from packed_scenes.embed import Embedder
from tests.real import SHARED, needs

PHOTO = SHARED / "packed_products" / "test" / "shelf.jpeg"


@needs("packed_products/test/shelf.jpeg")
def test_two_stage_labels_are_those_of_the_reference():
    import hdbscan
    from sklearn.cluster import OPTICS
    from sklearn.metrics import adjusted_rand_score, pairwise_distances

    boxes = read_boxes(PHOTO.with_name("shelf.json")).scenes[""]
    X = Embedder.load("reference", device="cpu").embed(read_image(PHOTO), boxes.xyxy)
    distance = pairwise_distances(X, metric="cosine").astype(np.float64)
    first = hdbscan.HDBSCAN(min_cluster_size=2, metric="precomputed").fit_predict(distance)
    rest = np.flatnonzero(first < 0)
    both = first.copy()
    if len(rest) > 1:
        second = OPTICS(min_samples=2, metric="precomputed").fit_predict(distance[np.ix_(rest, rest)].clip(0))
        both[rest[second >= 0]] = first.max() + 1 + second[second >= 0]
    ours = make("two-stage", second="optics").fit(X)
    assert np.array_equal(ours.labels_ < 0, both < 0)
    assert adjusted_rand_score(both, ours.labels_) == 1

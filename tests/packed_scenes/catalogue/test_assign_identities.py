"""Who gets which identity, in small cases that can be read."""

import numpy as np
import pytest

from packed_scenes.catalogue.assign_identities import assign_identities
from tests.packed_scenes.catalogue.made import crop_vectors

CASES = {
    "nothing known": ([0, 0, 1], [-1, -1, -1], [-1, -1, -1], [0, 0, 1]),
    "all agree": ([0, 0, 0], [7, 7, -1], [7, 7, 7], [-1, -1, -1]),
    "half is enough": ([0, 0], [7, -1], [7, 7], [-1, -1]),
    "less than half is not": ([0, 0, 0], [7, -1, -1], [-1, -1, -1], [0, 0, 0]),
    "noise stands alone": ([-1, -1, 0], [-1, 4, -1], [-1, 4, -1], [0, -1, 1]),
    "two clusters of one identity": ([0, 1], [3, 3], [3, 3], [-1, -1]),
    "new groups in order of appearance": ([5, 2, 5, -1], [-1] * 4, [-1] * 4, [0, 1, 0, 2]),
}


@pytest.mark.parametrize("case", CASES)
def test_cases(case):
    cluster, claim, identity, group = (np.array(part) for part in CASES[case])
    found, fresh = assign_identities(crop_vectors([0] * len(cluster)), cluster, claim)
    assert found.tolist() == identity.tolist()
    assert fresh.tolist() == group.tolist()


def test_two_claims_in_a_cluster_part_it_by_the_nearest():
    vectors = crop_vectors([0, 1, 0, 1])
    found, _ = assign_identities(vectors, np.zeros(4, np.int64), np.array([5, 6, -1, -1]))
    assert found.tolist() == [5, 6, 5, 6]


def test_no_objects():
    none = np.zeros(0, np.int64)
    found, fresh = assign_identities(np.zeros((0, 4), np.float32), none, none)
    assert len(found) == len(fresh) == 0

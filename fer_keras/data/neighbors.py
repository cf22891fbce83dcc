"""Exact nearest neighbours in valence-arousal space (LDLVA, section 3.2: the set N(i)).

Exact means: a sample's neighbours are the first K of all other samples, ordered by Euclidean distance and, where
distances are equal, by ``sample_id``. Pseudo labels put many samples on one point, so equal distances are the rule.
"""

import dataclasses

import numpy as np

from fer_keras.emotions import UNLABELLED

MAX_K = 32

_ROWS_AT_A_TIME = 20_000


class NeighborsError(ValueError):
    """Neighbours that cannot be computed: K out of range, or no position to compare."""


def nearest_neighbors(positions: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The K nearest other samples of every sample.

    A sample without a position (NaN) is nobody's neighbour and has none itself. Where a sample has fewer than K
    neighbours, the places left over hold its own id and a difference of infinity, so that ``exp(-distance)`` is
    exactly 0 there and a gather by id stays in range.

    Args:
        positions: (N, 2) valence and arousal; NaN where unknown.
        k: number of neighbours K, 1 to 32.

    Returns:
        neighbors (N, K) int32, nearest first; differences (N, K, 2) float32, the neighbour's position minus the
        sample's (valence, arousal).

    Raises:
        NeighborsError: K is out of range, or no two samples have a position.

    Example:
        >>> neighbors, differences = nearest_neighbors(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.5]]), k=1)
        >>> neighbors.tolist(), differences[0].tolist()
        ([[2], [0], [0]], [[0.0, 0.5]])
    """
    if not 1 <= k <= MAX_K:
        raise NeighborsError(f"k = {k} is outside 1..{MAX_K}")
    # Adding 0 turns -0 into 0, which np.unique would keep apart.
    positions = np.asarray(positions, dtype=np.float64) + 0.0
    known = np.flatnonzero(np.isfinite(positions).all(axis=1))
    if len(known) < 2:
        raise NeighborsError(f"{len(known)} of {len(positions)} samples have a position; neighbours need at least two")
    neighbors = np.repeat(np.arange(len(positions), dtype=np.int32)[:, None], k, axis=1)
    differences = np.full((len(positions), k, 2), np.inf, dtype=np.float32)
    neighbors[known] = _nearest_known(positions[known], known, k)
    found = neighbors != np.arange(len(positions))[:, None]
    rows, places = np.nonzero(found)
    differences[rows, places] = positions[neighbors[rows, places]] - positions[rows]
    return neighbors, differences


def _nearest_known(positions: np.ndarray, ids: np.ndarray, k: int) -> np.ndarray:
    """(M, K) ids of the nearest others of M samples with a position; own id where there are too few."""
    points, point_of = np.unique(positions, axis=0, return_inverse=True)
    point_of = point_of.reshape(-1)
    # The samples on each point, by sample_id: `members[first[p] : first[p] + count[p]]`.
    members = ids[np.argsort(point_of, kind="stable")]
    count = np.bincount(point_of, minlength=len(points))
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    # With the sample itself among the first K+1 of its point's order, K others remain; without it, the first K do.
    order = np.concatenate(
        [
            _order_of_points(points, rows, members, first, count, k + 1)
            for rows in np.array_split(np.arange(len(points)), -(-len(points) // _ROWS_AT_A_TIME))
        ]
    )[point_of]
    others = (order != ids[:, None]) & (order >= 0)
    keep = np.argsort(~others, axis=1, kind="stable")[:, :k]
    chosen = np.take_along_axis(order, keep, axis=1)
    chosen = np.where(np.take_along_axis(others, keep, axis=1), chosen, ids[:, None])
    if chosen.shape[1] < k:
        chosen = np.concatenate([chosen, np.repeat(ids[:, None], k - chosen.shape[1], axis=1)], axis=1)
    return chosen


def _order_of_points(
    points: np.ndarray, rows: np.ndarray, members: np.ndarray, first: np.ndarray, count: np.ndarray, length: int
) -> np.ndarray:
    """(R, length) the ids of all samples by (distance to the point, sample_id), cut off; -1 where there are fewer."""
    query, candidate = _candidate_points(points, rows, length)
    squared = np.square(points[candidate] - points[rows[query]]).sum(axis=1)
    # No more than `length` samples of one point can be among the first `length`.
    size = np.minimum(count[candidate], length)
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    sample = members[np.repeat(first[candidate], size) + within]
    query, squared = np.repeat(query, size), np.repeat(squared, size)
    by_rank = np.lexsort((sample, squared, query))
    query, sample = query[by_rank], sample[by_rank]
    rank = np.arange(len(query)) - np.searchsorted(query, query)
    order = np.full((len(rows), length), -1, dtype=np.int64)
    kept = rank < length
    order[query[kept], rank[kept]] = sample[kept]
    return order


def _candidate_points(points: np.ndarray, rows: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (query, point) that hold the `length` nearest points of each query and all that tie with the last."""
    from sklearn.neighbors import KDTree

    tree = KDTree(points)
    distances, nearest = tree.query(points[rows], k=min(length + 1, len(points)))
    if len(points) <= length:
        return np.repeat(np.arange(len(rows)), nearest.shape[1]), nearest.reshape(-1)
    # The tree's distances may differ from ours in the last bits, hence "tied" with a margin.
    radius = distances[:, length - 1] * (1 + 1e-9)
    tied = np.flatnonzero(distances[:, length] <= radius)
    clear = np.setdiff1d(np.arange(len(rows)), tied, assume_unique=True)
    query = [np.repeat(clear, length)]
    candidate = [nearest[clear, :length].reshape(-1)]
    if len(tied):
        within = tree.query_radius(points[rows[tied]], radius[tied])
        query.append(np.repeat(tied, [len(found) for found in within]))
        candidate.append(np.concatenate(within))
    return np.concatenate(query), np.concatenate(candidate)


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How often neighbours share a label.

    Args:
        rate: fraction of (sample, neighbour) pairs with equal labels.
        chance: the same for pairs drawn at random from these samples, ``sum_c n_c (n_c - 1) / (n (n - 1))``.
    """

    rate: float
    chance: float

    @property
    def informative(self) -> bool:
        """Whether neighbours agree at least 1.5 times as often as chance (halfway to 1 where chance is above 1/2)."""
        return self.rate >= min(1.5 * self.chance, (1 + self.chance) / 2)


def label_agreement(neighbors: np.ndarray, differences: np.ndarray, labels: np.ndarray) -> Agreement:
    """Measures how much neighbours say about a label.

    Args:
        neighbors: (N, K) ids, and differences: (N, K, 2), as `nearest_neighbors` returns them.
        labels: (N,) the labels to compare; pairs with an `UNLABELLED` sample are left out.

    Returns:
        The rate over all real pairs, and chance over the samples that take part (NaN where there are no pairs).

    Example:
        >>> neighbors, differences = nearest_neighbors(np.array([[0.0, 0], [0, 0], [1, 1], [1, 1]]), k=1)
        >>> label_agreement(neighbors, differences, np.array([0, 0, 1, 1]))
        Agreement(rate=1.0, chance=0.3333333333333333)
    """
    neighbors, labels = np.asarray(neighbors), np.asarray(labels)
    real = np.isfinite(np.asarray(differences)).all(axis=2)
    pairs = real & (labels[:, None] != UNLABELLED) & (labels[neighbors] != UNLABELLED)
    if not pairs.any():
        return Agreement(float("nan"), float("nan"))
    equal = (labels[:, None] == labels[neighbors]) & pairs
    present = labels[real.any(axis=1) & (labels != UNLABELLED)]
    count = np.bincount(present).astype(np.float64)
    total = len(present)
    return Agreement(float(equal.sum() / pairs.sum()), float((count * (count - 1)).sum() / (total * (total - 1))))

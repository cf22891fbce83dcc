"""Candidate sets: the classes that may be the truth of a sample, with a share for each.

A sidecar ``candidates-<name>`` holds one row a sample, a distribution over its candidate set and 0 outside: what is
above 0 is the set. Sets come from annotators' votes, from the label and the errors one expects of it, or from the label
and a model's most probable classes.
"""

import numpy as np

from fer_keras.emotions import UNLABELLED

VOTE_RULES = {"positive": None, "share": 0.3, "mass": 0.75}
"""The rules of `vote_candidates` and their default thresholds: those of FER+'s authors."""

_TOLERANCE = 1e-6
"""Shares of votes are float32; a class with just the share that is asked for counts."""
_SHARES = 1.001
"""A row of votes with at most this sum holds shares of the annotators, not their number."""


class CandidateError(ValueError):
    """Candidate sets that cannot be made, or an array that does not hold any."""


def drop_rare_votes(votes: np.ndarray, min_votes: float = 2.0, min_share: float = 0.0) -> np.ndarray:
    """Sets the votes of classes that hardly anybody chose to 0: they are taken for mistakes.

    Args:
        votes: (N, C), numbers of votes, or shares that sum to 1 (RAF-DB), 0 or more.
        min_votes: a class with fewer votes is dropped; FER+'s authors drop single votes. Does not apply to a row of
            shares, which does not say how many voted.
        min_share: a class with a smaller share of the row's votes is dropped.

    Returns:
        (N, C) float64. A row that would lose all its votes keeps those of the classes with the most.

    Example:
        >>> drop_rare_votes(np.array([[6, 1, 3], [1, 1, 0]])).tolist()
        [[6.0, 0.0, 3.0], [1.0, 1.0, 0.0]]
    """
    votes = np.asarray(votes, np.float64)
    total = votes.sum(axis=1, keepdims=True)
    enough = (votes >= min_votes) | (total <= _SHARES)
    kept = enough & (votes >= min_share * total - _TOLERANCE) & (votes > 0)
    most = (votes == votes.max(axis=1, keepdims=True)) & (votes > 0)
    return np.where(np.where(kept.any(axis=1, keepdims=True), kept, most), votes, 0.0)


def covering_set(scores: np.ndarray, mass: float, max_candidates: int) -> np.ndarray:
    """The smallest set of classes that has a share of all scores; of equal scores the first class comes first.

    Args:
        scores: (N, C) votes or probabilities, 0 or more.
        mass: the share to be covered, above 0 to 1.
        max_candidates: most classes in a set, even if they cover less.

    Returns:
        (N, C) bool; classes without a score are in no set.

    Example:
        >>> covering_set(np.array([[0.2, 0.5, 0.3]]), mass=0.75, max_candidates=3).tolist()
        [[False, True, True]]
    """
    scores = np.asarray(scores, np.float64)
    order = np.argsort(-scores, axis=1, kind="stable")
    falling = np.take_along_axis(scores, order, axis=1)
    before = np.cumsum(falling, axis=1) - falling
    taken = (before < mass * scores.sum(axis=1, keepdims=True) - _TOLERANCE) & (falling > 0)
    taken[:, max_candidates:] = False
    found = np.zeros_like(taken)
    np.put_along_axis(found, order, taken, axis=1)
    return found


def covering_set_with_ties(scores: np.ndarray, mass: float, max_candidates: int) -> np.ndarray:
    """As `covering_set`, but classes with equal scores come into the set together (FER+'s authors).

    Args:
        scores, mass: as for `covering_set`.
        max_candidates: most classes in a set; those that would make it larger all stay out, unless they are the first.

    Returns:
        (N, C) bool.

    Example:
        >>> covering_set_with_ties(np.array([[6, 2, 2, 0], [4, 2, 2, 2]]), mass=0.75, max_candidates=3).tolist()
        [[True, True, True, False], [True, False, False, False]]
    """
    scores = np.asarray(scores, np.float64)
    above = scores[:, None, :] > scores[:, :, None]
    before = (scores[:, None, :] * above).sum(axis=2)  # what the classes with greater scores have together
    wanted = (before < mass * scores.sum(axis=1, keepdims=True) - _TOLERANCE) & (scores > 0)
    size = (scores[:, None, :] >= scores[:, :, None]).sum(axis=2)  # of the set, once the class is in it
    return wanted & ((size <= max_candidates) | ~above.any(axis=2))


def vote_candidates(
    votes: np.ndarray,
    labels: np.ndarray,
    rule: str,
    *,
    threshold: float | None = None,
    max_candidates: int = 3,
    min_votes: float = 2.0,
    min_share: float = 0.0,
    uniform: bool = False,
) -> np.ndarray:
    """Candidate sets from annotators' votes, by the rules of FER+'s authors (Barsoum et al., 2016).

    Args:
        votes: (N, C); a row of zeros = none.
        labels: (N,) given labels, for samples without votes: the label alone, or every class where it is missing too.
        rule: ``positive``: every class with a vote; ``share``: those with at least `threshold` of the votes;
            ``mass``: the fewest that have `threshold` of the votes together, those with equal votes together, at most
            `max_candidates` (`covering_set_with_ties`).
        threshold: None: 0.3 for ``share``, 0.75 for ``mass``.
        max_candidates: of the rule ``mass``.
        min_votes, min_share: votes that are dropped first, see `drop_rare_votes`.
        uniform: every candidate has the same share, not its share of the votes.

    Returns:
        (N, C) float32, see `as_distributions`. A sample of which no class reaches the ``share`` has those with the
        most votes.

    Raises:
        CandidateError: an unknown rule, votes that are negative or not finite, or a threshold out of range.

    Example:
        >>> votes = np.array([[5, 3, 1, 1], [0, 0, 0, 0]])
        >>> vote_candidates(votes, np.array([0, 2]), "positive").tolist()
        [[0.625, 0.375, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
    """
    if rule not in VOTE_RULES:
        raise CandidateError(f"rule {rule!r}: no rule for votes; known: {', '.join(VOTE_RULES)}")
    wrong = np.flatnonzero(~(np.isfinite(votes) & (np.asarray(votes) >= 0)).all(axis=1))
    if len(wrong):
        raise CandidateError(f"votes of sample {wrong[0]} are negative or not finite")
    threshold = VOTE_RULES[rule] if threshold is None else threshold
    kept = drop_rare_votes(votes, min_votes, min_share)
    if rule == "positive":
        chosen = kept > 0
    elif rule == "share":
        _check_share("threshold", threshold)
        reached = (kept >= threshold * kept.sum(axis=1, keepdims=True) - _TOLERANCE) & (kept > 0)
        most = (kept == kept.max(axis=1, keepdims=True)) & (kept > 0)
        chosen = np.where(reached.any(axis=1, keepdims=True), reached, most)
    else:
        _check_share("threshold", threshold)
        _check_count(max_candidates)
        chosen = covering_set_with_ties(kept, threshold, max_candidates)
    voted = chosen.any(axis=1, keepdims=True)
    chosen = np.where(voted, chosen, label_sets(labels, chosen.shape[1]))
    return as_distributions(chosen, None if uniform else np.where(voted, kept, 1.0))


def synthetic_candidates(labels: np.ndarray, ambiguity: np.ndarray, seed: int) -> np.ndarray:
    """The given label, and beside it every other class at random.

    Args:
        labels: (N,) given labels; an unlabelled sample may be of every class.
        ambiguity: (C, C), entry (y, c) the probability that class c is a candidate of a sample labelled y, of
            `uniform_ambiguity` or `confused_ambiguity`.
        seed: of the random generator. With the same seed, higher probabilities only add candidates.

    Returns:
        (N, C) float32, every candidate with the same share.

    Example:
        >>> synthetic_candidates(np.array([0, 1]), uniform_ambiguity(2, 1.0), seed=0).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    labels, ambiguity = np.asarray(labels), np.asarray(ambiguity, np.float64)
    own = label_sets(labels, len(ambiguity))
    drawn = np.random.default_rng(seed).random(own.shape) < ambiguity[np.maximum(labels, 0)]
    return as_distributions(own | drawn)


def uniform_ambiguity(num_classes: int, rate: float) -> np.ndarray:
    """(C, C) probabilities of `synthetic_candidates`: the same for every other class.

    Args:
        num_classes: C.
        rate: q in [0, 1].

    Raises:
        CandidateError: `rate` is out of range.
    """
    if not 0 <= rate <= 1:
        raise CandidateError(f"rate: {rate:g}; wanted a probability from 0 to 1")
    return np.where(np.eye(num_classes, dtype=bool), 1.0, rate)


def confused_ambiguity(confusion: np.ndarray, rate: float) -> np.ndarray:
    """(C, C) probabilities of `synthetic_candidates`: ``q confusion[y, c]``, at most 1.

    Args:
        confusion: (C, C), row y the distribution of what samples labelled y are taken for, of `confusion_of` or
            `fer_keras.data.transition.read_transition`.
        rate: q, 0 or more; above 1 where the confusions are too rare to make candidates of them.

    Raises:
        CandidateError: `rate` is negative, or `confusion` no matrix of probabilities.

    Example:
        >>> confused_ambiguity(np.array([[0.75, 0.25], [0.0, 1.0]]), 2.0).tolist()
        [[1.0, 0.5], [0.0, 1.0]]
    """
    confusion = np.asarray(confusion, np.float64)
    if not rate >= 0:
        raise CandidateError(f"rate: {rate:g}; wanted 0 or more")
    square = confusion.ndim == 2 and confusion.shape[0] == confusion.shape[1]
    if not square or not ((confusion >= 0) & (confusion <= 1)).all():
        raise CandidateError(f"confusion: shape {confusion.shape}; wanted a (C, C) matrix of probabilities")
    return np.where(np.eye(len(confusion), dtype=bool), 1.0, np.minimum(rate * confusion, 1.0))


def confusion_of(labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """What a model takes the samples of each label for: its mean prediction.

    Args:
        labels: (N,) given labels; unlabelled samples do not count.
        probs: (N, C) the model's probabilities, best of samples that it did not learn from.

    Returns:
        (C, C) float64, rows sum to 1; a class without a sample is confused with none.

    Example:
        >>> confusion_of(np.array([0, 0, -1]), np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])).tolist()
        [[0.75, 0.25], [0.0, 1.0]]
    """
    labels, probs = np.asarray(labels), np.asarray(probs, np.float64)
    known = labels != UNLABELLED
    sums = np.zeros((probs.shape[1], probs.shape[1]))
    np.add.at(sums, labels[known], probs[known])
    counts = sums.sum(axis=1, keepdims=True)
    return np.where(counts > 0, sums / np.where(counts > 0, counts, 1.0), np.eye(len(sums)))


def model_candidates(labels: np.ndarray, probs: np.ndarray, mass: float = 0.9, max_candidates: int = 3) -> np.ndarray:
    """The given label, and beside it the most probable classes of a model.

    Args:
        labels: (N,) given labels; of an unlabelled sample the model's classes alone are candidates.
        probs: (N, C) the model's probabilities.
        mass: the model's classes are the fewest that have this probability together.
        max_candidates: most classes taken from the model.

    Returns:
        (N, C) float32, every candidate with the same share.

    Raises:
        CandidateError: `mass` or `max_candidates` is out of range, or a row is no distribution.

    Example:
        >>> model_candidates(np.array([0]), np.array([[0.1, 0.7, 0.2]])).tolist()
        [[0.3333333432674408, 0.3333333432674408, 0.3333333432674408]]
    """
    _check_share("mass", mass)
    _check_count(max_candidates)
    labels, probs = np.asarray(labels), np.asarray(probs, np.float64)
    wrong = np.flatnonzero(~((probs >= 0).all(axis=1) & (np.abs(probs.sum(axis=1) - 1) <= 0.02)))
    if len(wrong):
        raise CandidateError(f"probabilities of sample {wrong[0]} are no distribution over the classes")
    labelled = (labels != UNLABELLED)[:, None]
    return as_distributions(covering_set(probs, mass, max_candidates) | (labelled & label_sets(labels, probs.shape[1])))


def label_sets(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """(N, C) bool: the label alone; every class for an unlabelled sample."""
    labels = np.asarray(labels)
    return (labels[:, None] == np.arange(num_classes)) | (labels == UNLABELLED)[:, None]


def as_distributions(chosen: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Candidate sets as the rows of a sidecar.

    Args:
        chosen: (N, C) bool, at least one in every row.
        weights: (N, C), above 0 where chosen; None = all the same.

    Returns:
        (N, C) float32, rows sum to 1, 0 outside the sets.
    """
    shares = np.where(chosen, 1.0 if weights is None else weights, 0.0)
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def check_candidates(candidates: np.ndarray, samples: int, num_classes: int) -> np.ndarray:
    """The array of a sidecar, if it holds candidate sets.

    Args:
        candidates: (N, C).
        samples, num_classes: N and C of the split.

    Returns:
        (N, C) float32.

    Raises:
        CandidateError: another shape, or a row that is no distribution; names it.
    """
    candidates = np.asarray(candidates, np.float32)
    if candidates.shape != (samples, num_classes):
        raise CandidateError(f"candidates: shape {candidates.shape}, ({samples}, {num_classes}) is needed")
    wrong = np.flatnonzero(~((candidates >= 0).all(axis=1) & (np.abs(candidates.sum(axis=1) - 1) <= 1e-3)))
    if len(wrong):
        raise CandidateError(f"candidates: row {wrong[0]} is no distribution over the classes; make them again")
    return candidates


def _check_share(name: str, value: float) -> None:
    if not 0 < value <= 1:
        raise CandidateError(f"{name}: {value:g}; wanted a share above 0, at most 1")


def _check_count(max_candidates: int) -> None:
    if max_candidates < 1:
        raise CandidateError(f"max_candidates: {max_candidates}; wanted 1 or more")

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_keras.data.candidates import (
    VOTE_RULES,
    CandidateError,
    check_candidates,
    confused_ambiguity,
    confusion_of,
    covering_set,
    drop_rare_votes,
    model_candidates,
    synthetic_candidates,
    uniform_ambiguity,
    vote_candidates,
)
from fer_keras.data.pipeline import PipelineError, training_dataset
from fer_keras.data.records import RecordSet

COUNTS = arrays(np.int64, st.tuples(st.integers(1, 6), st.just(5)), elements=st.integers(0, 10))
PROBS = st.integers(0, 2**31).map(lambda seed: np.random.default_rng(seed).dirichlet(np.full(5, 0.4), 7))


def slow_rule(votes, label, rule, min_votes=2, limit=3):
    """One row by the rules as FER+'s authors state them, with a loop for every step."""
    votes = [float(v) for v in votes]
    if sum(votes) == 0:
        return [1.0 if c == label else 0.0 for c in range(len(votes))]
    most = [v if v == max(votes) else 0.0 for v in votes]
    if sum(votes) > 1:
        kept = [v if v >= min_votes else 0.0 for v in votes]
        votes = kept if sum(kept) else most
    total, chosen = sum(votes), set()
    if rule == "positive":
        chosen = {c for c, v in enumerate(votes) if v > 0}
    elif rule == "share":
        chosen = {c for c, v in enumerate(votes) if v > 0 and 10 * v >= 3 * total}
        chosen = chosen or {c for c, v in enumerate(votes) if v == max(votes)}
    else:
        while sum(votes[c] for c in chosen) < 0.75 * total and len(chosen) < limit:
            rest = [c for c in range(len(votes)) if c not in chosen]
            equal = {c for c in rest if votes[c] == max(votes[r] for r in rest)}
            if chosen and len(chosen | equal) > limit:
                break  # the authors drop such a row
            chosen |= equal
    mass = sum(votes[c] for c in chosen)
    return [votes[c] / mass if c in chosen else 0.0 for c in range(len(votes))]


@pytest.mark.parametrize("rule", list(VOTE_RULES))
@given(votes=COUNTS)
@settings(deadline=None, max_examples=60)
def test_rules_equal_the_slow_loop(rule, votes):
    labels = np.arange(len(votes)) % 5
    found = vote_candidates(votes, labels, rule)
    expected = [slow_rule(row, label, rule) for row, label in zip(votes, labels)]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("rule", list(VOTE_RULES))
@given(votes=COUNTS, uniform=st.booleans())
@settings(deadline=None, max_examples=40)
def test_rows_are_distributions_over_classes_with_votes(rule, votes, uniform):
    found = vote_candidates(votes, np.zeros(len(votes), int), rule, uniform=uniform)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)
    voted = votes.any(axis=1)
    assert (votes[voted][found[voted] > 0] > 0).all()
    if uniform:
        assert all(len(set(row[row > 0])) == 1 for row in found)


def test_hand_computed():
    votes = np.array([[5, 3, 1, 1, 0], [4, 3, 3, 0, 0], [2, 2, 2, 2, 2], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0]])
    labels = np.array([0, 0, 0, 0, -1])
    third, fifth = [1 / 3] * 3 + [0, 0], [0.2] * 5
    np.testing.assert_allclose(
        vote_candidates(votes, labels, "positive"),
        [[5 / 8, 3 / 8, 0, 0, 0], [0.4, 0.3, 0.3, 0, 0], fifth, third, fifth],
    )
    # 3 of 10 votes are a share of 0.3; no class of the third row has as much, so that all of its equals are left.
    np.testing.assert_allclose(
        vote_candidates(votes, labels, "share"), [[5 / 8, 3 / 8, 0, 0, 0], [0.4, 0.3, 0.3, 0, 0], fifth, third, fifth]
    )
    # 5 of 8 are less than 0.75; classes with equal votes come together.
    np.testing.assert_allclose(
        vote_candidates(votes, labels, "mass"), [[5 / 8, 3 / 8, 0, 0, 0], [0.4, 0.3, 0.3, 0, 0], fifth, third, fifth]
    )
    np.testing.assert_allclose(
        vote_candidates(votes[:2], labels[:2], "share", threshold=0.35), [[5 / 8, 3 / 8, 0, 0, 0], [1, 0, 0, 0, 0]]
    )
    np.testing.assert_allclose(vote_candidates(votes[:1], labels[:1], "positive", min_votes=1), votes[:1] / 10)


def test_shares_of_annotators_are_not_taken_for_single_votes():
    shares = np.array([[0.6, 0.3, 0.1, 0.0, 0.0]], np.float32)
    np.testing.assert_array_equal(drop_rare_votes(shares), shares)
    np.testing.assert_allclose(drop_rare_votes(shares, min_share=0.2), [[0.6, 0.3, 0, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(vote_candidates(shares, np.zeros(1, int), "share"), [[2 / 3, 1 / 3, 0, 0, 0]], rtol=1e-6)


@given(probs=PROBS, mass=st.floats(0.05, 1.0), limit=st.integers(1, 5))
@settings(deadline=None, max_examples=60)
def test_covering_sets_are_the_smallest(probs, mass, limit):
    found = covering_set(probs, mass, limit)
    for row, chosen in zip(probs, found):
        size = chosen.sum()
        assert 1 <= size <= limit
        assert row[chosen].min() >= row[~chosen].max(initial=0)  # the most probable ones
        assert size == limit or row[chosen].sum() >= mass - 2e-6
        assert size == 1 or row[chosen].sum() - row[chosen].min() < mass  # one fewer would not do


def test_synthetic_sets_hold_the_label_and_others_as_often_as_asked():
    labels = np.random.default_rng(0).integers(0, 5, 20_000)
    confusion = np.full((5, 5), 0.05) + np.diag([0.75] * 5)
    confusion[2] = [0, 0.1, 0.9, 0, 0]
    for ambiguity in (uniform_ambiguity(5, 0.3), confused_ambiguity(confusion, 4.0)):
        found = synthetic_candidates(labels, ambiguity, seed=1)
        assert (found[np.arange(len(labels)), labels] > 0).all()
        np.testing.assert_array_equal(found, synthetic_candidates(labels, ambiguity, seed=1))
        assert (found != synthetic_candidates(labels, ambiguity, seed=2)).any()
        for label in range(5):
            often = (found[labels == label] > 0).mean(axis=0)
            np.testing.assert_allclose(often, ambiguity[label], atol=0.03)  # 4 standard errors of 4,000 draws


def test_higher_rates_only_add_candidates_and_unlabelled_samples_have_all():
    labels = np.array([0, 1, 2, -1] * 50)
    low, high = (synthetic_candidates(labels, uniform_ambiguity(3, rate), seed=0) > 0 for rate in (0.2, 0.6))
    assert (high >= low).all() and (high > low).any()
    assert low[labels == -1].all()


@given(probs=PROBS)
@settings(deadline=None, max_examples=30)
def test_model_sets_are_the_label_and_the_covering_set(probs):
    labels = np.array([-1, 0, 1, 2, 3, 4, 0])
    found = model_candidates(labels, probs, 0.9, 3)
    for row, label, prob in zip(found, labels, probs):
        expected, mass = set(), 0.0
        for c in np.argsort(-prob, kind="stable")[:3]:
            if mass < 0.9 - 1e-6:
                expected.add(c)
                mass += prob[c]
        expected |= {label} - {-1}
        assert set(np.flatnonzero(row)) == expected
        np.testing.assert_allclose(row[row > 0], 1 / len(expected), rtol=1e-6)


def test_confusion_is_the_mean_prediction_of_each_label():
    rng = np.random.default_rng(0)
    labels, probs = rng.integers(-1, 3, 40), rng.dirichlet(np.ones(4), 40)
    found = confusion_of(labels, probs)
    for c in range(3):
        np.testing.assert_allclose(found[c], probs[labels == c].mean(axis=0))
    assert found[3].tolist() == [0, 0, 0, 1]  # nobody has this label


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vote_candidates(np.ones((1, 3)), np.zeros(1, int), "all"), "no rule for votes"),
        (lambda: vote_candidates(np.array([[1, -1.0]]), np.zeros(1, int), "mass"), "sample 0 are negative"),
        (lambda: vote_candidates(np.ones((1, 3)), np.zeros(1, int), "share", threshold=1.5), "threshold: 1.5"),
        (lambda: vote_candidates(np.ones((1, 3)), np.zeros(1, int), "mass", max_candidates=0), "max_candidates: 0"),
        (lambda: uniform_ambiguity(3, 1.5), "rate: 1.5"),
        (lambda: confused_ambiguity(np.eye(3), -1.0), "rate: -1"),
        (lambda: confused_ambiguity(np.ones((2, 3)), 1.0), r"shape \(2, 3\)"),
        (lambda: model_candidates(np.zeros(1, int), np.full((1, 3), 0.5)), "sample 0 are no distribution"),
        (lambda: model_candidates(np.zeros(1, int), np.eye(3)[:1], mass=0.0), "mass: 0"),
        (lambda: check_candidates(np.eye(3), 2, 3), r"shape \(3, 3\), \(2, 3\) is needed"),
        (lambda: check_candidates(np.array([[1, 0], [0.5, 0]]), 2, 2), "row 1 is no distribution"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(CandidateError, match=message):
        call()


def test_batches_hold_the_rows_of_their_samples(tiny_record_set):
    record_set = RecordSet.load(tiny_record_set)
    candidates = np.random.default_rng(0).dirichlet(np.ones(8), 32).astype("float32")
    dataset, _ = training_dataset(record_set, "train", (24, 24), 8, epochs=1, seed=0, candidates=candidates)
    assert dataset.element_spec[1]["candidates"].shape.as_list() == [8, 8]
    for x, y in dataset.as_numpy_iterator():
        np.testing.assert_array_equal(y["candidates"], candidates[x["sample_id"]])


def test_batches_are_refused_where_the_sets_do_not_fit(tiny_record_set):
    from fer_keras.data.augmentation import Augmentation

    record_set, options = RecordSet.load(tiny_record_set), {"epochs": 1, "seed": 0}
    with pytest.raises(CandidateError, match=r"\(32, 8\) is needed"):
        training_dataset(record_set, "train", (24, 24), 8, candidates=np.eye(8), **options)
    augmentation = Augmentation(mix_up={}, seed=0)
    with pytest.raises(PipelineError, match="no candidate set"):
        training_dataset(
            record_set, "train", (24, 24), 8, candidates=np.full((32, 8), 1 / 8), augmentation=augmentation, **options
        )

"""The candidate sets of a batch."""


def candidates_of(y: dict, method: str):
    """``y["candidates"]``, (B, C) float32.

    Args:
        y: of a batch.
        method: name of the method that needs them, for the message.

    Raises:
        ValueError: the batch has none.
    """
    if "candidates" not in y:
        raise ValueError(
            f"{method} needs y['candidates'] (B, C) in every batch: give training_dataset the candidate sets "
            "(fer_keras.data.candidates), or set data.candidates to a sidecar made by fer-tfrecords add-candidates"
        )
    return y["candidates"]

"""The record schema, and a record set on disk.

A record set is a folder that ``tfds.builder_from_directory`` reads: shards
``<name>-<split>.tfrecord-00000-of-00016``, ``dataset_info.json``, ``features.json``. Beside them lies
``records.json``, written last: shard checksums, class list and a fingerprint per split, which stamps every
sidecar computed from the split. TensorFlow is imported only where a record is encoded or parsed.
"""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from fer_keras.files import write_json

METADATA_FILE = "records.json"


class RecordSetError(ValueError):
    """A folder that is not a complete record set, or lacks what was asked of it."""


@dataclasses.dataclass(frozen=True)
class Shard:
    """One shard file: its name, number of records, and SHA-256 of its bytes (hexadecimal)."""

    file: str
    num_examples: int
    num_bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Split:
    """One split of a record set; its records are numbered ``sample_id`` = 0..N-1 across the shards in order."""

    name: str
    shards: tuple[Shard, ...]

    @property
    def num_examples(self) -> int:
        return sum(shard.num_examples for shard in self.shards)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the shards' checksums: changes whenever a record, its order or its number changes."""
        return hashlib.sha256("\n".join(shard.sha256 for shard in self.shards).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class RecordSet:
    """A record set on disk.

    Args:
        directory: the folder.
        name: the set's name, the first part of every shard's file name.
        class_names: canonical emotion names, in the order of the label indices.
        splits: the splits by name.
        provenance: how the set was made (importer, options, input files), for reports.

    Example:
        >>> RecordSet.load("no/such/folder")
        Traceback (most recent call last):
        ...
        fer_keras.data.records.RecordSetError: no/such/folder: no record set here (records.json is missing)
    """

    directory: Path
    name: str
    class_names: tuple[str, ...]
    splits: dict[str, Split]
    provenance: dict = dataclasses.field(default_factory=dict)

    @classmethod
    def load(cls, directory: str | Path) -> "RecordSet":
        """Reads the metadata of the set in `directory`.

        Raises:
            RecordSetError: there is no finished set in the folder.
        """
        directory = Path(directory)
        file = directory / METADATA_FILE
        if not file.is_file():
            raise RecordSetError(f"{directory}: no record set here ({METADATA_FILE} is missing)")
        content = json.loads(file.read_text())
        splits = {
            name: Split(name, tuple(Shard(**shard) for shard in shards)) for name, shards in content["splits"].items()
        }
        return cls(directory, content["name"], tuple(content["class_names"]), splits, content.get("provenance", {}))

    def save(self) -> None:
        """Writes ``records.json`` (to a temporary name, then renamed)."""
        content = {
            "name": self.name,
            "class_names": list(self.class_names),
            "splits": {
                name: [dataclasses.asdict(shard) for shard in split.shards] for name, split in self.splits.items()
            },
            "provenance": self.provenance,
        }
        write_json(self.directory / METADATA_FILE, content)

    def split(self, name: str) -> Split:
        """The split of that name.

        Raises:
            RecordSetError: the set has no such split; the message lists those it has.
        """
        if name not in self.splits:
            raise RecordSetError(f"{self.directory}: no split {name!r}; it has: {', '.join(self.splits)}")
        return self.splits[name]

    def shard_paths(self, split: str) -> list[str]:
        """The shard files of a split, in the order of ``sample_id``."""
        return [str(self.directory / shard.file) for shard in self.split(split).shards]


def shard_name(name: str, split: str, index: int, count: int) -> str:
    """File name of a shard, as TFDS spells it.

    Example:
        >>> shard_name("ferplus", "Training", 0, 16)
        'ferplus-Training.tfrecord-00000-of-00016'
    """
    return f"{name}-{split}.tfrecord-{index:05d}-of-{count:05d}"


def encode_record(
    image: bytes,
    label: int,
    sample_id: int,
    votes: Sequence[float],
    valence: float,
    arousal: float,
    source: str,
) -> bytes:
    """Serialises one record (contract: docs/architecture.md, Records).

    Args:
        image: an encoded JPEG or PNG file.
        label: canonical class index, or `fer_keras.emotions.UNLABELLED`.
        sample_id: position of the record within its split, 0..N-1.
        votes: (C,) annotator votes; all 0 if the set has none.
        valence, arousal: in [-1, 1], or NaN where unknown.
        source: relative path or row of the original.

    Returns:
        A serialised ``tf.train.Example``; the same arguments always give the same bytes.
    """
    import tensorflow as tf

    def _bytes(value: bytes) -> "tf.train.Feature":
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    def _ints(value: int) -> "tf.train.Feature":
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    def _floats(values: Sequence[float]) -> "tf.train.Feature":
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))

    feature = {
        "image": _bytes(image),
        "label": _ints(label),
        "sample_id": _ints(sample_id),
        "votes": _floats(votes),
        "valence": _floats([valence]),
        "arousal": _floats([arousal]),
        "source": _bytes(source.encode()),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def parse_records(serialized, num_classes: int) -> dict:
    """Parses a batch of serialised records as graph ops; the images stay encoded.

    Args:
        serialized: (B,) string tensor.
        num_classes: C, the length of ``votes``.

    Returns:
        ``image`` (B,) string, ``label`` and ``sample_id`` (B,) int64, ``votes`` (B, C), ``valence`` and
        ``arousal`` (B,) float32, ``source`` (B,) string.
    """
    import tensorflow as tf

    scalar = {
        "image": tf.string,
        "label": tf.int64,
        "sample_id": tf.int64,
        "valence": tf.float32,
        "arousal": tf.float32,
        "source": tf.string,
    }
    features = {name: tf.io.FixedLenFeature([], dtype) for name, dtype in scalar.items()}
    features["votes"] = tf.io.FixedLenFeature([num_classes], tf.float32)
    return tf.io.parse_example(serialized, features)


def read_columns(record_set: RecordSet, split: str, columns: Sequence[str], batch: int = 1024) -> dict:
    """Reads whole columns of a split into memory, in the order of ``sample_id``.

    Args:
        record_set: the set.
        split: name of the split.
        columns: feature names; leave ``image`` out unless the encoded images are wanted.
        batch: records parsed at a time.

    Returns:
        For each column an array of N rows; strings are ``object`` arrays of bytes.

    Raises:
        RecordSetError: the split does not exist.
    """
    import numpy as np
    import tensorflow as tf

    dataset = tf.data.TFRecordDataset(record_set.shard_paths(split)).batch(batch)
    parts: dict[str, list] = {column: [] for column in columns}
    for serialized in dataset:
        parsed = parse_records(serialized, len(record_set.class_names))
        for column in columns:
            parts[column].append(parsed[column].numpy())
    return {column: np.concatenate(values) if values else np.zeros(0) for column, values in parts.items()}

"""The files that let ``tfds.builder_from_directory`` read a record set."""

from fer_keras.data.records import RecordSet


def write_tfds_metadata(record_set: RecordSet) -> None:
    """Writes ``dataset_info.json`` and ``features.json`` beside the shards.

    Args:
        record_set: the set; its shards are written already.

    Raises:
        ValueError: the folder also holds shards of another set or split.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=record_set.class_names),
            "sample_id": tfds.features.Scalar(tf.int64),
            "votes": tfds.features.Tensor(shape=(len(record_set.class_names),), dtype=tf.float32),
            "valence": tfds.features.Scalar(tf.float32),
            "arousal": tfds.features.Scalar(tf.float32),
            "source": tfds.features.Text(),
        }
    )
    template = tfds.core.ShardedFileTemplate(
        data_dir=record_set.directory,
        template="{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
        dataset_name=record_set.name,
        filetype_suffix="tfrecord",
    )
    split_infos = [
        tfds.core.SplitInfo(
            name=split.name,
            shard_lengths=[shard.num_examples for shard in split.shards],
            num_bytes=sum(shard.num_bytes for shard in split.shards),
            filename_template=template.replace(split=split.name),
        )
        for split in record_set.splits.values()
    ]
    tfds.folder_dataset.write_metadata(
        data_dir=record_set.directory,
        features=features,
        split_infos=split_infos,
        filename_template=template,
        check_data=False,
    )

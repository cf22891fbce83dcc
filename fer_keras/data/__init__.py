"""TFRecords in, ``tf.data`` batches out: records, sidecars, augmentation, label noise, neighbours."""

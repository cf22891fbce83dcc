"""Trained models as SavedModel and LiteRT files, measured against the original before they are kept."""

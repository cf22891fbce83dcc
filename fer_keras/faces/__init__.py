"""Faces in photographs: finding them, and cutting them out as a model's training crops were cut."""

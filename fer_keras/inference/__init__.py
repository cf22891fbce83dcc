"""Stored models of any format as classifiers, and predictions from image files."""

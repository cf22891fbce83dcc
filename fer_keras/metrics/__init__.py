"""Measures of a classifier's predictions, as pure NumPy functions: accuracy family, calibration, distributions."""

"""Facial-expression recognition that stays accurate when labels are ambiguous or wrong."""

__version__ = "0.1.0"

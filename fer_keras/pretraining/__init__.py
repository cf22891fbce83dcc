"""Backbones that learn from images alone, before a method teaches them expressions."""

from fer_keras.pretraining.masked_autoencoder import MaskedAutoencoder
from fer_keras.pretraining.pretrain import pretrain

__all__ = ["MaskedAutoencoder", "pretrain"]

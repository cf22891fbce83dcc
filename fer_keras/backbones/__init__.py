"""Feature extractors by name: image pixels in, feature map out."""

from fer_keras.backbones.registry import BackboneError, available, build_backbone

__all__ = ["BackboneError", "available", "build_backbone"]

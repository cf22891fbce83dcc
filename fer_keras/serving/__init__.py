"""An exported SavedModel behind HTTP and gRPC, and a client for it and for TensorFlow Serving."""

from fer_keras.serving.client import Client, ServingError

__all__ = ["Client", "ServingError"]

"""Typed experiment files: schema, YAML loading with inheritance and overrides, error messages that help."""

from fer_keras.config.errors import ConfigError, suggest
from fer_keras.config.loading import dump_config, load_config
from fer_keras.config.schema import Config

__all__ = ["Config", "ConfigError", "dump_config", "load_config", "suggest"]

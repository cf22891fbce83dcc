"""Several experiments on the same data, seed by seed: ``fer-keras compare``."""

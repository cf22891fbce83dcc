"""``fer-keras pretrain``: images without labels become the weights of a backbone."""

from fer_keras.cli.experiment import (
    ConfigFile,
    Epochs,
    Name,
    Overrides,
    Overwrite,
    Records,
    Resume,
    check_resume,
    resolve,
)


def pretrain(
    config: ConfigFile,
    overrides: Overrides = None,
    data: Records = None,
    name: Name = None,
    epochs: Epochs = None,
    resume: Resume = None,
    overwrite: Overwrite = False,
) -> None:
    """Train a Vision Transformer without labels, by masked autoencoding, for fer-keras train to start from.

    Writes a run folder: backbone.weights.h5 (for backbone.weights), reconstructions.png, results.csv, results.png.
    """
    check_resume(resume, overwrite)
    resolved = resolve(config, overrides, data, name, epochs)

    from rich.console import Console

    from fer_keras.pretraining import pretrain as pretrain_config

    pretrain_config(resolved, resume=resume, overwrite=overwrite, console=Console())

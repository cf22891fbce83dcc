"""``fer-keras``: train, judge, ship and use facial-expression classifiers."""

from typing import Annotated

import typer

from fer_keras import __version__
from fer_keras.cli.compare import compare
from fer_keras.cli.demo import demo
from fer_keras.cli.evaluate import evaluate
from fer_keras.cli.export import export
from fer_keras.cli.import_weights import import_weights
from fer_keras.cli.predict import predict
from fer_keras.cli.pretrain import pretrain
from fer_keras.cli.quickstart import quickstart
from fer_keras.cli.recover import recover
from fer_keras.cli.serve import serve
from fer_keras.cli.teach import teach
from fer_keras.cli.train import train
from fer_keras.console import run

WORKFLOW = """Start with: fer-keras quickstart (nothing else is needed)

From data to a file for a phone:

1. fer-tfrecords --help (how to make the record set data/ferplus; docs/data.md)

2. fer-keras train --config configs/ldlva/ferplus_fer_mini.yaml

3. fer-keras evaluate runs/ldlva_ferplus_fer_mini --data data/ferplus --split PublicTest

4. fer-keras export runs/ldlva_ferplus_fer_mini --out saved_models/ldlva

5. fer-keras predict face.png --model saved_models/ldlva/model.tflite"""

QUICKSTART = """Examples:

fer-keras quickstart

fer-keras quickstart --out quickstart-seed1 --seed 1"""

TRAIN = """Examples:

fer-keras train --config configs/ldlva/ferplus_fer_mini.yaml

fer-keras train --config configs/ldlva/ferplus_fer_mini.yaml --epochs 3 --set schedule.learning_rate=5e-4

fer-keras train --config configs/ldlva/ferplus_fer_mini.yaml --dry-run

After an interruption (Ctrl-C, kill, power cut) the same command goes on where the run stopped, with the same result."""

PRETRAIN = """Examples:

fer-keras pretrain --config configs/pretrain/ferplus_vit_tiny.yaml

fer-keras pretrain --config configs/pretrain/ferplus_vit_tiny.yaml --data data/unlabelled --epochs 100

Then, with the same backbone and options: fer-keras train --config FILE --set
backbone.weights=runs/pretrain_ferplus_vit_tiny/backbone.weights.h5"""

COMPARE = """Examples:

fer-keras compare configs/cross_entropy/ferplus_fer_mini.yaml configs/scn/ferplus_fer_mini.yaml --out runs/compare

fer-keras compare configs/{cross_entropy,rul,eac}/ferplus_fer_mini.yaml --out runs/noise --seeds 0,1,2 --set
data.noisy_labels=noisy_labels-symmetric-0.3-seed{seed}"""

EVALUATE = """Examples:

fer-keras evaluate runs/ldlva_ferplus_fer_mini --data data/ferplus --split PublicTest --exclude leakage.csv

fer-keras evaluate model.tflite --data data/ferplus --split validation --json"""

EXPORT = """Examples:

fer-keras export runs/ldlva_ferplus_fer_mini --out saved_models/ldlva

fer-keras export runs/ldlva_ferplus_fer_mini --out saved_models/ldlva --format litert,onnx,openvino --precision
float32,float16,dynamic,int8"""

PREDICT = """Examples:

fer-keras predict holiday/ --annotate annotated

fer-keras predict clip.mp4 --every 5 --format csv --out clip.csv

fer-keras predict 'crops/*.png' --detector none --model runs/my_run --format jsonl"""

DEMO = """Examples:

fer-keras demo saved_models/ldlva --out demo --serve

fer-keras demo model.tflite --out public/demo --litert-js litertjs-core-2.5.3.tgz"""

SERVE = """Examples:

fer-keras serve saved_models/ldlva

fer-keras serve saved_models/ldlva --name faces --host 0.0.0.0 --max-batch 64 --batch-timeout 5

curl -d '{"signature_name": "serve_bytes", "instances": [{"b64": "'$(base64 -w0 face.png)'"}]}'
localhost:8501/v1/models/ldlva:predict"""

RECOVER = """Examples:

fer-keras recover runs/ldlva_ferplus_fer_mini

fer-keras recover runs/ldlva_ferplus_fer_mini --weights last --top 50"""

TEACH = """Example:

fer-keras teach --config configs/ldlva/ferplus_fer_mini_noise30_bank.yaml --folds 4 --name noise30

fer-tfrecords add-valence-arousal data/ferplus --source teacher --probabilities teacher_probs-noise30"""

IMPORT_WEIGHTS = """Examples:

fer-keras import-weights resnet18_msceleb.pth --backbone resnet18 --out weights/resnet18_msceleb.weights.h5

fer-keras import-weights runs/pretrained/weights/best.keras --backbone fer_mini --out weights/fer_mini.weights.h5

Then, in the configuration: backbone: {name: resnet18, weights: weights/resnet18_msceleb.weights.h5}"""

app = typer.Typer(
    name="fer-keras",
    help="Facial-expression recognition that stays accurate when labels are ambiguous or wrong.",
    epilog=WORKFLOW,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    (quickstart, QUICKSTART),
    (train, TRAIN),
    (pretrain, PRETRAIN),
    (compare, COMPARE),
    (evaluate, EVALUATE),
    (export, EXPORT),
    (predict, PREDICT),
    (demo, DEMO),
    (serve, SERVE),
    (recover, RECOVER),
    (teach, TEACH),
    (import_weights, IMPORT_WEIGHTS),
)
for command, examples in COMMANDS:
    app.command(epilog=examples)(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fer-keras {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """Entry point of ``fer-keras``."""
    run(app)


if __name__ == "__main__":  # python -m, where the entry points are not on the path
    main()

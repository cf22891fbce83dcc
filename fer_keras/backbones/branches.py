"""Cuts a backbone into a shared trunk and branches, behind any layer that is a bottleneck of its graph."""

import difflib
import re

import keras


class StageError(ValueError):
    """A layer behind which a backbone cannot be cut; the message names those behind which it can."""


def split_backbone(backbone: keras.Model, stage: str) -> tuple[keras.Model, keras.Model]:
    """Cuts a backbone in two: `trunk` up to a layer, `branch` from there on.

    Both share their layers with the backbone: ``branch(trunk(x))`` is ``backbone(x)``, trained or not, and the
    backbone stays whole. Further branches are made of this one by `copy_branch`.

    Args:
        backbone: functional model of one input and one output, for example of `build_backbone`.
        stage: name of the last layer of the trunk, for example ``stage1`` of ``fer_mini`` and the ResNets,
            ``conv2_block3_out`` of ``keras.applications``' ResNet50.

    Returns:
        The functional models trunk and branch, called ``<backbone>_trunk`` and ``<backbone>_branch``.

    Raises:
        StageError: there is no such layer, or a path leads past it (a residual connection); the message lists
            the last possible layer at each size of the map.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> backbone = build_backbone("fer_mini", (48, 48))
        >>> trunk, branch = split_backbone(backbone, "stage1")
        >>> trunk.output.shape, branch.output.shape
        ((None, 24, 24, 24), (None, 3, 3, 144))
    """
    possible = cut_points(backbone)
    if stage not in possible:
        raise StageError(_explain(backbone, stage, list(possible)))
    tensor = possible[stage]
    trunk = keras.Model(backbone.input, tensor, name=f"{backbone.name}_trunk")
    return trunk, keras.Model(tensor, backbone.output, name=f"{backbone.name}_branch")


def copy_branch(branch: keras.Model, prefix: str) -> keras.Model:
    """A copy of a branch with weights of its own, equal at the start.

    Args:
        branch: of `split_backbone`.
        prefix: put before the names of the copy and its layers, which tells the copies' weights apart.

    Returns:
        A functional model ``<prefix>_<branch>``.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> _, branch = split_backbone(build_backbone("fer_mini", (48, 48)), "stage3")
        >>> copy_branch(branch, "auxiliary").layers[-1].name
        'auxiliary_stage4'
    """

    def copy_layer(layer):
        return layer.__class__.from_config({**layer.get_config(), "name": f"{prefix}_{layer.name}"})

    copied = keras.models.clone_model(branch, clone_function=copy_layer)
    copied.name = f"{prefix}_{branch.name}"
    copied.set_weights(branch.get_weights())
    return copied


def cut_points(backbone: keras.Model) -> dict[str, keras.KerasTensor]:
    """The layers behind which a backbone can be cut: those through whose output every path leads.

    Args:
        backbone: functional model.

    Returns:
        Name of the layer -> its output, from the input on; neither the input nor the last layer is among them.
    """
    operations = backbone.operations  # sorted so that an operation comes after those it reads from
    last_use: dict[int, int] = {}
    for index, operation in enumerate(operations):
        for tensor in keras.tree.flatten(operation.input if index else []):
            last_use[id(tensor)] = index
    found, open_until = {}, -1
    for index, operation in enumerate(operations[:-1]):
        outputs = keras.tree.flatten(operation.output)
        # Nothing made before this operation is read after it.
        if index and len(outputs) == 1 and open_until <= index:
            found[operation.name] = outputs[0]
        open_until = max([open_until, *(last_use.get(id(tensor), index) for tensor in outputs)])
    return found


def stages(backbone: keras.Model) -> list[str]:
    """The names worth knowing of `cut_points`: the last one at each size of the map but that of the output.

    Left out are padding, and what comes before the first layer with weights. Where all maps have one size (Vision
    Transformers), it is the layers called ``stage<i>``.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> stages(build_backbone("fer_mini", (48, 48)))
        ['stage1', 'stage2', 'stage3']
    """
    last, learning = {backbone.output_shape[1:3]: None}, False
    possible = cut_points(backbone)
    for operation in backbone.operations:
        learning = learning or bool(getattr(operation, "weights", []))
        if learning and operation.name in possible and not isinstance(operation, keras.layers.ZeroPadding2D):
            shape = possible[operation.name].shape
            if len(shape) == 4:  # tokens of a transformer are no map
                last[shape[1:3]] = operation.name
    return list(last.values())[1:] or [name for name in possible if re.fullmatch(r"stage\d+", name)]


def _explain(backbone: keras.Model, stage: str, possible: list[str]) -> str:
    exists = any(operation.name == stage for operation in backbone.operations)
    reason = "paths lead past layer" if exists else "there is no layer"
    if stage == backbone.operations[-1].name:
        reason = "nothing is left behind layer"
    near = [] if exists else difflib.get_close_matches(stage, possible, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    listed = f"the last possible layer at each size of the map: {', '.join(stages(backbone))}"
    if not stages(backbone):
        listed = f"possible: {', '.join(possible) or 'none'}"
    return f"backbone {backbone.name}: cannot be cut behind {stage!r}: {reason} {stage!r}{hint} ({listed})"

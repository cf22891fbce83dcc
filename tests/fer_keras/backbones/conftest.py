"""Residual networks in PyTorch, arranged as in torchvision, with weights that hide no mistake; files of Keras 2."""

import h5py
import numpy as np
import pytest
import torch
from torch import nn


class Block(nn.Module):
    """A basic block, or with `bottleneck` one of 1x1, 3x3 (strided), 1x1."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool):
        super().__init__()
        outputs = 4 * width if bottleneck else width
        plan = (
            [(width, 1, 1), (width, 3, stride), (outputs, 1, 1)] if bottleneck else [(width, 3, stride), (width, 3, 1)]
        )
        self.count, before = len(plan), inputs
        for number, (channels, kernel, strides) in enumerate(plan, start=1):
            convolution = nn.Conv2d(before, channels, kernel, strides, padding=kernel // 2, bias=False)
            setattr(self, f"conv{number}", convolution)
            setattr(self, f"bn{number}", nn.BatchNorm2d(channels))
            before = channels
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            y = torch.relu(y) if number < self.count else y
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, blocks=(2, 2, 2, 2), bottleneck: bool = False, classes: int = 7):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        inputs = 64
        for stage, (count, width) in enumerate(zip(blocks, (64, 128, 256, 512)), start=1):
            rows = []
            for index in range(count):
                rows.append(Block(inputs, width, 2 if stage > 1 and index == 0 else 1, bottleneck))
                inputs = 4 * width if bottleneck else width
            setattr(self, f"layer{stage}", nn.Sequential(*rows))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, pixels):
        """(B, 3, H, W) pixels 0..255 -> feature map (B, D, h, w)."""
        mean = torch.tensor([0.485, 0.456, 0.406], dtype=pixels.dtype)[:, None, None]
        std = torch.tensor([0.229, 0.224, 0.225], dtype=pixels.dtype)[:, None, None]
        x = self.maxpool(torch.relu(self.bn1(self.conv1((pixels / 255 - mean) / std))))
        for stage in (1, 2, 3, 4):
            x = getattr(self, f"layer{stage}")(x)
        return x


LAYOUTS = {
    "resnet18": ((2, 2, 2, 2), False),
    "resnet34": ((3, 4, 6, 3), False),
    "resnet50_torchvision": ((3, 4, 6, 3), True),
}


def build_torch_resnet(name: str) -> ResNet:
    """A network in inference mode; every BatchNorm is far from the identity."""
    torch.manual_seed(3)
    network = ResNet(*LAYOUTS[name])
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.3, 1.0)
            nn.init.normal_(module.bias, 0.0, 0.2)
            nn.init.normal_(module.running_mean, 0.0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


@pytest.fixture(scope="session")
def torch_resnet():
    """The function `build_torch_resnet`: name of the backbone -> a new PyTorch network, always the same."""
    return build_torch_resnet


@pytest.fixture(scope="session")
def torch_file(torch_resnet, tmp_path_factory):
    """A function (name of the backbone) -> file of the network's state dict, classifier included."""
    folder, files = tmp_path_factory.mktemp("torch"), {}

    def write(name: str):
        if name not in files:
            files[name] = folder / f"{name}.pth"
            torch.save(torch_resnet(name).state_dict(), files[name])
        return files[name]

    return write


@pytest.fixture(scope="session")
def random_pixels():
    """A function (batch, H, W) -> uint8 images."""

    def draw(batch: int, height: int, width: int) -> np.ndarray:
        return np.random.default_rng(height).integers(0, 256, (batch, height, width, 3)).astype(np.uint8)

    return draw


def save_as_keras_2(model, file, named: bool = True) -> None:
    """Writes weights as Keras 2 did: `layer_names`, and in each layer its `weight_names`, both as attributes."""
    with h5py.File(file, "w") as h5:
        h5.attrs["keras_version"] = b"2.4.0"
        names = [layer.name if named else f"layer_{i}" for i, layer in enumerate(model.layers)]
        h5.attrs["layer_names"] = [name.encode() for name in names]
        for name, layer in zip(names, model.layers, strict=True):
            group, weights = h5.create_group(name), layer.trainable_weights + layer.non_trainable_weights
            group.attrs["weight_names"] = [f"{name}/{weight.name}:0".encode() for weight in weights]
            for weight in weights:
                group[f"{name}/{weight.name}:0"] = weight.numpy()


@pytest.fixture(scope="session")
def write_legacy():
    """The function `save_as_keras_2`: (model, file, named=True); without names, layers are only numbered."""
    return save_as_keras_2


@pytest.fixture(scope="session")
def run_with_builtins():
    """A function (model, images) -> its output after conversion to LiteRT with builtin operations alone."""
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    def run(model, images: np.ndarray) -> np.ndarray:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        interpreter = Interpreter(model_content=converter.convert())
        details = interpreter.get_input_details()[0]
        interpreter.resize_tensor_input(details["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(details["index"], images.astype(np.float32))
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run

"""MobileNetV2 of PyTorch, in torchvision's names, output against output."""

import numpy as np
import pytest

from fer_keras.backbones import build_backbone
from fer_keras.backbones.weights.importing import import_weights

torch = pytest.importorskip("torch")
nn = torch.nn

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, blocks and stride of the stages, table 2 of Sandler et al., CVPR 2018."""


def conv(channels, filters, kernel=3, stride=1, groups=1):
    layer = nn.Conv2d(channels, filters, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(filters), nn.ReLU6())


class Block(nn.Module):
    def __init__(self, channels, filters, stride, expansion):
        super().__init__()
        width = channels * expansion
        layers = [] if expansion == 1 else [conv(channels, width, 1)]
        layers += [conv(width, width, stride=stride, groups=width), nn.Conv2d(width, filters, 1, bias=False)]
        self.conv = nn.Sequential(*layers, nn.BatchNorm2d(filters))
        self.residual = stride == 1 and channels == filters

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        layers, channels = [conv(3, 32, stride=2)], 32
        for expansion, filters, blocks, stride in STAGES:
            for index in range(blocks):
                layers.append(Block(channels, filters, 1 if index else stride, expansion))
                channels = filters
        self.features = nn.Sequential(*layers, conv(channels, 1280, 1))
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(1280, 10))


@pytest.fixture(scope="module")
def reference():
    torch.manual_seed(0)
    network = MobileNetV2().train()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.7, 1.3)
        nn.init.uniform_(norm.bias, -0.2, 0.4)
        norm.momentum = None  # the statistics become those of the batch: others would amplify rounding errors
    with torch.no_grad():
        network.features(torch.rand(8, 3, 65, 65))
    assert min(norm.running_var.min() for norm in norms) < 0.02  # so small that the difference of epsilon counts
    return network.eval()


@pytest.mark.parametrize("size", [(33, 33), (65, 97)])
def test_features_equal_those_of_pytorch(reference, tmp_path, size):
    torch.save(reference.state_dict(), tmp_path / "mobilenet_v2.pth")
    out, options = tmp_path / "mobilenet_v2.weights.h5", {"normalization": "torch"}
    report = import_weights(tmp_path / "mobilenet_v2.pth", "mobilenetv2", out, options=options)
    assert report.note["not_used"] == ["classifier.1.weight", "classifier.1.bias"]
    images = np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype(np.float32)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = torch.from_numpy(((images / 255 - mean) / std).astype(np.float32)).permute(0, 3, 1, 2)
    with torch.no_grad():
        expected = reference.features(pixels).permute(0, 2, 3, 1).numpy()
    found = build_backbone("mobilenetv2", size, weights=str(out), **options).predict(images, verbose=0)
    assert np.ptp(expected) > 1.0
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())

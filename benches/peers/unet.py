"""The U-Net of src/nn/unet.rs in PyTorch: one training step for each line read from stdin.

Prints "ready PARAMETERS VERSION THREADS" once, then the seconds of each step.
Usage: unet.py BASE_FILTERS DEPTH PATCH BATCH CLASSES THREADS
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def double(inputs, outputs):
    layers = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, base, depth, classes):
        super().__init__()
        widths = [base << level for level in range(depth + 1)]
        self.down = nn.ModuleList(double(a, b) for a, b in zip([3, *widths], widths[:-1]))
        self.bottom = double(widths[-2], widths[-1])
        steps = list(zip(widths[:0:-1], widths[-2::-1]))
        self.narrow = nn.ModuleList(nn.Conv2d(deep, wide, 1) for deep, wide in steps)
        self.blend = nn.ModuleList(double(2 * wide, wide) for _, wide in steps)
        self.head = nn.Conv2d(base, classes, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for narrow, blend in zip(self.narrow, self.blend):
            wide = F.interpolate(narrow(x), scale_factor=2, mode="nearest")
            x = blend(torch.cat([skips.pop(), wide], 1))
        return self.head(x)


def main():
    base, depth, patch, batch, classes, threads = map(int, sys.argv[1:])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    # Its fastest layout on processors.
    network = UNet(base, depth, classes).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.99))
    images = torch.randn(batch, 3, patch, patch).to(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (batch, patch, patch))
    print("ready", sum(p.numel() for p in network.parameters()), torch.__version__, threads, flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()
        print(time.perf_counter() - began, flush=True)


main()

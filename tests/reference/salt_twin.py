"""The salt recipe in PyTorch on the folds of `orthobrush experiment salt`.

    python salt_twin.py DATA SPLITS OUT.csv [--epochs N]

DATA is a folder with train/images and train/masks, SPLITS holds fold-0/split.json and so on, as run
folders do. One line a fold is added to OUT.csv when the fold is done; folds that are there already
are left alone, and a fold that was interrupted goes on from its last epoch.
"""

import argparse
import csv
import json
import time
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

SIDE, BATCH, FLOOR = 128, 32, 1e-5
FIELDS = "fold,epochs,best_epoch,seconds,val_loss,accuracy,majority,iou_salt,mean_iou,map".split(",")


def double(inputs, outputs):
    def half(channels):
        return [nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*half(inputs), *half(outputs))


class UNet(nn.Module):
    def __init__(self, base=16, depth=4, dropout=0.05):
        super().__init__()
        filters = [base << level for level in range(depth + 1)]
        inputs = [3] + filters[:-1]
        self.down = nn.ModuleList(map(double, inputs[:-1], filters[:-1]))
        self.bottom = double(inputs[-1], filters[-1])
        self.narrow = nn.ModuleList(nn.ConvTranspose2d(2 * f, f, 2, 2) for f in filters[:-1])
        self.blend = nn.ModuleList(double(2 * f, f) for f in filters[:-1])
        self.head = nn.Conv2d(base, 1, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        skips = []
        for block in self.down:
            skips.append(block(x))
            x = functional.max_pool2d(skips[-1], 2)
        x = self.dropout(self.bottom(x))
        for narrow, blend, skip in reversed(list(zip(self.narrow, self.blend, skips))):
            x = blend(torch.cat([skip, narrow(x)], 1))
        return self.head(x)[:, 0]


def load(data, names):
    images, masks = [], []
    for name in names:
        image = numpy.asarray(Image.open(data / name).convert("RGB"), numpy.float32) / 255
        mask = numpy.asarray(Image.open(data / name.replace("images", "masks"))) > 0
        before = (SIDE - image.shape[0]) // 2
        around = [(before, SIDE - image.shape[0] - before)] * 2
        images.append(numpy.pad(image, around + [(0, 0)], "reflect").transpose(2, 0, 1))
        masks.append(numpy.pad(mask.astype(numpy.float32), around, constant_values=-1))
    return torch.tensor(numpy.stack(images)), torch.tensor(numpy.stack(masks))


def loss_of(logits, masks):
    known = masks >= 0
    return functional.binary_cross_entropy_with_logits(logits[known], masks[known])


def precision(truth, predicted):
    if not truth.any() or not predicted.any():
        return float(truth.any() == predicted.any())
    iou = (truth & predicted).sum() / (truth | predicted).sum()
    return float(numpy.mean([iou > step / 20 for step in range(10, 20)]))


@torch.no_grad()
def validate(model, images, masks):
    model.eval()
    logits = torch.cat([model(part) for part in images.split(BATCH)])
    loss = loss_of(logits, masks).item()
    known, truth, predicted = (masks >= 0).numpy(), (masks > 0).numpy(), (logits > 0).numpy()
    both = (truth & predicted & known).sum()
    salt = both / ((truth | predicted) & known).sum()
    neither = (~truth & ~predicted & known).sum()
    ground = neither / ((~truth | ~predicted) & known).sum()
    pairs = [(t[k], p[k]) for t, p, k in zip(truth, predicted, known)]
    return {
        "val_loss": loss,
        "accuracy": (both + neither) / known.sum(),
        "majority": max(share := (truth & known).sum() / known.sum(), 1 - share),
        "iou_salt": salt,
        "mean_iou": (salt + ground) / 2,
        "map": numpy.mean([precision(*pair) for pair in pairs]),
    }


def train(data, held_out, most_epochs, kept):
    every = sorted(f"train/images/{path.name}" for path in (data / "train/images").iterdir())
    images, masks = load(data, [name for name in every if name not in held_out])
    mean, std = images.mean((0, 2, 3), keepdim=True), images.std((0, 2, 3), keepdim=True)
    judged, truth = load(data, sorted(held_out))
    images, judged = (images - mean) / std, (judged - mean) / std
    torch.manual_seed(1)
    model = UNet().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.1, patience=5, min_lr=FLOOR, threshold=0)
    best, epoch, seconds = {"val_loss": float("inf"), "best_epoch": 0}, 0, 0.0
    if kept.exists():
        state = torch.load(kept, weights_only=False)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        plateau.load_state_dict(state["plateau"])
        best, epoch, seconds = state["best"], state["epoch"], state["seconds"]
    while epoch < most_epochs and epoch - best["best_epoch"] < 10:
        started = time.time()
        epoch += 1
        model.train()
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(epoch))
        for some in order.split(BATCH):
            optimizer.zero_grad()
            loss_of(model(images[some]), masks[some]).backward()
            optimizer.step()
        scores = validate(model, judged, truth)
        plateau.step(scores["val_loss"])
        seconds += time.time() - started
        if scores["val_loss"] < best["val_loss"]:
            best = {**scores, "best_epoch": epoch}
        print(epoch, {key: round(float(value), 4) for key, value in scores.items()}, flush=True)
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                    "plateau": plateau.state_dict(), "best": best, "epoch": epoch,
                    "seconds": seconds}, kept)
    return {**best, "epochs": epoch, "seconds": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("splits", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=50)
    args = parser.parse_args()
    done = set()
    if args.out.exists():
        done = {row["fold"] for row in csv.DictReader(args.out.open())}
    for split in sorted(args.splits.glob("fold-*/split.json")):
        fold = split.parent.name.removeprefix("fold-")
        if fold in done:
            continue
        held_out = set(json.loads(split.read_text())["validation_files"])
        kept = args.out.with_suffix(f".{fold}.pt")
        row = {"fold": fold, **train(args.data, held_out, args.epochs, kept)}
        is_new = not args.out.exists()
        with args.out.open("a") as out:
            writer = csv.DictWriter(out, FIELDS)
            if is_new:
                writer.writeheader()
            number = lambda value: f"{value:.6g}" if isinstance(value, float) else str(value)
            writer.writerow({key: number(row[key] if not hasattr(row[key], "item") else row[key].item()) for key in FIELDS})
        kept.unlink()


if __name__ == "__main__":
    main()

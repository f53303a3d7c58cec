"""Writes losses.json: what PyTorch says of small batches, for src/nn/loss/tests.rs.

Needs torch. Run it in this folder; the numbers do not depend on chance.
"""

import json

import torch
import torch.nn.functional as F

IGNORE = 255


def pixels(classes):
    """Logits [2, classes, 3, 5] as 32-bit numbers, and labels of which some are no class."""
    count = 2 * classes * 15
    # Squares, because steps of one size make pixels of one softmax, and ties have no slope.
    logits = [round((n * (n + 29) * 41 + 13) % 997 / 997 * 5 - 2.5, 4) for n in range(count)]
    labels = [((n * 5 + n // 4) % (classes + 1)) for n in range(30)]
    labels = [IGNORE if label == classes else label for label in labels]
    labels[7] = classes + 3
    return logits, labels, [2, classes, 3, 5]


def flat(logits, labels):
    """Rows of logits and their labels, labelled pixels only."""
    classes = logits.shape[1]
    rows = logits.permute(0, 2, 3, 1).reshape(-1, classes)
    keep = labels.reshape(-1) < classes
    return rows[keep], labels.reshape(-1)[keep]


def cross_entropy(logits, labels, weights, smoothing):
    rows, truth = flat(logits, labels)
    return F.cross_entropy(rows, truth, weight=weights, label_smoothing=smoothing)


def binary_cross_entropy(logits, labels, weights, smoothing):
    rows, truth = flat(logits, labels)
    wanted = truth.double() * (1 - smoothing) + smoothing / 2
    log_p1 = F.logsigmoid(rows[:, 1] - rows[:, 0])
    log_p0 = F.logsigmoid(rows[:, 0] - rows[:, 1])
    losses = -(weights[1] * wanted * log_p1 + weights[0] * (1 - wanted) * log_p0)
    if torch.all(weights == 1):
        built_in = F.binary_cross_entropy_with_logits(rows[:, 1] - rows[:, 0], wanted)
        assert torch.allclose(losses.mean(), built_in)
    return losses.sum() / weights[truth].sum()


def focal(logits, labels, weights, gamma):
    rows, truth = flat(logits, labels)
    log_p = F.log_softmax(rows, 1).gather(1, truth[:, None])[:, 0]
    losses = -weights[truth] * (1 - log_p.exp()) ** gamma * log_p
    return losses.sum() / weights[truth].sum()


def overlap(logits, labels):
    rows, truth = flat(logits, labels)
    p = F.softmax(rows, 1)
    hot = F.one_hot(truth, rows.shape[1]).double()
    return (p * hot).sum(0), p.sum(0), hot.sum(0)


def dice(logits, labels, _, smooth):
    shared, predicted, labelled = overlap(logits, labels)
    loss = 1 - (2 * shared + smooth) / (predicted + labelled + smooth)
    return loss[labelled > 0].mean()


def jaccard(logits, labels, _, smooth):
    shared, predicted, labelled = overlap(logits, labels)
    loss = 1 - (shared + smooth) / (predicted + labelled - shared + smooth)
    return loss[labelled > 0].mean()


def lovasz(logits, labels, _):
    """The sorted errors against the steps of the Jaccard loss, class by class."""
    rows, truth = flat(logits, labels)
    p = F.softmax(rows, 1)
    losses = []
    for index in range(rows.shape[1]):
        hot = (truth == index).double()
        if hot.sum() == 0:
            continue
        errors, order = torch.sort((hot - p[:, index]).abs(), descending=True)
        assert (errors[:-1] - errors[1:]).min() > 3e-4, "nearly a tie"
        ordered = hot[order]
        shared = ordered.sum() - ordered.cumsum(0)
        union = ordered.sum() + (1 - ordered).cumsum(0)
        steps = 1 - shared / union
        steps[1:] = steps[1:] - steps[:-1].clone()
        losses.append(errors @ steps)
    return torch.stack(losses).mean()


def case(function, kind, classes, weights, **parameters):
    numbers, labels, shape = pixels(classes)
    logits = torch.tensor(numbers, dtype=torch.float32).double().reshape(shape)
    logits.requires_grad_(True)
    truth = torch.tensor(labels).reshape(shape[0], shape[2], shape[3])
    loss = function(logits, truth, torch.tensor(weights).double(), *parameters.values())
    loss.backward()
    return {
        "term": {"kind": kind, **parameters},
        "pixels": {"shape": shape, "logits": numbers, "labels": labels},
        "class_weights": weights,
        "loss": round(loss.item(), 9),
        "gradient": [float(f"{slope:.7g}") for slope in logits.grad.reshape(-1).tolist()],
    }


ONES = [1.0, 1.0, 1.0, 1.0]
WEIGHTS = [1.0, 0.25, 2.0, 0.0]
CASES = [
    case(cross_entropy, "cross_entropy", 4, ONES, smoothing=0.0),
    case(cross_entropy, "cross_entropy", 4, WEIGHTS, smoothing=0.0),
    case(cross_entropy, "cross_entropy", 4, WEIGHTS, smoothing=0.1),
    case(binary_cross_entropy, "binary_cross_entropy", 2, [1.0, 1.0], smoothing=0.0),
    case(binary_cross_entropy, "binary_cross_entropy", 2, [0.5, 2.0], smoothing=0.2),
    case(focal, "focal", 4, ONES, gamma=2.0),
    case(focal, "focal", 4, WEIGHTS, gamma=0.5),
    case(dice, "dice", 4, ONES, smooth=1.0),
    case(dice, "dice", 2, [1.0, 1.0], smooth=0.0),
    case(jaccard, "jaccard", 4, ONES, smooth=1.0),
    case(jaccard, "jaccard", 4, ONES, smooth=0.0),
    case(lovasz, "lovasz", 4, ONES),
    case(lovasz, "lovasz", 2, [1.0, 1.0]),
]

with open("losses.json", "w", encoding="utf-8") as file:
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in CASES)
    file.write(f"[\n{rows}\n]\n")

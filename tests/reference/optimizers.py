"""Writes optimizers.json: steps of PyTorch's optimizers, for src/train/optimizer/tests.rs.

Needs torch. Run it in this folder; the numbers do not depend on chance.
"""

import json

import torch

INPUTS = [round(((n * 37 + 5) % 23) / 11 - 1, 4) for n in range(16)]
TARGETS = [round(((n * 53 + 7) % 31) / 10 - 1.5, 4) for n in range(24)]
WEIGHT = [0.3, -0.2, 0.5, 0.1, -0.4, 0.25]
BIAS = [0.1, -0.05, 0.2]
RATES = [0.1, 0.08, 0.05, 0.05, 0.02]


def loss(weight, bias, batch):
    rows = slice(batch % 2 * 4, batch % 2 * 4 + 4)
    inputs = torch.tensor(INPUTS).reshape(8, 2)[rows]
    targets = torch.tensor(TARGETS).reshape(8, 3)[rows]
    return ((inputs @ weight + bias - targets) ** 2).mean()


def case(make, config, updates=None):
    updates = updates or {}
    weight = torch.tensor(WEIGHT).reshape(2, 3).requires_grad_(True)
    bias = torch.tensor(BIAS).requires_grad_(True)
    factors = {group["prefix"]: group["factor"] for group in updates.get("groups", [])}
    only_weights = updates.get("decays") == "weights"
    groups = [{"params": [weight], "factor": factors.get("weight", 1)}]
    groups.append({"params": [bias], "factor": factors.get("bias", 1)})
    if only_weights:
        groups[1]["weight_decay"] = 0.0
    optimizer = make(groups)
    steps, batch = [], 0
    mean = [weight.detach().clone(), bias.detach().clone()]
    for number, rate in enumerate(RATES, start=1):
        optimizer.zero_grad()
        for _ in range(updates.get("accumulate", 1)):
            (loss(weight, bias, batch) / updates.get("accumulate", 1)).backward()
            batch += 1
        if "clip_norm" in updates:
            torch.nn.utils.clip_grad_norm_([weight, bias], updates["clip_norm"])
        for group in optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        optimizer.step()
        steps.append(numbers(weight, bias))
        if "ema" in updates:
            keep = min(updates["ema"], (1 + number) / (10 + number))
            for slow, fast in zip(mean, [weight, bias]):
                slow.mul_(keep).add_(fast.detach(), alpha=1 - keep)
    row = {"optimizer": config, "updates": updates, "rates": RATES, "steps": steps}
    if "ema" in updates:
        row["averaged"] = numbers(*mean)
    return row


def numbers(weight, bias):
    return [float(f"{x:.9g}") for x in weight.reshape(-1).tolist() + bias.tolist()]


def adam(**options):
    return lambda groups: torch.optim.Adam(groups, **options)


def adamw(**options):
    return lambda groups: torch.optim.AdamW(groups, **options)


def rmsprop(**options):
    return lambda groups: torch.optim.RMSprop(groups, **options)


def sgd(**options):
    return lambda groups: torch.optim.SGD(groups, lr=0.1, **options)


NESTEROV = {"momentum": 0.9, "nesterov": True, "weight_decay": 0.05}
CASES = [
    case(adam(), {"kind": "adam"}),
    case(
        adam(betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1),
        {"kind": "adam", "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4, "weight_decay": 0.1},
    ),
    case(adamw(), {"kind": "adamw"}),
    case(adamw(weight_decay=0.5), {"kind": "adamw", "weight_decay": 0.5}, {"decays": "weights"}),
    case(rmsprop(), {"kind": "rmsprop"}),
    case(
        rmsprop(alpha=0.9, eps=1e-7, momentum=0.8, weight_decay=0.1),
        {"kind": "rmsprop", "alpha": 0.9, "epsilon": 1e-7, "momentum": 0.8, "weight_decay": 0.1},
    ),
    case(sgd(), {"kind": "sgd", "momentum": 0.0}),
    case(sgd(momentum=0.9), {"kind": "sgd"}),
    case(sgd(**NESTEROV), {"kind": "sgd", **NESTEROV}),
    case(sgd(**NESTEROV), {"kind": "sgd", **NESTEROV}, {"decays": "weights"}),
    case(sgd(), {"kind": "sgd", "momentum": 0.0}, {"clip_norm": 0.1}),
    case(sgd(), {"kind": "sgd", "momentum": 0.0}, {"clip_norm": 1e3}),
    case(adam(), {"kind": "adam"}, {"accumulate": 3}),
    case(sgd(momentum=0.9), {"kind": "sgd"}, {"accumulate": 2, "clip_norm": 0.5}),
    case(adamw(), {"kind": "adamw"}, {"groups": [{"prefix": "bias", "factor": 0.1}]}),
    case(sgd(momentum=0.9), {"kind": "sgd"}, {"ema": 0.999}),
    case(sgd(momentum=0.9), {"kind": "sgd"}, {"ema": 0.2}),
]

PROBLEM = {"inputs": INPUTS, "targets": TARGETS, "weight": WEIGHT, "bias": BIAS}
with open("optimizers.json", "w", encoding="utf-8") as file:
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in CASES)
    problem = json.dumps(PROBLEM, separators=(",", ":"))
    file.write(f'{{"problem":{problem},\n"cases":[\n{rows}\n]}}\n')

"""Computes figures of small cases with scikit-learn and NumPy, for `src/metrics/reference.rs`.

    pip install numpy scikit-learn
    python tests/reference/metrics.py > tests/reference/metrics.json

Rows of masks are strings of one character a pixel; `.` is 255 (unlabeled, or not predicted).
Nothing here follows the Rust text: figures of classes, rankings and images come from
scikit-learn, the salt score from floating-point thresholds, and relaxed figures from the
distances of all pairs of pixels.
"""

import json
import random
import warnings

import numpy as np
from sklearn import metrics
from sklearn.dummy import DummyClassifier

VOID = 255
rng = random.Random(20130101)


def random_mask(width, height, classes, patches, void_share):
    """Rectangles of random classes, then single pixels that are void or another class."""
    mask = np.full((height, width), classes[0])
    for _ in range(patches):
        x, y = rng.randrange(width), rng.randrange(height)
        w, h = rng.randrange(1, width), rng.randrange(1, height // 2 + 2)
        mask[y : y + h, x : x + w] = rng.choice(classes)
    for y in range(height):
        for x in range(width):
            if rng.random() < void_share:
                mask[y, x] = VOID
    return mask


def disturbed(mask, classes, share, void_share):
    """The same mask with some pixels of other classes and some without any."""
    found = np.where(mask == VOID, rng.choice(classes), mask)
    for at in np.ndindex(*found.shape):
        draw = rng.random()
        if draw < share:
            found[at] = rng.choice(classes)
        elif draw < share + void_share:
            found[at] = VOID
    return found


def rows(mask):
    return ["".join("." if v == VOID else str(v) for v in row) for row in mask]


def value_or_none(value):
    return None if np.isnan(value) else float(value)


def scores(truth, prediction, num_classes, background):
    """scikit-learn's figures of labeled pixels; not predicted is a class that no truth has."""
    labeled = truth != VOID
    truth, prediction = truth[labeled], prediction[labeled]
    classes = list(range(num_classes))
    with_truth = sorted(set(truth.tolist()))
    others = [c for c in classes if c != background]

    def per_class(function):
        return function(
            truth, prediction, labels=classes, average=None, zero_division=np.nan
        )

    def averaged(function, labels, average):
        return float(function(truth, prediction, labels=labels, average=average, zero_division=0))

    jaccard, f1 = metrics.jaccard_score, metrics.f1_score
    iou = jaccard(truth, prediction, labels=classes, average=None, zero_division=0)
    f1_of = f1(truth, prediction, labels=classes, average=None, zero_division=0)
    dummy = DummyClassifier(strategy="most_frequent").fit(truth, truth)
    truth_others = [c for c in with_truth if c != background]
    return {
        "pixel_accuracy": metrics.accuracy_score(truth, prediction),
        "majority_baseline": dummy.score(truth, truth),
        "majority_class": int(dummy.predict([0])[0]),
        "mean_iou": averaged(jaccard, with_truth, "macro"),
        "mean_iou_without_background": averaged(jaccard, truth_others, "macro"),
        "frequency_weighted_iou": averaged(jaccard, with_truth, "weighted"),
        "mean_accuracy": metrics.balanced_accuracy_score(truth, prediction),
        "mean_f1": averaged(f1, with_truth, "macro"),
        "pooled_iou": averaged(jaccard, classes, "micro"),
        "pooled_f1": averaged(f1, classes, "micro"),
        "pooled_iou_without_background": averaged(jaccard, others, "micro"),
        "pooled_f1_without_background": averaged(f1, others, "micro"),
        "kappa": metrics.cohen_kappa_score(truth, prediction),
        "iou": [float(iou[c]) if c in with_truth else None for c in classes],
        "f1": [float(f1_of[c]) if c in with_truth else None for c in classes],
        "precision": [value_or_none(v) for v in per_class(metrics.precision_score)],
        "recall": [value_or_none(v) for v in per_class(metrics.recall_score)],
        "support": [int((truth == c).sum()) for c in classes],
    }


def per_image(images, background):
    """The mean over images of scikit-learn's macro IoU over the classes in either mask."""
    means, others = [], []
    for truth, prediction in images:
        labeled = truth != VOID
        if not labeled.any():
            continue
        truth, prediction = truth[labeled], prediction[labeled]
        present = sorted((set(truth.tolist()) | set(prediction.tolist())) - {VOID})
        for labels, found in ((present, means), ([c for c in present if c != background], others)):
            if labels:
                found.append(
                    metrics.jaccard_score(
                        truth, prediction, labels=labels, average="macro", zero_division=0
                    )
                )
    return {
        "per_image_mean_iou": float(np.mean(means)),
        "per_image_mean_iou_without_background": float(np.mean(others)),
    }


def class_case(num_classes, truth_classes, background, void_share, unpredicted_share):
    classes = list(range(num_classes))
    images = []
    for number in range(3):
        truth = random_mask(16, 12, truth_classes, 5, void_share)
        if number == 2:
            truth[:] = np.where(truth == VOID, VOID, truth_classes[0])
        images.append((truth, disturbed(truth, classes, 0.2 * number, unpredicted_share)))
    pooled = [np.concatenate([pair[side] for pair in images]) for side in (0, 1)]
    return {
        "num_classes": num_classes,
        "background": background,
        "images": [{"truth": rows(t), "prediction": rows(p)} for t, p in images],
        "scores": scores(*pooled, num_classes, background),
        "per_image": per_image(images, background),
    }


def salt_score(truth, prediction):
    """The competition's text: strict comparison, empty beside empty is right."""
    labeled = truth != VOID
    truth, prediction = truth[labeled] == 1, prediction[labeled] == 1
    if not truth.any() or not prediction.any():
        return float(truth.any() == prediction.any())
    iou = (truth & prediction).sum() / (truth | prediction).sum()
    return float(np.mean([iou > t for t in np.arange(0.5, 1.0, 0.05)]))


def salt_case():
    images = []
    for number in range(14):
        truth = random_mask(10, 10, [0, 1], 4, 0.05 if number % 2 else 0.0)
        if number % 5 == 0:
            truth[truth == 1] = 0
        prediction = disturbed(truth, [0, 1], 0.04 * (number % 7), 0.0)
        if number == 5:
            prediction[:] = 0
        images.append((truth, prediction))
    # An IoU of exactly 3/5, which is no more than the third threshold.
    truth, prediction = np.zeros((1, 10), int), np.zeros((1, 10), int)
    truth[0, :4], prediction[0, 1:5] = 1, 1
    images.append((truth, prediction))
    found = [salt_score(*pair) for pair in images]
    return {
        "images": [
            {"truth": rows(t), "prediction": rows(p), "score": s}
            for (t, p), s in zip(images, found)
        ],
        "mean": float(np.mean(found)),
        "empty_baseline": float(np.mean([not (t == 1).any() for t, _ in images])),
    }


def ranking_case(top, num_pixels, sharpness):
    truth, levels = [], []
    for _ in range(num_pixels):
        is_class = rng.random() < 0.3
        truth.append(VOID if rng.random() < 0.1 else int(is_class))
        middle = 0.5 + (sharpness if is_class else -sharpness)
        levels.append(round(top * min(1.0, max(0.0, rng.gauss(middle, 0.2)))))
    labeled = [(t, v) for t, v in zip(truth, levels) if t != VOID]
    is_class, level = np.array(labeled).T
    precision, recall, _ = metrics.precision_recall_curve(is_class, level)
    sums = precision + recall
    f1 = np.divide(2 * precision * recall, sums, out=np.zeros_like(sums), where=sums > 0)
    return {
        "top": top,
        "truth": truth,
        "levels": levels,
        "auroc": metrics.roc_auc_score(is_class, level),
        "average_precision": metrics.average_precision_score(is_class, level),
        "best_f1": float(f1.max()),
        "f1_at": [
            [int(t), metrics.f1_score(is_class, level >= t)] for t in (1, top // 3, top // 2, top)
        ],
    }


def presence_case():
    images = [(rng.choice([0, 0, 3, 50]), rng.randrange(9)) for _ in range(30)]
    is_there, evidence = np.array([t > 0 for t, _ in images]), np.array([e for _, e in images])
    return {
        "images": images,
        "threshold": 4.0,
        "presence_accuracy": metrics.accuracy_score(is_there, evidence > 4),
        "presence_f1": metrics.f1_score(is_there, evidence > 4),
        "presence_auroc": metrics.roc_auc_score(is_there, evidence),
        "presence_average_precision": metrics.average_precision_score(is_there, evidence),
    }


def relaxed_share(pixels, near):
    """Share of the first pixels that have one of the second within a distance: all pairs."""

    def share(radius):
        if len(pixels) == 0:
            return None
        if len(near) == 0:
            return 0.0
        steps = pixels[:, None, :] - near[None, :, :]
        return float((np.hypot(steps[..., 0], steps[..., 1]).min(axis=1) <= radius).mean())

    return share


def relaxed_case(void_share):
    truth, prediction = np.zeros((24, 40), int), np.zeros((24, 40), int)
    for mask in (truth, prediction):
        for _ in range(3):
            y, slope = rng.uniform(2, 22), rng.uniform(-0.5, 0.5)
            for x in range(rng.randrange(6), 40 - rng.randrange(6)):
                row = round(y + slope * x)
                if 0 <= row < 24:
                    mask[row, x] = 1
    for at in np.ndindex(*truth.shape):
        if rng.random() < void_share:
            truth[at] = VOID
    true = np.argwhere(truth == 1)
    predicted = np.argwhere((prediction == 1) & (truth != VOID))
    recall, precision = relaxed_share(true, predicted), relaxed_share(predicted, true)
    found = [[r, precision(r), recall(r)] for r in (0, 1, 2, 3, 5)]
    return {"truth": rows(truth), "prediction": rows(prediction), "relaxed": found}


def main():
    warnings.simplefilter("ignore")  # y_pred has classes that y_true has not: meant so
    found = {
        "classes": [
            class_case(4, [0, 1, 2, 3], 0, 0.1, 0.1),
            class_case(4, [0, 1, 2], 0, 0.0, 0.0),
            class_case(3, [1, 2], 2, 0.3, 0.0),
            class_case(2, [0, 1], 0, 0.05, 0.05),
        ],
        "salt": salt_case(),
        "ranking": [ranking_case(10, 60, 0.1), ranking_case(254, 90, 0.2), ranking_case(65535, 60, 0.05)],
        "presence": presence_case(),
        "relaxed": [relaxed_case(0.0), relaxed_case(0.2)],
    }
    text = json.dumps(found, separators=(",", ":"))
    print(text.replace('{"', '\n{"'))


main()

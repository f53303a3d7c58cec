"""Augmented patches with albumentations and rasterio: COUNT patches for each line read from stdin.

Prints "ready ALBUMENTATIONS RASTERIO" once, then the seconds of each round.
Usage: loading.py IMAGE MASK SIDE COUNT CACHE_MIB
"""

import sys
import time

import albumentations as A
import cv2
import numpy as np
import rasterio
from rasterio.windows import Window


def strong():
    """The kinds, ranges and probabilities of Augmentation::strong(), as near as there are."""
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.VerticalFlip(p=0.5),
            A.RandomRotate90(p=0.75),
            A.Affine(
                scale=(0.7, 1.4),
                rotate=(-45, 45),
                translate_percent=(-0.0625, 0.0625),
                shear={"x": (-10, 10), "y": (0, 0)},
                border_mode=cv2.BORDER_REFLECT_101,
                p=0.9,
            ),
            A.ElasticTransform(alpha=120, sigma=16, approximate=True, p=0.2),
            A.RandomShadow(num_shadows_limit=(1, 2), p=0.2),
            A.RandomGamma(gamma_limit=(70, 150), p=0.3),
            A.RandomBrightnessContrast(0.2, 0.2, p=0.75),
            A.HueSaturationValue(10, 30, 0, p=0.75),
            A.GaussianBlur(sigma_limit=(0.5, 1.0), blur_limit=0, p=0.2),
            A.GaussNoise(std_range=(0.012, 0.028), p=0.2),
            A.ImageCompression(quality_range=(60, 100), p=0.2),
            A.CoarseDropout(
                num_holes_range=(1, 1),
                hole_height_range=(0.1, 0.25),
                hole_width_range=(0.1, 0.25),
                p=0.2,
            ),
            A.Normalize(),
        ],
        seed=1,
    )


def main():
    image, mask = sys.argv[1:3]
    side, count, cache = map(int, sys.argv[3:])
    cv2.setNumThreads(0)
    rng = np.random.default_rng(1)
    augment = strong()
    with (
        rasterio.Env(GDAL_CACHEMAX=cache, GDAL_NUM_THREADS="1"),
        rasterio.open(image) as pixels,
        rasterio.open(mask) as classes,
    ):
        # The mask is held in memory, as Orthobrush holds it.
        labels = classes.read(1)
        print("ready", A.__version__, rasterio.__version__, flush=True)
        for _ in sys.stdin:
            began = time.perf_counter()
            for _ in range(count):
                x = int(rng.integers(pixels.width - side))
                y = int(rng.integers(pixels.height - side))
                patch = pixels.read((1, 2, 3), window=Window(x, y, side, side))
                patch = np.ascontiguousarray(patch.transpose(1, 2, 0))
                made = augment(image=patch, mask=labels[y : y + side, x : x + side])
                np.ascontiguousarray(made["image"].transpose(2, 0, 1), dtype=np.float32)
                np.ascontiguousarray(made["mask"])
            print(time.perf_counter() - began, flush=True)


main()

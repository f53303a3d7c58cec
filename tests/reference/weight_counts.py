"""How many weights published networks have, from their own code.

    python weight_counts.py > weight_counts.json

Needs torchvision 0.29 and segmentation_models_pytorch 0.6. Nothing is downloaded: the weights are
fresh. Tests in src/nn/family compare with these, and state what ours has differently.
"""

import json

import segmentation_models_pytorch as smp
import torchvision.models.segmentation as tv
from torch import nn


def count(module):
    return sum(weights.numel() for weights in module.parameters())


def double(inputs, outputs):
    """With biases before norms, as Keras has them unless told otherwise."""
    def half(channels):
        return [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*half(inputs), *half(outputs))


def salt_unet(base=16, depth=4):
    """The U-Net of the salt competition's well-known notebook: one channel in, one class.

    Keras says 2,164,305, with the running numbers of its norms, two for each of 1,472 channels.
    """
    filters = [base << level for level in range(depth + 1)]
    blocks = [double(a, b) for a, b in zip([1] + filters[:-1], filters)]
    up = [nn.ConvTranspose2d(2 * f, f, 3, 2) for f in filters[:-1]]
    blend = [double(2 * f, f) for f in filters[:-1]]
    return nn.ModuleList([*blocks, *up, *blend, nn.Conv2d(base, 1, 1)])


def of_smp(family, encoder, classes, **choices):
    return count(getattr(smp, family)(encoder, encoder_weights=None, classes=classes, **choices))


def of_torchvision(family, has_auxiliary):
    return count(getattr(tv, family)(weights=None, weights_backbone=None, num_classes=21,
                                     aux_loss=has_auxiliary))


print(json.dumps({
    "unet_resnet18": of_smp("Unet", "resnet18", 1),
    "unet_resnet50": of_smp("Unet", "resnet50", 1),
    "fpn_resnet18": of_smp("FPN", "resnet18", 1),
    "fpn_resnet50": of_smp("FPN", "resnet50", 1),
    "pspnet_resnet18": of_smp("PSPNet", "resnet18", 21, encoder_depth=5),
    "deeplabv3plus_resnet18": of_smp("DeepLabV3Plus", "resnet18", 21),
    "fcn_resnet50": of_torchvision("fcn_resnet50", False),
    "deeplabv3_resnet50": of_torchvision("deeplabv3_resnet50", False),
    "deeplabv3_resnet50_auxiliary": of_torchvision("deeplabv3_resnet50", True),
    "salt_unet": count(salt_unet()),
}, indent=1))

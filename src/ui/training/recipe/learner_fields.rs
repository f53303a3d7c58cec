use super::field::{Field, Kind};
use super::fields::Section;
use crate::train::{ModelConfig, OptimizerConfig, UpdateConfig};

const BETAS: &[&str] = &["adam", "adamw"];
const RULE: &str = "optimizer.kind";

/// How gradients become weights.
pub const OPTIMIZER: Section = Section {
    title: "Optimizer",
    fields: &[
        Field::word(
            RULE,
            ["Rule", "How a gradient changes a weight"],
            &[
                ("adam", "Adam"),
                ("adamw", "AdamW"),
                ("rmsprop", "RMSprop"),
                ("sgd", "SGD"),
            ],
        ),
        Field::real(
            "optimizer.beta_1",
            ["Beta 1", "How much of the mean gradient stays at a step"],
            OptimizerConfig::KEPT,
        )
        .only(RULE, BETAS),
        Field::real(
            "optimizer.beta_2",
            [
                "Beta 2",
                "How much of the mean squared gradient stays at a step",
            ],
            OptimizerConfig::KEPT,
        )
        .only(RULE, BETAS),
        Field::real(
            "optimizer.alpha",
            [
                "Alpha",
                "How much of the mean squared gradient stays at a step",
            ],
            OptimizerConfig::KEPT,
        )
        .only(RULE, &["rmsprop"]),
        Field::real(
            "optimizer.epsilon",
            ["Epsilon", "Keeps tiny gradients from large steps"],
            OptimizerConfig::EPSILON,
        )
        .only(RULE, &["adam", "adamw", "rmsprop"]),
        Field::real(
            "optimizer.momentum",
            ["Momentum", "How much of the last step is added to the next"],
            OptimizerConfig::KEPT,
        )
        .only(RULE, &["rmsprop", "sgd"]),
        Field::of(
            "optimizer.nesterov",
            ["Nesterov", "Looks ahead along the momentum"],
            Kind::Flag,
        )
        .only(RULE, &["sgd"]),
        Field::real(
            "optimizer.weight_decay",
            ["Weight decay", "How strongly weights are drawn to zero"],
            OptimizerConfig::WEIGHT_DECAY,
        ),
        Field::word(
            "updates.decays",
            ["What decays", "Which parameters weight decay acts on"],
            &[
                ("all", "All parameters"),
                ("weights", "Weights, not biases and norms"),
            ],
        ),
        Field::of(
            "updates.clip_norm",
            [
                "Clip gradients",
                "The most that the norm of all gradients together may be",
            ],
            Kind::MaybeReal(UpdateConfig::CLIP_NORM.0, UpdateConfig::CLIP_NORM.1, 1.0),
        ),
        Field::whole(
            "updates.accumulate",
            [
                "Accumulate",
                "Batches whose mean gradient makes one step: a larger batch in less memory",
            ],
            UpdateConfig::ACCUMULATE,
        ),
        Field::of(
            "updates.ema",
            [
                "Mean of weights",
                "How much of the running mean of the weights stays at a step; the mean is what is scored and saved",
            ],
            Kind::MaybeReal(UpdateConfig::EMA.0, UpdateConfig::EMA.1, 0.999),
        ),
    ],
};

const ENCODER: &str = "model.encoder";
const FAMILY: &str = "model.family";

/// The shape of the network.
pub const NETWORK: Section = Section {
    title: "Network",
    fields: &[
        Field::whole(
            "model.base_filters",
            [
                "Filters",
                "Channels of the first level of the plain encoder; each level below has twice as many",
            ],
            ModelConfig::BASE_FILTERS,
        )
        .used(ENCODER, &["plain"]),
        Field::whole(
            "model.depth",
            ["Depth", "Halvings of a U-Net with the plain encoder"],
            ModelConfig::DEPTH,
        )
        .used(ENCODER, &["plain"]),
        Field::whole(
            "model.stem_filters",
            [
                "Stem filters",
                "Channels of the first layer of a residual encoder; 64 as published",
            ],
            ModelConfig::STEM_FILTERS,
        )
        .used(ENCODER, &["resnet18", "resnet34", "resnet50"]),
        Field::of(
            "model.output_stride",
            [
                "Output stride",
                "Where the encoder stops halving and dilates: 8, 16 or 32",
            ],
            Kind::MaybeWhole(8, 32, 16),
        )
        .unset("as published"),
        Field::of(
            "model.width",
            [
                "Decoder width",
                "Channels of the decoder",
            ],
            Kind::MaybeWhole(ModelConfig::WIDTH.0, ModelConfig::WIDTH.1, 128),
        )
        .unset("as published"),
        Field::of(
            "model.residual",
            [
                "Residual blocks",
                "The blocks of a U-Net add their input to what they find",
            ],
            Kind::Flag,
        )
        .used(FAMILY, &["unet"]),
        Field::real(
            "model.dropout",
            [
                "Dropout",
                "Share of the values that are left out in training",
            ],
            (0.0, 0.95),
        ),
        Field::real(
            "model.auxiliary_weight",
            [
                "Second head",
                "Weight of its loss, in training alone (PSPNet, DeepLab); 0: none, 0.4 is usual",
            ],
            ModelConfig::AUXILIARY_WEIGHT,
        )
        .used(FAMILY, &["pspnet", "deeplabv3", "deeplabv3plus"]),
        Field::whole(
            "model.frozen_stages",
            [
                "Frozen stages",
                "How many stages of a pretrained encoder stay as they are, from the finest on",
            ],
            ModelConfig::FROZEN_STAGES,
        )
        .used(ENCODER, &["lite0"]),
        Field::whole(
            "unfreeze_after",
            [
                "Unfreeze after",
                "Epochs after which frozen stages, also those whose features are kept, learn as well; 0: never",
            ],
            (0, 100_000),
        ),
        Field::word(
            "model.norm",
            [
                "Normalization",
                "What stands behind convolutions; groups and frozen statistics suit small batches",
            ],
            &[
                ("batch", "Over the batch"),
                ("group", "Over groups of channels"),
                ("frozen_batch", "Over the batch, frozen"),
                ("none", "None"),
            ],
        ),
        Field::word(
            "model.decoder_up",
            ["Doubling", "How the decoder of a U-Net doubles the sides"],
            &[
                ("nearest", "Nearest, then convolution"),
                ("transposed", "Transposed convolution"),
            ],
        )
        .used(FAMILY, &["unet"]),
    ],
};

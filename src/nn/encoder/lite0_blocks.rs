use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::conv_norm::{ConvNorm, NormData};
use super::lite0_weights::PretrainedLite0;

/// All blocks between two halvings.
#[derive(Module, Debug)]
pub(super) struct Stage {
    /// The first convolution of all; only the first stage has it.
    pub(super) stem: Option<ConvNorm>,
    /// In the order that images pass them.
    pub(super) blocks: Vec<Block>,
}

/// An inverted residual: widen, filter each channel by itself, narrow.
#[derive(Module, Debug)]
pub(super) struct Block {
    /// None in the first block, which is not widened.
    pub(super) expand: Option<ConvNorm>,
    /// Filters each channel by itself; has the block's stride.
    pub(super) depthwise: ConvNorm,
    /// Narrows.
    pub(super) project: ConvNorm,
}

impl Stage {
    /// The stage's map of the map before it, or of images.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = match &self.stem {
            Some(stem) => stem.forward_relu6(x),
            None => x,
        };
        self.blocks.iter().fold(x, |x, block| block.forward(x))
    }

    /// All layers, in the order that images pass them.
    pub(super) fn layers(&self) -> impl Iterator<Item = &ConvNorm> {
        self.stem
            .iter()
            .chain(self.blocks.iter().flat_map(Block::layers))
    }

    /// The stage with every layer changed.
    pub(super) fn mapped(self, change: fn(ConvNorm) -> ConvNorm) -> Self {
        let in_block = |block: Block| Block {
            expand: block.expand.map(change),
            depthwise: change(block.depthwise),
            project: change(block.project),
        };
        Self {
            stem: self.stem.map(change),
            blocks: self.blocks.into_iter().map(in_block).collect(),
        }
    }

    /// The stage without its halving: its first block answers every pixel, and the taps of the
    /// others, `dilation` pixels apart before, twice as far apart.
    pub(super) fn without_halving(self, dilation: usize) -> Self {
        let widen = |(n, mut block): (usize, Block)| {
            block.depthwise = if n == 0 {
                block.depthwise.dense().dilated(dilation)
            } else {
                block.depthwise.dilated(2 * dilation)
            };
            block
        };
        Self {
            stem: self.stem,
            blocks: self.blocks.into_iter().enumerate().map(widen).collect(),
        }
    }
}

impl Block {
    fn layers(&self) -> impl Iterator<Item = &ConvNorm> {
        let filter_and_narrow = [&self.depthwise, &self.project];
        self.expand.iter().chain(filter_and_narrow)
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let wide = match &self.expand {
            Some(expand) => expand.forward_relu6(input.clone()),
            None => input.clone(),
        };
        let output = self.project.forward(self.depthwise.forward_relu6(wide));
        // In this network a block keeps the number of channels just when it keeps the size.
        if input.dims()[1] == output.dims()[1] {
            output + input
        } else {
            output
        }
    }
}

/// Takes the published weights apart, block by block in their order.
pub(super) struct Parts<'a> {
    weights: PretrainedLite0,
    num_blocks: usize,
    device: &'a Device,
}

impl<'a> Parts<'a> {
    /// All blocks are still to come; they are made on `device`.
    pub(super) fn new(device: &'a Device) -> Self {
        Self {
            weights: PretrainedLite0::new(),
            num_blocks: 0,
            device,
        }
    }

    /// The first layer, for images of `in_channels` channels.
    pub(super) fn stem(&self, in_channels: usize) -> ConvNorm {
        let kernels = self.weights.stem(in_channels);
        ConvNorm::new(kernels, self.norm("_bn0"), 2, self.device)
    }

    /// The next stage, with blocks of these strides.
    pub(super) fn stage(&mut self, stem: Option<ConvNorm>, strides: &[usize]) -> Stage {
        Stage {
            stem,
            blocks: strides.iter().map(|&stride| self.block(stride)).collect(),
        }
    }

    fn norm(&self, name: &str) -> NormData {
        let vector = |part: &str| self.weights.tensor(&format!("{name}.{part}"));
        NormData {
            gamma: vector("weight"),
            beta: vector("bias"),
            mean: vector("running_mean"),
            variance: vector("running_var"),
        }
    }

    fn block(&mut self, stride: usize) -> Block {
        let name = format!("_blocks.{}", self.num_blocks);
        let layer = |conv: &str, norm: &str, stride: usize| {
            ConvNorm::new(
                self.weights.tensor(&format!("{name}.{conv}.weight")),
                self.norm(&format!("{name}.{norm}")),
                stride,
                self.device,
            )
        };
        let is_widened = self.num_blocks > 0;
        let block = Block {
            expand: is_widened.then(|| layer("_expand_conv", "_bn0", 1)),
            depthwise: layer("_depthwise_conv", "_bn1", stride),
            project: layer("_project_conv", "_bn2", 1),
        };
        self.num_blocks += 1;
        block
    }
}

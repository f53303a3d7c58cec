use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use super::EncoderKind;
use crate::nn::ModelConfig;
use crate::nn::cpu::{Activation, convolve};
use crate::nn::layers::{ConvNorm, ConvShape, Layers};
use crate::nn::norm::Norm;

/// A residual network (He et al. 2015, "Deep Residual Learning for Image Recognition") without
/// its classifier. Bottlenecks stride in their 3×3 convolution and dilation is dealt out as in
/// torchvision, and fields have the names they have there, so that published weights fit.
///
/// `[N, in, H, W]`; with f `stem_filters`, `[N, f, H / 2, W / 2]` of the stem; `[N, e f, H / 4,
/// W / 4]`, `[N, 2 e f, H / 8, W / 8]`, `[N, 4 e f, H / 16, W / 16]` and `[N, 8 e f, H / 32, W / 32]`
/// of the layers, e being 4 with bottlenecks and else 1; past the output stride, sides stay.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: Norm,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    output_stride: usize,
}

/// Two 3×3 convolutions, or a 3×3 between two 1×1 (a bottleneck), and a way around them.
#[derive(Module, Debug)]
struct Block {
    conv1: Conv2d,
    bn1: Norm,
    conv2: Conv2d,
    bn2: Norm,
    /// In a bottleneck.
    conv3: Option<Conv2d>,
    bn3: Option<Norm>,
    downsample: Option<ConvNorm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockKind {
    Basic,
    Bottleneck,
}

impl BlockKind {
    /// Channels out for each that the 3×3 convolutions have.
    const fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

/// What a block is but its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BlockShape {
    kind: BlockKind,
    inputs: usize,
    /// Channels of the 3×3 convolutions.
    planes: usize,
    stride: usize,
    dilation: usize,
}

impl Block {
    fn new(shape: BlockShape, layers: &mut Layers<'_>) -> Self {
        let BlockShape {
            kind,
            inputs,
            planes,
            stride,
            dilation,
        } = shape;
        let outputs = planes * kind.expansion();
        let three = |inputs| ConvShape::three(inputs, planes).with_dilation(dilation);
        let (first, second, third) = match kind {
            BlockKind::Basic => (three(inputs).with_stride(stride), three(planes), None),
            BlockKind::Bottleneck => (
                ConvShape::one(inputs, planes),
                three(planes).with_stride(stride),
                Some(ConvShape::one(planes, outputs)),
            ),
        };
        let around = ConvShape::one(inputs, outputs).with_stride(stride);
        let is_projected = stride != 1 || inputs != outputs;
        Self {
            conv1: layers.conv_before_norm(first),
            bn1: layers.norm(planes),
            conv2: layers.conv_before_norm(second),
            bn2: layers.norm(planes),
            conv3: third.map(|third| layers.conv_before_norm(third)),
            bn3: third.map(|_| layers.norm(outputs)),
            downsample: is_projected.then(|| layers.conv_norm(around)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let around = match &self.downsample {
            Some(downsample) => downsample.forward(x.clone()),
            None => x.clone(),
        };
        let x = self.bn1.forward_relu(convolve(&self.conv1, x));
        let x = convolve(&self.conv2, x);
        let x = match (&self.conv3, &self.bn3) {
            (Some(conv3), Some(bn3)) => bn3.forward(convolve(conv3, self.bn2.forward_relu(x))),
            _ => self.bn2.forward(x),
        };
        Activation::Relu.of(x + around)
    }

    fn num_outputs(&self) -> usize {
        self.conv3.as_ref().unwrap_or(&self.conv2).weight.dims()[0]
    }
}

/// Block kind and number of blocks in the four layers (table 1 of the paper).
const fn plan(encoder: EncoderKind) -> (BlockKind, [usize; 4]) {
    match encoder {
        EncoderKind::Resnet34 => (BlockKind::Basic, [3, 4, 6, 3]),
        EncoderKind::Resnet50 => (BlockKind::Bottleneck, [3, 4, 6, 3]),
        _ => (BlockKind::Basic, [2, 2, 2, 2]),
    }
}

impl ResNet {
    /// The residual network that `config` names, with fresh weights.
    pub fn new(config: &ModelConfig, layers: &mut Layers<'_>) -> Self {
        let output_stride = config.encoder_stride();
        let stem = config.stem_filters;
        let (kind, num_blocks) = plan(config.encoder);
        let conv1 = ConvShape {
            side: 7,
            stride: 2,
            ..ConvShape::one(config.in_channels, stem)
        };
        let conv1 = layers.conv_before_norm(conv1);
        let bn1 = layers.norm(stem);
        let mut inputs = stem;
        let (mut reached, mut dilation) = (4, 1);
        let [layer1, layer2, layer3, layer4] = [0, 1, 2, 3].map(|layer| {
            let wished = if layer == 0 { 1 } else { 2 };
            let first_dilation = dilation;
            let stride = if reached * wished > output_stride {
                dilation *= wished;
                1
            } else {
                wished
            };
            reached *= stride;
            let mut shape = BlockShape {
                kind,
                inputs,
                planes: stem << layer,
                stride,
                dilation: first_dilation,
            };
            inputs = shape.planes * kind.expansion();
            let mut blocks = vec![Block::new(shape, layers)];
            (shape.inputs, shape.stride, shape.dilation) = (inputs, 1, dilation);
            blocks.extend((1..num_blocks[layer]).map(|_| Block::new(shape, layers)));
            blocks
        });
        Self {
            conv1,
            bn1,
            layer1,
            layer2,
            layer3,
            layer4,
            output_stride,
        }
    }

    /// See [`Encoder::forward`](super::Encoder::forward).
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let stem = self.bn1.forward_relu(convolve(&self.conv1, images));
        let pool = MaxPoolOptions::new([3, 3])
            .with_stride([2, 2])
            .with_padding([1, 1]);
        let mut x = max_pool2d(stem.clone(), pool);
        let mut maps = vec![stem];
        for layer in self.layers() {
            x = layer.iter().fold(x, |x, block| block.forward(x));
            maps.push(x.clone());
        }
        maps
    }

    /// Channels of the five maps.
    pub fn channels(&self) -> [usize; 5] {
        let last = |layer: &Vec<Block>| layer.last().map_or(0, Block::num_outputs);
        let [first, second, third, fourth] = self.layers().map(last);
        [self.conv1.weight.dims()[0], first, second, third, fourth]
    }

    /// Pixels of the image for each of the coarsest map, along a side.
    pub const fn stride(&self) -> usize {
        self.output_stride
    }

    const fn layers(&self) -> [&Vec<Block>; 4] {
        [&self.layer1, &self.layer2, &self.layer3, &self.layer4]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::nn::NormKind;
    use crate::nn::weight_count::WeightCount;

    fn network(encoder: EncoderKind, stem_filters: usize, output_stride: usize) -> ResNet {
        let config = ModelConfig {
            encoder,
            stem_filters,
            output_stride: Some(output_stride),
            ..ModelConfig::default()
        };
        let device = Device::flex();
        let mut uniform = || 0.5;
        ResNet::new(
            &config,
            &mut Layers::new(&mut uniform, &device, NormKind::Batch),
        )
    }

    #[test]
    fn weights_are_as_many_as_in_torchvision() {
        // Counted there (release 0.29) without the classifier.
        for (encoder, expected) in [
            (EncoderKind::Resnet18, 11_176_512),
            (EncoderKind::Resnet34, 21_284_672),
            (EncoderKind::Resnet50, 23_508_032),
        ] {
            let count = WeightCount::of(&network(encoder, 64, 32)).weights;
            assert_eq!(count, expected, "{}", encoder.name());
        }
    }

    #[test]
    fn dilation_is_dealt_out_as_in_torchvision() {
        let dilations = |layer: &Vec<Block>| {
            let of = |block: &Block| block.conv2.dilation[0];
            layer.iter().map(of).collect::<Vec<_>>()
        };
        let eight = network(EncoderKind::Resnet50, 1, 8);
        assert_eq!(dilations(&eight.layer2), [1; 4]);
        assert_eq!(dilations(&eight.layer3), [1, 2, 2, 2, 2, 2]);
        assert_eq!(dilations(&eight.layer4), [2, 4, 4]);
        let sixteen = network(EncoderKind::Resnet50, 1, 16);
        assert_eq!(dilations(&sixteen.layer3), [1; 6]);
        assert_eq!(dilations(&sixteen.layer4), [1, 2, 2]);
    }
}

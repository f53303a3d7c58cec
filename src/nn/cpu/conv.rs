use burn::backend::Dispatch;
use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Device, Tensor};

use super::depthwise::Depthwise;
use super::doubling::Doubling;
use super::kernel::Kernel;
use super::ops::CpuLayers as _;
use super::window::Window;

/// `x` `[N, in, H, W]` under `conv`, as [`conv2d`] does it.
pub fn convolve(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let PaddingConfig2d::Explicit(above, before, below, after) = conv.padding else {
        return conv.forward(x);
    };
    let padding = [(above, below), (before, after)];
    let options = ConvOptions::new_with_padding(conv.stride, padding, conv.dilation, conv.groups);
    let bias = conv.bias.as_ref().map(Param::val);
    conv2d(x, conv.weight.val(), bias, options)
}

/// What Burn's function of that name does; on the processor with code of our own where there is.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    match kernel(&x, &weight, &options).filter(Kernel::is_worthwhile) {
        Some(kernel) => under(kernel, x, weight, bias),
        None => burn::tensor::module::conv2d(x, weight, bias, options),
    }
}

/// `x` `[N, in, H, W]` under `conv`, which doubles its sides.
pub fn double(conv: &ConvTranspose2d, x: Tensor<4>) -> Tensor<4> {
    let [images, inputs, height, width] = x.dims();
    let [_, outputs, rows, columns] = conv.weight.dims();
    let plain = [rows, columns] == [2, 2] && conv.stride == [2, 2] && conv.dilation == [1, 1];
    let padded = conv.padding != [0, 0] || conv.padding_out != [0, 0];
    if !is_ours(&x) || !plain || padded || conv.groups != 1 {
        return conv.forward(x);
    }
    let doubling = Doubling {
        images,
        channels: [inputs, outputs],
        size: [height, width],
    };
    let bias = conv.bias.as_ref().map(Param::val);
    under(Kernel::Doubling(doubling), x, conv.weight.val(), bias)
}

fn under(kernel: Kernel, x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
    let bias = bias.unwrap_or_else(|| {
        let [_, outputs, _, _] = kernel.out_shape();
        // A constant, for whose slope nobody asks.
        Tensor::zeros([outputs], &weight.device().inner())
    });
    Tensor::from_dispatch(Dispatch::convolved(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        kernel,
    ))
}

/// Whether `x` is where, and of the kind, that we have code for.
pub(super) fn is_ours(x: &Tensor<4>) -> bool {
    #[cfg(test)]
    if super::bypass::is_taken() {
        return false;
    }
    x.device() == Device::flex() && x.dtype() == DType::F32 && x.shape().num_elements() > 0
}

/// The kind of a convolution, if it is one that we have code for.
fn kernel(x: &Tensor<4>, weight: &Tensor<4>, options: &ConvOptions<2>) -> Option<Kernel> {
    let [images, inputs, height, width] = x.dims();
    let [outputs, of_group, rows, columns] = weight.dims();
    let window = Window {
        images,
        channels: [inputs, outputs],
        size: [height, width],
        kernel: [rows, columns],
        dilation: options.dilation,
        padding: options.padding.map(|(before, after)| [before, after]),
    };
    if !is_ours(x) || !window.is_usual() {
        return None;
    }
    let stride = options.stride;
    if options.groups == 1 && of_group == inputs {
        (stride == [1, 1]).then_some(Kernel::Dense(window))
    } else {
        let is_depthwise = options.groups == inputs && of_group == 1 && inputs == outputs;
        is_depthwise.then_some(Kernel::Depthwise(Depthwise { window, stride }))
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::conv::ConvTranspose2dConfig;
    use burn::tensor::module;
    use proptest::prelude::*;

    use super::super::test_numbers::{Answer, assert_close, numbers};
    use super::*;

    /// What comes out, and the slopes at the images, the weight and the bias.
    fn answer(
        conv: fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, ConvOptions<2>) -> Tensor<4>,
        kernel: &Kernel,
    ) -> Answer {
        let device = Device::flex().autodiff();
        let (window, stride, groups) = match kernel {
            Kernel::Dense(window) => (window, [1, 1], 1),
            Kernel::Depthwise(some) => (&some.window, some.stride, some.window.channels[0]),
            Kernel::Doubling(_) => unreachable!("not asked for here"),
        };
        let [inputs, outputs] = window.channels;
        let [[height, width], [rows, columns]] = [window.size, window.kernel];
        let x = numbers([window.images, inputs, height, width], &device).require_grad();
        let weight = numbers([outputs, inputs / groups, rows, columns], &device).require_grad();
        let bias = numbers([outputs], &device).require_grad();
        let padding = window.padding.map(|[before, after]| (before, after));
        let options = ConvOptions::new_with_padding(stride, padding, window.dilation, groups);
        let y = conv(x.clone(), weight.clone(), Some(bias.clone()), options);
        let grads = (y.clone() * numbers(y.dims(), &device)).sum().backward();
        vec![
            y.into_data(),
            x.grad(&grads).expect("a slope").into_data(),
            weight.grad(&grads).expect("a slope").into_data(),
            bias.grad(&grads).expect("a slope").into_data(),
        ]
    }

    /// Ours also where it is not worthwhile.
    fn ours(
        x: Tensor<4>,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        options: ConvOptions<2>,
    ) -> Tensor<4> {
        let kernel = kernel(&x, &weight, &options).expect("a kind that we have code for");
        under(kernel, x, weight, bias)
    }

    fn check(kernel: &Kernel) {
        assert_close(&answer(ours, kernel), &answer(module::conv2d, kernel));
    }

    fn same(images: usize, channels: [usize; 2], size: [usize; 2], dilation: usize) -> Window {
        Window {
            images,
            channels,
            size,
            kernel: [3, 3],
            dilation: [dilation; 2],
            padding: [[dilation; 2]; 2],
        }
    }

    #[test]
    fn the_shapes_of_networks_give_what_burn_gives() {
        check(&Kernel::Dense(same(1, [3, 16], [70, 65], 1)));
        check(&Kernel::Dense(same(5, [16, 5], [8, 8], 1)));
        check(&Kernel::Dense(same(2, [70, 66], [4, 4], 2)));
        check(&Kernel::Dense(same(3, [9, 1], [1, 1], 1)));
        let one = Window {
            kernel: [1, 1],
            padding: [[0; 2]; 2],
            ..same(2, [10, 7], [13, 9], 1)
        };
        check(&Kernel::Dense(one));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_shape_gives_what_burn_gives(
            images in 1..4_usize,
            channels in [1..10_usize, 1..10_usize],
            size in [1..20_usize, 1..20_usize],
            kernel in [1..4_usize, 1..6_usize],
            dilation in [1..3_usize, 1..3_usize],
            stride in [1..4_usize, 1..4_usize],
            padding in [[0..3_usize, 0..3_usize], [0..3_usize, 0..3_usize]],
        ) {
            let window = Window { images, channels, size, kernel, dilation, padding };
            prop_assume!(window.is_usual());
            check(&Kernel::Dense(window));
            let window = Window { channels: [channels[0] + 1; 2], ..window };
            check(&Kernel::Depthwise(Depthwise { window, stride }));
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let dense = Kernel::Dense(same(9, [5, 70], [33, 31], 1));
        let answers = [1, 2, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().expect("threads");
            pool.install(|| answer(ours, &dense))
        });
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
    }

    #[test]
    fn doubling_gives_what_burn_gives() {
        let ours = |conv: &ConvTranspose2d, x| double(conv, x);
        let of_burn = |conv: &ConvTranspose2d, x| conv.forward(x);
        for (channels, size) in [([3, 5], [7, 1]), ([16, 8], [8, 8]), ([1, 1], [1, 3])] {
            let answers = [ours, of_burn].map(|doubled: fn(&ConvTranspose2d, _) -> _| {
                let device = Device::flex().autodiff();
                let conv = ConvTranspose2dConfig::new(channels, [2, 2]).with_stride([2, 2]);
                let mut conv = conv.init(&device);
                let [inputs, outputs] = channels;
                conv.weight = Param::from_tensor(numbers([inputs, outputs, 2, 2], &device));
                let bias = Param::from_tensor(numbers([outputs], &device));
                conv.bias = Some(bias.clone());
                let x = numbers([3, inputs, size[0], size[1]], &device).require_grad();
                let y = doubled(&conv, x.clone());
                let grads = (y.clone() * numbers(y.dims(), &device)).sum().backward();
                vec![
                    y.into_data(),
                    x.grad(&grads).expect("a slope").into_data(),
                    conv.weight.val().grad(&grads).expect("a slope").into_data(),
                    bias.val().grad(&grads).expect("a slope").into_data(),
                ]
            });
            assert_close(&answers[0], &answers[1]);
        }
    }

    #[test]
    fn what_is_not_ours_is_left_to_burn() {
        let device = Device::flex();
        let x = numbers([1, 4, 6, 6], &device);
        let weight = numbers([4, 4, 3, 3], &device);
        let options = ConvOptions::new([2, 2], [1, 1], [1, 1], 1);
        assert_eq!(kernel(&x, &weight, &options), None);
        let options = ConvOptions::new([1, 1], [3, 3], [1, 1], 1);
        assert_eq!(kernel(&x, &weight, &options), None);
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        assert!(kernel(&x, &weight, &options).is_some());
        let y = conv2d(x.slice([0..1, 0..4, 0..2, 0..6]), weight, None, options);
        assert_eq!(y.dims(), [1, 4, 2, 6]);
    }
}

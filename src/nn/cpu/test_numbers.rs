use burn::tensor::{Device, Int, Tensor, TensorData};

/// What a layer gives, then the slopes at what it was given.
pub type Answer = Vec<TensorData>;

/// Numbers between -1 and 1 that look like noise, not the same for all shapes.
pub fn numbers<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let ramp = Tensor::<1, Int>::arange(0..count as i64, &device.clone().inner());
    let noise = (ramp.float() * (12.9 + count as f32)).sin().reshape(shape);
    Tensor::from_data(noise.into_data(), device)
}

/// Whether all numbers agree, but for what rounding does to sums of their size.
#[track_caller]
pub fn assert_close(found: &Answer, expected: &Answer) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.shape(), expected.shape());
        let [found, expected] =
            [found, expected].map(|data| data.iter::<f32>().collect::<Vec<_>>());
        let largest = expected
            .iter()
            .fold(1.0_f32, |most, number| most.max(number.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let off = (found - expected).abs() / largest;
            assert!(off < 5e-5, "{found} is not {expected}");
        }
    }
}

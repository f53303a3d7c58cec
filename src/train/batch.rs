use burn::tensor::{Device, Int, Tensor, TensorData};

use super::TrainError;
use crate::dataset::Batch;

/// A batch's images, `[N, 3, side, side]`.
pub(super) fn images_on(device: &Device, images: Vec<f32>, len: usize, side: usize) -> Tensor<4> {
    Tensor::from_data(TensorData::new(images, [len, 3, side, side]), device)
}

/// A batch's labels, `[N, side, side]`.
pub(super) fn labels_on(device: &Device, batch: &Batch) -> Tensor<3, Int> {
    let labels: Vec<i32> = batch.labels.iter().map(|&label| i32::from(label)).collect();
    let shape = [batch.len, batch.side, batch.side];
    Tensor::from_data(TensorData::new(labels, shape), device)
}

/// The one number in `tensor`.
///
/// # Errors
/// When the device has failed since the last reading.
pub(super) fn number(tensor: Tensor<1>) -> Result<f64, TrainError> {
    let number: f32 = tensor
        .try_into_scalar()
        .map_err(|error| TrainError::DeviceLost(error.to_string()))?;
    Ok(f64::from(number))
}

/// All numbers in `tensor`, by row.
///
/// # Errors
/// When the device has failed since the last reading.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    tensor
        .try_into_vec_as()
        .map_err(|error| TrainError::DeviceLost(error.to_string()))
}

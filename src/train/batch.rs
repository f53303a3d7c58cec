use burn::tensor::{Device, Int, Tensor, TensorData};

use super::TrainError;
use crate::dataset::Batch;

/// A batch's images, `[N, channels, side, side]`.
pub(super) fn images_on(device: &Device, images: Vec<f32>, len: usize, side: usize) -> Tensor<4> {
    let channels = images.len() / (len * side * side).max(1);
    Tensor::from_data(TensorData::new(images, [len, channels, side, side]), device)
}

/// A batch's labels, `[N, side, side]`.
pub(super) fn labels_on(device: &Device, batch: &Batch) -> Tensor<3, Int> {
    let labels: Vec<i32> = batch.labels.iter().map(|&label| i32::from(label)).collect();
    let shape = [batch.len, batch.side, batch.side];
    Tensor::from_data(TensorData::new(labels, shape), device)
}

/// `batch` in pieces of at most `most` patches, in order.
pub(super) fn pieces(batch: Batch, most: usize) -> Vec<Batch> {
    if batch.len <= most {
        return vec![batch];
    }
    let side = batch.side;
    let (numbers, labels) = (batch.images.len() / batch.len * most, side * side * most);
    let images = batch.images.chunks(numbers.max(1));
    let piece = |(images, labels): (&[f32], &[u8])| Batch {
        images: images.to_vec(),
        labels: labels.to_vec(),
        len: labels.len() / (side * side),
        side,
    };
    images.zip(batch.labels.chunks(labels)).map(piece).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_each_other_and_the_last_may_be_shorter() {
        let batch = Batch {
            images: (0..5 * 3 * 4).map(|n| n as f32).collect(),
            labels: (0..5 * 4).collect(),
            len: 5,
            side: 2,
        };
        let parts = pieces(batch.clone(), 2);
        let lengths: Vec<usize> = parts.iter().map(|part| part.len).collect();
        assert_eq!(lengths, [2, 2, 1]);
        let images: Vec<f32> = parts.iter().flat_map(|part| part.images.clone()).collect();
        assert_eq!(images, batch.images);
        assert_eq!(parts[2].labels, batch.labels[16..]);
        assert_eq!(pieces(batch.clone(), 5), [batch]);
    }
}

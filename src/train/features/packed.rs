use burn::tensor::{Device, Tensor, TensorData, f16};
use rayon::prelude::*;

use super::Precision;
use crate::nn::{Features, Lite0, ModelConfig};

/// How the labels and the maps of a patch lie in one record: a byte for each label, then the
/// numbers of each map by channel and row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packing {
    side: usize,
    precision: Precision,
    maps: Vec<MapShape>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MapShape {
    level: usize,
    channels: usize,
    /// Columns and rows.
    side: usize,
}

impl MapShape {
    const fn numbers(self) -> usize {
        self.channels * self.side * self.side
    }
}

impl Packing {
    /// For patches of `side` × `side` and the maps of `levels` of the pretrained encoder in `model`.
    pub(super) fn new(
        model: &ModelConfig,
        levels: &[usize],
        side: usize,
        precision: Precision,
    ) -> Self {
        let shape = |&level: &usize| MapShape {
            level,
            channels: Lite0::CHANNELS[level],
            side: side / Lite0::STRIDES[level].min(model.encoder_stride()),
        };
        Self {
            side,
            precision,
            maps: levels.iter().map(shape).collect(),
        }
    }

    /// Bytes of a record.
    pub(super) fn record_bytes(&self) -> usize {
        let numbers: usize = self.maps.iter().map(|map| map.numbers()).sum();
        self.area() + numbers * self.number_bytes()
    }

    const fn area(&self) -> usize {
        self.side * self.side
    }

    const fn number_bytes(&self) -> usize {
        match self.precision {
            Precision::Half => size_of::<f16>(),
            Precision::Single => size_of::<f32>(),
        }
    }

    /// The record of a patch of `labels` and `numbers`, one map after another.
    pub(super) fn pack(&self, labels: &[u8], numbers: impl Iterator<Item = f32>) -> Vec<u8> {
        let mut record = Vec::with_capacity(self.record_bytes());
        record.extend_from_slice(labels);
        for number in numbers {
            match self.precision {
                Precision::Half => record.extend(f16::from_f32(number).to_le_bytes()),
                Precision::Single => record.extend(number.to_le_bytes()),
            }
        }
        record
    }

    /// The labels of some patches, one after another.
    pub(super) fn labels(&self, records: &[Box<[u8]>]) -> Vec<u8> {
        let labels = records.iter().map(|record| &record[..self.area()]);
        labels.collect::<Vec<_>>().concat()
    }

    /// The maps of some patches as one batch on `device`.
    pub(super) fn features(&self, records: &[Box<[u8]>], device: &Device) -> Features {
        let mut begin = self.area();
        let mut maps = Vec::with_capacity(self.maps.len());
        for map in &self.maps {
            let bytes = map.numbers() * self.number_bytes();
            let parts: Vec<Vec<f32>> = records
                .par_iter()
                .map(|record| self.numbers(&record[begin..begin + bytes]))
                .collect();
            begin += bytes;
            let shape = [records.len(), map.channels, map.side, map.side];
            let data = TensorData::new(parts.concat(), shape);
            maps.push((map.level, Tensor::from_data(data, device)));
        }
        Features::of_levels(maps, [self.side; 2])
    }

    fn numbers(&self, bytes: &[u8]) -> Vec<f32> {
        match self.precision {
            Precision::Half => {
                let (halves, _) = bytes.as_chunks();
                let number = |&half: &[u8; 2]| f16::from_le_bytes(half).to_f32();
                halves.iter().map(number).collect()
            }
            Precision::Single => {
                let (numbers, _) = bytes.as_chunks();
                let number = |&bytes: &[u8; 4]| f32::from_le_bytes(bytes);
                numbers.iter().map(number).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{EncoderKind, Family};

    fn packing(precision: Precision) -> Packing {
        let model = ModelConfig {
            family: Family::Pspnet,
            encoder: EncoderKind::Lite0,
            ..ModelConfig::default()
        };
        Packing::new(&model, &[1, 4], 32, precision)
    }

    #[test]
    fn bytes_are_counted_by_hand() {
        // PSPNet halves to stride 8: 8 × 8 pixels of 24 channels and 4 × 4 of 320.
        let numbers = 8 * 8 * 24 + 4 * 4 * 320;
        assert_eq!(packing(Precision::Half).record_bytes(), 1024 + 2 * numbers);
        assert_eq!(
            packing(Precision::Single).record_bytes(),
            1024 + 4 * numbers
        );
    }

    #[test]
    fn what_was_packed_comes_back_exactly_or_to_three_digits() {
        let numbers: Vec<f32> = (0..8 * 8 * 24 + 4 * 4 * 320)
            .map(|n| (n as f32 * 0.37).sin() * 30.0)
            .collect();
        for (precision, most_apart) in [(Precision::Single, 0.0), (Precision::Half, 0.008)] {
            let packing = packing(precision);
            let labels = [3; 1024];
            let record = packing.pack(&labels, numbers.iter().copied());
            assert_eq!(record.len(), packing.record_bytes());
            let other = packing.pack(&[7; 1024], numbers.iter().map(|n| n + 1.0));
            let records = [record.into_boxed_slice(), other.into_boxed_slice()];
            assert_eq!(packing.labels(&records)[1023..1025], [3, 7]);
            let mut features = packing.features(&records, &Device::flex());
            assert_eq!(features.sides(), [32; 2]);
            let first = features.take(1).expect("a map");
            let last = features.take(4).expect("a map");
            assert_eq!((first.dims(), last.dims()), ([2, 24, 8, 8], [2, 320, 4, 4]));
            let found: Vec<f32> = [first, last]
                .into_iter()
                .flat_map(|map| -> Vec<f32> {
                    map.narrow(0, 0, 1).try_into_vec_as().expect("numbers")
                })
                .collect();
            let apart = |(a, b): (&f32, &f32)| (a - b).abs() <= most_apart;
            assert!(found.iter().zip(&numbers).all(apart), "{precision:?}");
        }
    }
}

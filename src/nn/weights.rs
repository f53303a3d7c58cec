use burn::module::Module;
use burn::store::{ModuleSnapshot as _, ModuleStore as _, SafetensorsStore};

/// Why weights could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The bytes are no safetensors file, or it is cut short.
    #[error("The weights cannot be read ({0}); train again or restore the file")]
    Unreadable(String),
    /// The file belongs to another network.
    #[error("The weights do not fit the network: {0}")]
    Misfit(String),
    /// The weights could not be put into a file's bytes.
    #[error("The weights cannot be written: {0}")]
    Unwritable(String),
}

/// The network's weights as the bytes of a safetensors file.
///
/// # Errors
/// When a tensor cannot be read back from its device.
pub fn write_weights<M: Module>(network: &M) -> Result<Vec<u8>, WeightsError> {
    // One entry only: more come in the order of a hash map, and equal weights make equal files.
    let store = SafetensorsStore::from_bytes(None).clear_metadata();
    let mut store = store.metadata("producer", "orthobrush");
    store
        .collect_from(network)
        .map_err(|error| WeightsError::Unwritable(error.to_string()))?;
    store
        .get_bytes()
        .map_err(|error| WeightsError::Unwritable(error.to_string()))
}

/// Fills `network` with the weights in `bytes`; all must be there, none may be left over.
///
/// # Errors
/// Says which weights are missing, left over or of another shape.
pub fn read_weights<M: Module>(network: &mut M, bytes: Vec<u8>) -> Result<(), WeightsError> {
    let mut store = SafetensorsStore::from_bytes(Some(bytes))
        .validate(false)
        .allow_partial(true);
    let result = network
        .load_from(&mut store)
        .map_err(|error| WeightsError::Unreadable(error.to_string()))?;
    let mut differences: Vec<String> = result.errors.iter().map(ToString::to_string).collect();
    differences.extend(
        result
            .missing
            .iter()
            .map(|(name, _)| format!("{name} is missing")),
    );
    differences.extend(
        result
            .unused
            .iter()
            .map(|name| format!("{name} is left over")),
    );
    if differences.is_empty() {
        Ok(())
    } else {
        Err(WeightsError::Misfit(shortened(&differences)))
    }
}

/// The first few differences in words.
fn shortened(differences: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = differences
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    match differences.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::super::{ModelConfig, UNet};
    use super::*;

    fn network(base_filters: usize, start: f32) -> UNet {
        let config = ModelConfig {
            base_filters,
            depth: 1,
            ..ModelConfig::default()
        };
        let mut n = start;
        let mut uniform = || {
            n = (n * 7.3 + 0.11).fract();
            n
        };
        UNet::new(&config, 2, &mut uniform, &Device::flex())
    }

    fn answer(network: &UNet) -> Vec<f32> {
        let x = Tensor::<4>::ones([1, 3, 4, 4], &Device::flex());
        network.forward(x).try_into_vec_as().expect("numbers")
    }

    #[test]
    fn weights_come_back_to_the_last_bit() {
        let (first, mut second) = (network(2, 0.1), network(2, 0.6));
        assert_ne!(answer(&first), answer(&second));
        read_weights(&mut second, write_weights(&first).expect("bytes")).expect("a fit");
        assert_eq!(answer(&first), answer(&second));
    }

    #[test]
    fn the_file_is_safetensors() {
        let bytes = write_weights(&network(2, 0.1)).expect("bytes");
        let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        let header = std::str::from_utf8(&bytes[8..8 + length]).expect("JSON");
        assert!(
            header.starts_with('{') && header.contains("\"head.weight\""),
            "{header}"
        );
    }

    #[test]
    fn weights_of_another_network_are_refused_by_name() {
        let bytes = write_weights(&network(4, 0.1)).expect("bytes");
        let error = read_weights(&mut network(2, 0.1), bytes).expect_err("a misfit");
        assert!(error.to_string().contains("weight"), "{error}");
    }

    #[test]
    fn a_file_cut_short_is_an_error() {
        let mut bytes = write_weights(&network(2, 0.1)).expect("bytes");
        bytes.truncate(bytes.len() / 2);
        assert!(read_weights(&mut network(2, 0.1), bytes).is_err());
        assert!(read_weights(&mut network(2, 0.1), Vec::new()).is_err());
    }
}

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
    // Which variant of an enum holds a weight is said by the configuration, not by its name.
    let store = store.skip_enum_variants(true);
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
        .skip_enum_variants(true)
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

    use super::super::{EncoderKind, Family, ModelConfig, Network};
    use super::*;

    fn config(base_filters: usize) -> ModelConfig {
        ModelConfig {
            base_filters,
            depth: 1,
            ..ModelConfig::default()
        }
    }

    fn network_of(config: &ModelConfig, start: f32) -> Network {
        let mut n = start;
        let mut uniform = || {
            n = (n * 7.3 + 0.11).fract();
            n
        };
        Network::new(config, 2, &mut uniform, &Device::flex())
    }

    fn network(base_filters: usize, start: f32) -> Network {
        network_of(&config(base_filters), start)
    }

    fn answer(network: &Network) -> Vec<f32> {
        let x = Tensor::<4>::ones([1, 3, 4, 4], &Device::flex());
        network.forward(x).try_into_vec_as().expect("numbers")
    }

    /// Names of the tensors in a safetensors file, sorted.
    fn names(bytes: &[u8]) -> Vec<String> {
        let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        let header = std::str::from_utf8(&bytes[8..8 + length]).expect("text");
        let header: serde_json::Value = serde_json::from_str(header).expect("JSON");
        let names = header.as_object().expect("a table").keys().cloned();
        let mut names: Vec<String> = names.filter(|name| name != "__metadata__").collect();
        names.sort();
        names
    }

    #[test]
    fn weights_come_back_to_the_last_bit() {
        let (first, mut second) = (network(2, 0.1), network(2, 0.6));
        assert_ne!(answer(&first), answer(&second));
        read_weights(&mut second, write_weights(&first).expect("bytes")).expect("a fit");
        assert_eq!(answer(&first), answer(&second));
    }

    #[test]
    fn weights_of_every_family_come_back() {
        for family in Family::ALL {
            let config = ModelConfig {
                family,
                encoder: EncoderKind::Resnet50,
                stem_filters: 2,
                width: Some(16),
                ..ModelConfig::default()
            };
            let (first, mut second) = (network_of(&config, 0.1), network_of(&config, 0.6));
            assert_ne!(answer(&first), answer(&second));
            let bytes = write_weights(&first).expect("bytes");
            assert!(names(&bytes).contains(&"encoder.layer4.2.bn3.gamma".to_owned()));
            read_weights(&mut second, bytes).expect("a fit");
            assert_eq!(answer(&first), answer(&second));
        }
    }

    #[test]
    fn the_default_network_has_the_names_it_had_before_there_were_families() {
        let mut expected = ["head", "up.0.narrow"]
            .map(|layer| ["weight", "bias"].map(|name| format!("{layer}.{name}")))
            .concat();
        for block in ["down.0", "bottom", "up.0.blend"] {
            for conv in ["first", "second"] {
                expected.push(format!("{block}.{conv}.weight"));
                let numbers = ["gamma", "beta", "running_mean", "running_var"];
                expected.extend(numbers.map(|name| format!("{block}.{conv}_norm.{name}")));
            }
        }
        expected.sort();
        assert_eq!(
            names(&write_weights(&network(2, 0.1)).expect("bytes")),
            expected
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

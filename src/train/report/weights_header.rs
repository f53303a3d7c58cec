use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::Value;

use crate::disk::open_file;

/// No header this program writes is longer.
const MOST_HEADER_BYTES: u64 = 16 << 20;

/// How many numbers of the network in a safetensors file are learned; the running means and
/// deviations of norms are not. Only the header is read.
///
/// # Errors
/// When the file cannot be read or its header is damaged.
pub(super) fn num_weights(path: &Path) -> io::Result<u64> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "its header is damaged");
    let mut file = open_file(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MOST_HEADER_BYTES {
        return Err(damaged());
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header)?;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&header)?;
    let learned = header.iter().filter(|(name, _)| is_learned(name));
    learned
        .map(|(_, tensor)| num_elements(tensor))
        .try_fold(0_u64, |sum, elements| sum.checked_add(elements?))
        .ok_or_else(damaged)
}

fn is_learned(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    name != "__metadata__" && !last.starts_with("running_")
}

fn num_elements(tensor: &Value) -> Option<u64> {
    let sides = tensor.get("shape")?.as_array()?;
    sides
        .iter()
        .try_fold(1_u64, |product, side| product.checked_mul(side.as_u64()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;

    fn counted(header: &str, length: usize) -> Option<u64> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("weights.safetensors");
        let mut bytes = (length as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        replace_file(&path, &bytes).expect("written");
        num_weights(&path).ok()
    }

    #[test]
    fn what_is_learned_is_counted() {
        let header = r#"{"__metadata__": {"producer": "x"},
            "a.weight": {"dtype": "F32", "shape": [4, 3, 3, 3], "data_offsets": [0, 432]},
            "a.norm.running_mean": {"dtype": "F32", "shape": [4]},
            "a.bias": {"dtype": "F32", "shape": [4]}, "scale": {"shape": []}}"#;
        assert_eq!(counted(header, header.len()), Some(108 + 4 + 1));
    }

    #[test]
    fn damage_is_an_error() {
        let huge = r#"{"a": {"shape": [9999999999, 9999999999]}}"#;
        let wrong = r#"{"a": {"shape": "x"}}"#;
        for text in [huge, wrong, "[]", "{"] {
            assert_eq!(counted(text, text.len()), None, "{text}");
        }
        assert_eq!(counted("{}", usize::MAX), None);
        assert_eq!(counted("{}", 2), Some(0));
    }
}

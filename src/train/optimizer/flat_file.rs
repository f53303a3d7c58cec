use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Words and rows of numbers as the bytes of a safetensors file: all 32-bit floats, one axis.
///
/// Equal content makes equal bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FlatFile {
    pub(super) words: BTreeMap<String, String>,
    pub(super) rows: BTreeMap<String, Vec<f32>>,
}

/// The header's entry of one row.
#[derive(Serialize, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// Key of the words in the header.
const WORDS: &str = "__metadata__";
/// Bytes of a number.
const NUMBER: usize = 4;
/// The header's length comes first, in this many bytes.
const LENGTH: usize = 8;

impl FlatFile {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut header = BTreeMap::new();
        let words = serde_json::to_value(&self.words).expect("words are JSON");
        header.insert(WORDS, words);
        let mut start = 0;
        for (name, row) in &self.rows {
            let end = start + (row.len() * NUMBER) as u64;
            let entry = Entry {
                dtype: "F32".to_owned(),
                shape: vec![row.len() as u64],
                data_offsets: [start, end],
            };
            start = end;
            let entry = serde_json::to_value(entry).expect("words and numbers are JSON");
            header.insert(name, entry);
        }
        let mut header = serde_json::to_vec(&header).expect("a map by words is JSON");
        // Readers that map the file want the numbers aligned.
        header.resize(header.len().next_multiple_of(LENGTH), b' ');
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        for number in self.rows.values().flatten() {
            bytes.extend(number.to_le_bytes());
        }
        bytes
    }

    /// # Errors
    /// Says what is wrong with `bytes`.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let cut_short = || "it is cut short".to_owned();
        let (length, rest) = bytes.split_first_chunk::<LENGTH>().ok_or_else(cut_short)?;
        let length = usize::try_from(u64::from_le_bytes(*length))
            .ok()
            .filter(|&length| length <= rest.len())
            .ok_or_else(cut_short)?;
        let (header, numbers) = rest.split_at(length);
        let mut header: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(header).map_err(|error| error.to_string())?;
        let mut file = Self::default();
        if let Some(words) = header.remove(WORDS) {
            file.words = serde_json::from_value(words).map_err(|error| error.to_string())?;
        }
        for (name, entry) in header {
            let entry: Entry =
                serde_json::from_value(entry).map_err(|error| format!("{name}: {error}"))?;
            let row = entry
                .row(numbers)
                .ok_or_else(|| format!("{name} is damaged"))?;
            file.rows.insert(name, row);
        }
        Ok(file)
    }
}

impl Entry {
    /// The entry's part of `numbers`; `None` when it is none.
    fn row(&self, numbers: &[u8]) -> Option<Vec<f32>> {
        let [start, end] = self.data_offsets.map(usize::try_from);
        let bytes = numbers.get(start.ok()?..end.ok()?)?;
        let count = bytes.len() / NUMBER;
        let fits = self.dtype == "F32"
            && self.shape == [count as u64]
            && bytes.len().is_multiple_of(NUMBER);
        let (numbers, _) = bytes.as_chunks::<NUMBER>();
        fits.then(|| {
            numbers
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file() -> FlatFile {
        FlatFile {
            words: [("kind".to_owned(), "adam".to_owned())].into(),
            rows: [
                ("a.b".to_owned(), vec![1.0, -0.0, f32::MIN_POSITIVE]),
                ("c".to_owned(), Vec::new()),
            ]
            .into(),
        }
    }

    #[test]
    fn the_header_is_that_of_a_safetensors_file() {
        let bytes = file().to_bytes();
        let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        let header = std::str::from_utf8(&bytes[8..8 + length])
            .expect("JSON")
            .trim_end();
        let expected = concat!(
            r#"{"__metadata__":{"kind":"adam"},"#,
            r#""a.b":{"data_offsets":[0,12],"dtype":"F32","shape":[3]},"#,
            r#""c":{"data_offsets":[12,12],"dtype":"F32","shape":[0]}}"#
        );
        assert_eq!(header, expected);
        assert_eq!(bytes.len(), 8 + length + 12);
    }

    #[test]
    fn lies_about_lengths_are_refused() {
        let good = file().to_bytes();
        for (from, to) in [("[0,12]", "[0,13]"), ("[0,12]", "[8,4] "), ("[3]", "[4]")] {
            let length = good.len() - 12;
            let header = std::str::from_utf8(&good[8..length]).expect("JSON");
            let mut bytes = good[..8].to_vec();
            bytes.extend(header.replacen(from, to, 1).bytes());
            bytes.extend(&good[length..]);
            assert!(FlatFile::from_bytes(&bytes).is_err(), "{from} {to}");
        }
        assert!(FlatFile::from_bytes(&u64::MAX.to_le_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn rows_come_back_to_the_last_bit(rows in prop::collection::btree_map(
            "[a-z.]{1,8}", prop::collection::vec(any::<u32>(), 0..9), 0..5,
        )) {
            let numbers = |row: Vec<u32>| row.into_iter().map(f32::from_bits).collect();
            let rows = rows.into_iter().map(|(name, row)| (name, numbers(row))).collect();
            let file = FlatFile { rows, ..file() };
            let bytes = file.to_bytes();
            let again = FlatFile::from_bytes(&bytes).expect("a file");
            prop_assert_eq!(again.to_bytes(), bytes);
        }

        #[test]
        fn no_bytes_panic(
            at in 0usize..200, byte in any::<u8>(), length in 0usize..250,
        ) {
            let mut bytes = file().to_bytes();
            let len = bytes.len();
            bytes[at % len] = byte;
            bytes.truncate(length);
            drop(FlatFile::from_bytes(&bytes));
        }
    }
}

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use crate::exchange::read_text;

/// A table of a million images is some 100 MB; a longer one is something else.
const MAX_TABLE_BYTES: u64 = 256 << 20;

/// Numbers that a table gives to images, for example the depth of each from `depths.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct SideTable {
    /// The file.
    pub path: PathBuf,
    /// Names of the columns of numbers.
    pub columns: Vec<String>,
    /// A number a column by the image's name ([`Sample::name`](super::Sample::name)); `None` where
    /// the field is empty or no number.
    pub rows: BTreeMap<String, Vec<Option<f64>>>,
}

impl SideTable {
    /// Reads a table with commas whose first column names images and whose other columns hold
    /// numbers. Lines of other images are left out; `None` when nothing is left.
    pub(super) fn read(path: &Path, names: &HashSet<&str>) -> Option<Self> {
        let text = read_text(path, MAX_TABLE_BYTES).ok()?;
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next()?.split(',').map(str::trim).collect();
        let mut rows = BTreeMap::new();
        let mut is_number = vec![false; head.len()];
        for line in lines {
            let mut fields = line.split(',').map(|field| field.trim().trim_matches('"'));
            let name = fields.next().unwrap_or_default();
            let name = if names.contains(name) {
                name
            } else {
                name.rsplit_once('.').map_or(name, |(stem, _)| stem)
            };
            if !names.contains(name) {
                continue;
            }
            let mut numbers: Vec<Option<f64>> = fields
                .map(|field| field.parse().ok().filter(|number: &f64| number.is_finite()))
                .collect();
            numbers.resize(head.len() - 1, None);
            for (is_number, number) in is_number[1..].iter_mut().zip(&numbers) {
                *is_number |= number.is_some();
            }
            rows.insert(name.to_owned(), numbers);
        }
        let kept: Vec<usize> = (1..head.len())
            .filter(|&column| is_number[column])
            .collect();
        if kept.is_empty() {
            return None;
        }
        for numbers in rows.values_mut() {
            *numbers = kept.iter().map(|&column| numbers[column - 1]).collect();
        }
        Some(Self {
            path: path.to_owned(),
            columns: kept.iter().map(|&column| head[column].to_owned()).collect(),
            rows,
        })
    }

    /// The number of a column for an image.
    pub fn get(&self, name: &str, column: &str) -> Option<f64> {
        let column = self.columns.iter().position(|own| own == column)?;
        *self.rows.get(name)?.get(column)?
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_folders::write;
    use super::*;

    #[test]
    fn columns_of_numbers_are_kept_by_image() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = b"id, z,note\na.png,12,x\nb,,y\n\"c\",3.5\nother,9,z\n";
        let path = write(folder.path(), "depths.csv", text);
        let names = HashSet::from(["a", "b", "c"]);
        let table = SideTable::read(&path, &names).expect("a table");
        assert_eq!(table.columns, ["z"]);
        assert_eq!(table.get("a", "z"), Some(12.0));
        assert_eq!(
            (table.get("b", "z"), table.get("c", "z")),
            (None, Some(3.5))
        );
        assert_eq!((table.rows.len(), table.get("other", "z")), (3, None));
        let runs = write(folder.path(), "train.csv", b"id,rle_mask\na,1 2\nb,\n");
        assert!(SideTable::read(&runs, &names).is_none());
        assert!(SideTable::read(&path, &HashSet::new()).is_none());
    }
}

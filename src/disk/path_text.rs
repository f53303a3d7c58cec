//! Paths in reports for people and other programs. Text has no place for bytes that are no UTF-8:
//! there they become �, as where a path is printed.

use std::path::{Path, PathBuf};

use serde::Serializer;

/// The path as text.
pub fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The same for `#[serde(serialize_with)]`, since serde refuses such a path.
///
/// # Errors
/// When `serializer` refuses text.
pub fn serialize_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// The same for many paths.
///
/// # Errors
/// When `serializer` refuses text.
pub fn serialize_paths<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

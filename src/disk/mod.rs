//! How bytes reach a disk: files are replaced whole or not at all, and memory is counted in bytes.
//!
//! This layer knows neither pixels nor windows.

mod budget;
mod cache_folder;
mod lock;
mod open;
mod path_text;
mod pending;
mod replace;
mod space;
mod toml_text;
mod utc;
mod versions;

pub use budget::MemoryBudget;
pub use cache_folder::CacheFolder;
pub use lock::FileLock;
pub use open::{is_same_file, open_file};
pub use path_text::{path_text, serialize_path, serialize_paths};
pub use pending::{PendingFile, folder_of, move_into_place};
pub use replace::{ReplaceError, replace_file, replace_with};
pub use space::free_bytes;
pub use toml_text::{from_toml, toml_fault};
pub use utc::{utc, utc_of};
pub use versions::{keep_version, version_path};

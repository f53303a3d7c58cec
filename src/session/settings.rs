use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{MemoryBudget, ReplaceError, from_toml, replace_file};

/// How many recent files are remembered.
pub const MAX_RECENT: usize = 12;

/// Of how many images and folders the panes are remembered.
pub const MAX_PANES: usize = 64;

/// What the program remembers between starts: `settings.toml` in the user's configuration folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Images and folders opened last, newest first.
    pub recent: Vec<PathBuf>,
    /// Decoded image tiles in main memory, in MiB; `None` is the default of 256.
    pub tile_cache_mib: Option<usize>,
    /// Tiles on the graphics card, in MiB; `None` is the default of 128.
    pub gpu_tiles_mib: Option<usize>,
    /// Undo steps in main memory, in MiB; `None` is the default. Older ones are read back from the
    /// project when they are needed.
    pub history_mib: Option<usize>,
    /// Overviews of images that have none, on the disk, in GiB; `None` is the default of 8.
    pub overviews_gib: Option<u64>,
    /// Trainings do not wait while somebody works in the window.
    pub never_makes_room: bool,
    /// Which coordinates of the pointer are shown.
    pub coordinates: Coordinates,
    /// Keys that differ from the program's own: what an action is called here to its keys.
    pub keys: BTreeMap<String, Vec<String>>,
    /// In which panes images and folders were seen last, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub panes: Vec<Panes>,
}

/// In which panes an image or a folder was seen last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Panes {
    /// What was opened.
    pub of: PathBuf,
    /// How many panes there were.
    pub count: usize,
    /// What one pane shows, what two show, and so on, in the window's own words.
    pub shown: Vec<Vec<String>>,
    /// What lies behind all panes.
    pub behind: String,
}

/// Which coordinates of the pointer the status bar shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coordinates {
    /// Those of the file's own system.
    pub shows_map: bool,
    /// Longitude and latitude on WGS 84.
    pub shows_degrees: bool,
}

impl Default for Coordinates {
    fn default() -> Self {
        Self {
            shows_map: true,
            shows_degrees: false,
        }
    }
}

impl Settings {
    /// Where the settings of this user lie; `None` on a machine without a home folder.
    pub fn default_path() -> Option<PathBuf> {
        let folders = directories::ProjectDirs::from("", "", "orthobrush")?;
        Some(folders.config_dir().join("settings.toml"))
    }

    /// Reads settings; a missing file gives the defaults, a broken one too, with the reason.
    pub fn load(path: &Path) -> (Self, Option<String>) {
        let Ok(text) = fs::read_to_string(path) else {
            return (Self::default(), None);
        };
        match from_toml(&text) {
            Ok(settings) => (settings, None),
            Err(fault) => {
                let why = format!(
                    "The settings could not be read, so the defaults are used ({fault}): {}",
                    path.display()
                );
                (Self::default(), Some(why))
            }
        }
    }

    /// Writes the settings whole.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, path: &Path) -> Result<(), ReplaceError> {
        let text = toml::to_string_pretty(self).expect("settings hold only strings and numbers");
        replace_file(path, text.as_bytes())
    }

    /// Puts `path` first among the recent files.
    pub fn remember(&mut self, path: &Path) {
        self.forget(path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(MAX_RECENT);
    }

    /// Those of the recent files that are there now.
    pub fn recent_there(&self) -> impl Iterator<Item = &PathBuf> {
        self.recent.iter().filter(|path| path.exists())
    }

    /// Puts the panes of an image or a folder first among those that are known.
    pub fn keep_panes(&mut self, panes: Panes) {
        self.panes.retain(|known| known.of != panes.of);
        self.panes.insert(0, panes);
        self.panes.truncate(MAX_PANES);
    }

    /// The panes in which an image or a folder was seen last.
    pub fn panes_of(&self, opened: &Path) -> Option<&Panes> {
        self.panes.iter().find(|known| known.of == opened)
    }

    /// Takes `path` out of the recent files.
    pub fn forget(&mut self, path: &Path) {
        self.recent.retain(|known| known != path);
    }

    /// The bytes of overviews that are kept on the disk.
    pub fn overview_bytes(&self) -> u64 {
        self.overviews_gib.unwrap_or(8).saturating_mul(1 << 30)
    }

    /// The bytes that caches may hold.
    pub fn budget(&self) -> MemoryBudget {
        const MIB: usize = 1 << 20;
        let default = MemoryBudget::default();
        let bytes =
            |mib: Option<usize>, default| mib.map_or(default, |mib| mib.saturating_mul(MIB));
        MemoryBudget {
            tile_cache_bytes: bytes(self.tile_cache_mib, default.tile_cache_bytes),
            gpu_tile_bytes: bytes(self.gpu_tiles_mib, default.gpu_tile_bytes),
            history_bytes: bytes(self.history_mib, default.history_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_files_are_unique_newest_first_and_few() {
        let mut settings = Settings::default();
        (0..20).for_each(|n| settings.remember(Path::new(&format!("{n}.tif"))));
        settings.remember(Path::new("15.tif"));
        assert_eq!(settings.recent.len(), MAX_RECENT);
        assert_eq!(settings.recent[0], Path::new("15.tif"));
        assert_eq!(settings.recent[1], Path::new("19.tif"));
    }

    #[test]
    fn recent_files_that_are_gone_are_not_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("here.tif");
        replace_file(&file, b"").expect("written");
        let mut settings = Settings::default();
        let gone = folder.path().join("gone.tif");
        for path in [&gone, &file] {
            settings.remember(path);
        }
        assert_eq!(settings.recent_there().collect::<Vec<_>>(), [&file]);
        settings.forget(&file);
        assert_eq!(settings.recent, [gone]);
    }

    #[test]
    fn a_broken_file_is_reported_and_the_defaults_hold() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.toml");
        replace_file(&path, b"recent = 7").expect("written");
        let (settings, why) = Settings::load(&path);
        assert_eq!(settings, Settings::default());
        assert!(why.expect("a reason").contains("settings.toml"));
    }

    #[test]
    fn settings_survive_a_round_trip() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/settings.toml");
        let mut settings = Settings {
            tile_cache_mib: Some(64),
            coordinates: Coordinates {
                shows_map: false,
                shows_degrees: true,
            },
            ..Settings::default()
        };
        settings.remember(Path::new("ortho.tif"));
        settings.keys.insert("save".to_owned(), Vec::new());
        for (of, pane) in [("a.tif", "label"), ("b.tif", "errors"), ("a.tif", "work")] {
            settings.keep_panes(Panes {
                of: of.into(),
                count: 1,
                shown: vec![vec![pane.to_owned()]],
                behind: "prediction".to_owned(),
            });
        }
        assert_eq!(settings.panes.len(), 2, "the last of each");
        let kept = settings.panes_of(Path::new("a.tif")).expect("it is known");
        assert_eq!(kept.shown[0], ["work"]);
        settings.save(&path).expect("written");
        assert_eq!(Settings::load(&path), (settings, None));
    }
}

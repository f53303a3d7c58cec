//! Folders of tiles as maps on the net have them: `ZOOM/COLUMN/ROW.png`.

use std::fs::{self, DirEntry};
use std::ops::Range;
use std::path::{Path, PathBuf};

use roxmltree::Document;
use serde_json::Value;

use super::compose::spread_over;
use crate::raster::beside::small_text;

/// The deepest zoom that has a meaning: pixels of a tenth of a millimeter.
const DEEPEST: u8 = 30;
/// Names that are looked at before a folder is said to be none of tiles.
const MOST_NAMES: usize = 4_096;
/// Tiles whose names are listed to find how far they reach; beyond that some columns are.
const MOST_LISTED: usize = 1 << 20;
const COLUMNS_LOOKED_AT: usize = 64;
/// The most columns of a zoom.
const MOST_COLUMNS: usize = 1 << 20;
/// A description is a page of text.
const MOST_TEXT: u64 = 1 << 20;
/// Files that describe such a folder, in JSON.
const DESCRIPTIONS: [&str; 4] = ["metadata.json", "tilejson.json", "tile.json", "tiles.json"];
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// What the names in a folder of tiles say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TileFolder {
    pub(super) path: PathBuf,
    /// From the deepest.
    pub(super) zooms: Vec<u8>,
    /// Whether row 0 is the southernmost (TMS), not the northernmost.
    pub(super) is_upward: bool,
    /// Whether the tiles are those of the world in Web Mercator.
    pub(super) is_mercator: bool,
}

/// Columns and rows, from the north.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reach {
    pub(super) cols: Range<u32>,
    pub(super) rows: Range<u32>,
}

/// A tile by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TileName {
    pub(super) zoom: u8,
    pub(super) col: u32,
    /// From the north.
    pub(super) row: u32,
}

impl TileFolder {
    /// What a folder says; `None` where it is no folder of tiles.
    ///
    /// It is one when its subfolders are zooms, theirs columns, and files in these rows; other
    /// subfolders are allowed where a file describes the tiles. Images of its own make it a folder
    /// of images.
    pub(super) fn recognize(path: &Path) -> Option<Self> {
        let (mut zooms, mut has_others) = (Vec::new(), false);
        for entry in fs::read_dir(path).ok()?.take(MOST_NAMES) {
            let entry = entry.ok()?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if is_hidden {
                continue;
            }
            if is_folder(&entry) {
                match number_of(&entry).and_then(|zoom| u8::try_from(zoom).ok()) {
                    Some(zoom) if zoom <= DEEPEST => zooms.push(zoom),
                    _ => has_others = true,
                }
            } else if has_ending(&entry.path(), &["tif", "tiff", "vrt"])
                || has_ending(&entry.path(), &ENDINGS)
            {
                return None;
            }
        }
        let described = Description::read(path);
        if zooms.is_empty() || (has_others && described.is_none()) {
            return None;
        }
        zooms.sort_unstable_by(|one, other| other.cmp(one));
        let described = described.unwrap_or_default();
        let folder = Self {
            path: path.to_owned(),
            zooms,
            is_upward: described.is_upward,
            is_mercator: !described.is_local,
        };
        let has_tiles = folder.first_tile().is_some();
        has_tiles.then_some(folder)
    }

    /// Any tile, of the deepest zoom that has one.
    pub(super) fn first_tile(&self) -> Option<PathBuf> {
        self.zooms.iter().find_map(|&zoom| {
            let columns = fs::read_dir(self.path.join(zoom.to_string())).ok()?;
            let columns = columns.take(MOST_NAMES).flatten();
            let mut columns = columns.filter(|column| is_place(number_of(column), zoom));
            columns.find_map(|column| {
                let tiles = fs::read_dir(column.path()).ok()?.take(MOST_NAMES).flatten();
                let mut tiles = tiles.filter(|tile| is_place(row_of(tile), zoom));
                tiles.next().map(|tile| tile.path())
            })
        })
    }

    /// Where the tiles of a zoom lie; `None` where there are none.
    pub(super) fn reach(&self, zoom: u8) -> Option<Reach> {
        let folder = self.path.join(zoom.to_string());
        let columns = fs::read_dir(folder).ok()?.take(MOST_COLUMNS).flatten();
        let columns = columns.filter_map(|column| {
            let number = number_of(&column).filter(|_| is_folder(&column));
            number.filter(|&number| is_place(Some(number), zoom))
        });
        let mut columns: Vec<u32> = columns.collect();
        columns.sort_unstable();
        let (mut reach, mut left) = (None, MOST_LISTED);
        for &column in &columns {
            reach = united(reach, self.column(zoom, column, &mut left));
            if left == 0 {
                return self.reach_of_some(zoom, &columns);
            }
        }
        reach
    }

    /// Where tiles lie when there are too many to list: rows from some columns.
    fn reach_of_some(&self, zoom: u8, columns: &[u32]) -> Option<Reach> {
        let looked_at = spread_over(columns.len(), COLUMNS_LOOKED_AT);
        let reaches = looked_at.map(|at| {
            let mut left = MOST_LISTED;
            self.column(zoom, columns[at], &mut left)
        });
        reaches.fold(None, united)
    }

    /// Where the tiles of a column lie, of which at most `left` are looked at.
    fn column(&self, zoom: u8, column: u32, left: &mut usize) -> Option<Reach> {
        let folder = self.path.join(zoom.to_string()).join(column.to_string());
        let mut reach = None;
        for tile in fs::read_dir(folder).ok()?.take(*left).flatten() {
            *left -= 1;
            let Some(row) = row_of(&tile).filter(|&row| is_place(Some(row), zoom)) else {
                continue;
            };
            let row = self.turned(zoom, row);
            let place = Reach {
                cols: column..column + 1,
                rows: row..row + 1,
            };
            reach = united(reach, Some(place));
        }
        reach
    }

    /// A row from the other side, where rows are counted from the south.
    fn turned(&self, zoom: u8, row: u32) -> u32 {
        if self.is_upward {
            ((1_u32 << zoom) - 1).saturating_sub(row)
        } else {
            row
        }
    }

    /// The files that a tile may be.
    pub(super) fn files_of(&self, tile: TileName) -> impl Iterator<Item = PathBuf> {
        let row = self.turned(tile.zoom, tile.row);
        let folder = self.path.join(tile.zoom.to_string());
        let folder = folder.join(tile.col.to_string());
        ENDINGS
            .iter()
            .map(move |ending| folder.join(format!("{row}.{ending}")))
    }
}

/// What a file in the folder says of the tiles.
#[derive(Debug, Default)]
struct Description {
    is_upward: bool,
    /// Whether they are no tiles of the world.
    is_local: bool,
}

impl Description {
    fn read(folder: &Path) -> Option<Self> {
        if let Some(text) = small_text(&folder.join("tilemapresource.xml"), MOST_TEXT) {
            return Self::of_tile_map(&text);
        }
        let texts = DESCRIPTIONS.iter();
        let text = texts
            .map(|name| folder.join(name))
            .find_map(|path| small_text(&path, MOST_TEXT))?;
        let value: Value = serde_json::from_str(&text).ok()?;
        let scheme = value.as_object()?.get("scheme");
        Some(Self {
            is_upward: scheme.and_then(Value::as_str) == Some("tms"),
            is_local: false,
        })
    }

    fn of_tile_map(text: &str) -> Option<Self> {
        let document = Document::parse(text.trim_start()).ok()?;
        let root = document.root_element();
        if !root.has_tag_name("TileMap") {
            return None;
        }
        let sets = root.children().find(|node| node.has_tag_name("TileSets"));
        let profile = sets.and_then(|sets| sets.attribute("profile"));
        let is_mercator = profile.is_some_and(|profile| profile.ends_with("mercator"));
        Some(Self {
            is_upward: true,
            is_local: !is_mercator,
        })
    }
}

fn united(one: Option<Reach>, other: Option<Reach>) -> Option<Reach> {
    let (one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return one.or(other),
    };
    let around =
        |one: Range<u32>, other: Range<u32>| one.start.min(other.start)..one.end.max(other.end);
    Some(Reach {
        cols: around(one.cols, other.cols),
        rows: around(one.rows, other.rows),
    })
}

/// Whether a zoom has such a column or row.
fn is_place(number: Option<u32>, zoom: u8) -> bool {
    number.is_some_and(|number| u64::from(number) < 1 << zoom)
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.path().is_dir()
}

/// The number that a name is, written as such names are.
fn number_of(entry: &DirEntry) -> Option<u32> {
    plain_number(entry.file_name().to_str()?)
}

/// The row of a tile.
fn row_of(entry: &DirEntry) -> Option<u32> {
    let path = entry.path();
    let stem = path.file_stem()?.to_str()?;
    plain_number(stem).filter(|_| has_ending(&path, &ENDINGS))
}

fn plain_number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.iter().any(|one| ending.eq_ignore_ascii_case(one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_of(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            let text = match *name {
                "tilemapresource.xml" => {
                    "<?xml version=\"1.0\"?><TileMap><TileSets profile=\"mercator\"/></TileMap>"
                }
                "metadata.json" => "{\"scheme\": \"tms\"}",
                _ => "x",
            };
            crate::disk::replace_file(&path, text.as_bytes()).expect("written");
        }
        folder
    }

    #[track_caller]
    fn check(names: &[&str], is_upward: Option<bool>) {
        let folder = folder_of(names);
        let found = TileFolder::recognize(folder.path());
        assert_eq!(found.map(|found| found.is_upward), is_upward, "{names:?}");
    }

    #[test]
    fn folders_of_tiles_are_told_from_others() {
        check(&["3/1/2.png", "2/0/1.png", "index.html"], Some(false));
        check(&["3/1/2.png", "tilemapresource.xml"], Some(true));
        check(&["3/1/2.jpg", "css/a.css", "metadata.json"], Some(true));
        check(&["3/1/2.jpg", "css/a.css"], None);
        check(&["3/1/2.jpg", "a.png"], None);
        check(&["3/9/2.png"], None);
        check(&["3/1/8.png"], None);
        check(&["2019/05/12.jpg"], None);
        check(&["03/1/2.png"], None);
        check(&["3/1/tile.png"], None);
        check(&["images/1.png", "masks/1.png"], None);
        check(&[], None);
    }

    #[test]
    fn tiles_reach_from_the_first_to_the_last_in_either_count() {
        let names = [
            "4/3/5.png",
            "4/6/7.png",
            "4/6/9.txt",
            "4/x/1.png",
            "3/1/2.png",
        ];
        let folder = folder_of(&names[..3]);
        let tiles = TileFolder::recognize(folder.path()).expect("tiles");
        let reach = tiles.reach(4).expect("tiles");
        assert_eq!((reach.cols, reach.rows), (3..7, 5..8));
        assert_eq!(tiles.reach(9), None);
        let upward = TileFolder {
            is_upward: true,
            ..tiles
        };
        assert_eq!(upward.reach(4).expect("tiles").rows, 8..11);
        let tile = TileName {
            zoom: 4,
            col: 3,
            row: 10,
        };
        let first = upward.files_of(tile).next();
        assert_eq!(first, Some(folder.path().join("4/3/5.png")));
    }
}

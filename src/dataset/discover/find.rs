use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::builtin::Known;
use super::choose::{Chosen, choose};
use super::class_lists::{find_list, folders_with_lists, is_names_alone};
use super::decode::MaskEncoding;
use super::facts::{MaskFacts, look};
use super::kinds::{Layout, LayoutKind};
use super::list_files::read_lists;
use super::lists::{PartList, apply_lists};
use super::note_words::{foreign_note, left_out_note, pairing_notes, several_why, unread_note};
use super::off_palette::OffPalette;
use super::pairing::{Found, RootFiles, merged, pair_files};
use super::recognize::{Clues, usual_encoding, why};
use super::rle::RunTable;
use super::sample::{MaskSource, Sample};
use super::side::SideTable;
use super::stems::Stem;
use super::suffixes::Suffixes;
use super::tree::{Folder, Limits, Tree, walk};
use crate::dataset::DatasetError;
use crate::dataset::layout::file_name;
use crate::label::{Class, ClassTable, Encoding, FoundTable, MIDDLE_GREY, NEAR_CODE, TableOrigin};

/// What a folder holds, as far as it can be recognized. The fields may be corrected before it is
/// used; nothing else is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovery {
    /// The data set's own folder: the one that was searched, or the only one below it that holds
    /// pairs.
    pub folder: PathBuf,
    /// What was recognized, and why.
    pub layout: Layout,
    /// The images, ordered by name; none when the folder holds several data sets.
    pub samples: Vec<Sample>,
    /// The classes that count; `None` when nothing says what they are.
    pub classes: Option<ClassTable>,
    /// Whether those are only the values or colors of the masks that were looked at; others may
    /// hold more.
    pub are_classes_made: bool,
    /// Classes whose pixels count as unlabeled, for example `Void`.
    pub ignored: Vec<Class>,
    /// How masks are read.
    pub encoding: MaskEncoding,
    /// Whether labels do not count in the areas of pure white or black where images seem cut off.
    pub are_voids_nodata: bool,
    /// What the user should know, a sentence each without its period.
    pub notes: Vec<String>,
    /// Numbers that tables give to the images.
    pub side: Vec<SideTable>,
    /// Masks that belong to no image.
    pub lonely_masks: Vec<PathBuf>,
    /// The data sets of a folder that holds several; choose one.
    pub datasets: Vec<PathBuf>,
}

/// Recognizes the data set in `folder`: which images there are, where their masks are and how they
/// are read, what is for training and what for tests.
///
/// Names decide; of the files themselves only lists, tables and some masks are read. At most
/// 2,000,000 files and 8 folders deep are looked at.
///
/// # Errors
/// [`DatasetError::Folder`] when the folder cannot be listed, [`DatasetError::NoPairs`] when there
/// is no image in it.
pub fn discover(folder: &Path) -> Result<Discovery, DatasetError> {
    discover_named(folder, Suffixes::default())
}

/// As [`discover`], with what a person says of the names of images and masks.
///
/// # Errors
/// As for [`discover`], and [`DatasetError::Correction`] when no file is named so.
pub(super) fn discover_named(
    folder: &Path,
    suffixes: Suffixes<'_>,
) -> Result<Discovery, DatasetError> {
    let mut tree = walk(folder, Limits::default())?;
    let mut roots = pair_files(&tree, suffixes);
    let root_folder = tree.folders.iter().find(|found| found.steps.is_empty());
    let lists = root_folder.map(|root| read_lists(&tree, root));
    let (lists, mut notes) = lists.unwrap_or_default();
    notes.append(&mut tree.notes);
    match choose(&roots, &lists, &folders_with_lists(&tree)) {
        Chosen::Several(names) => Ok(several(folder, &names, notes)),
        Chosen::One(root, others) => {
            let left_out = others.iter().map(|other| roots[other].found.len()).sum();
            notes.extend(left_out_note(&others, left_out));
            let files = roots.remove(&root).unwrap_or_default();
            finding(folder, (&root, files), &tree, (lists, notes)).described(folder)
        }
        Chosen::All => {
            let (files, root) = merged(roots, suffixes);
            suffixes.check(&files, folder)?;
            finding(folder, (&root, files), &tree, (lists, notes)).described(folder)
        }
    }
}

/// The data set in `folder` whose images lie below `images` and whose masks lie below `masks`,
/// whatever they are called.
///
/// # Errors
/// As for [`discover_named`].
pub(super) fn discover_between(
    folder: &Path,
    (images, masks): (&Path, &Path),
    suffixes: Suffixes<'_>,
) -> Result<Discovery, DatasetError> {
    let tree = walk(folder, Limits::default())?;
    let files = RootFiles::between((images, masks), folder, suffixes)?;
    suffixes.check(&files, folder)?;
    let own = tree.folders.iter().find(|own| own.steps.is_empty());
    let (lists, notes) = own.map(|own| read_lists(&tree, own)).unwrap_or_default();
    finding(folder, ("", files), &tree, (lists, notes)).described(folder)
}

fn finding<'t>(
    folder: &Path,
    (root, files): (&str, RootFiles),
    tree: &'t Tree,
    (lists, notes): (Vec<PartList>, Vec<String>),
) -> Finding<'t> {
    let own = tree.folders.iter().find(|own| own.steps.join("/") == root);
    let folder = own.map_or_else(|| folder.to_owned(), |own| own.path.clone());
    Finding {
        folder,
        own,
        tree,
        files,
        lists,
        notes,
    }
}

fn several(folder: &Path, names: &[String], notes: Vec<String>) -> Discovery {
    Discovery {
        folder: folder.to_owned(),
        layout: Layout {
            kind: LayoutKind::Several,
            why: several_why(names),
        },
        samples: Vec::new(),
        classes: None,
        are_classes_made: false,
        ignored: Vec::new(),
        encoding: encoding_of(Encoding::Auto, &MaskFacts::default()),
        are_voids_nodata: false,
        notes,
        side: Vec::new(),
        lonely_masks: Vec::new(),
        datasets: names.iter().map(|name| folder.join(name)).collect(),
    }
}

/// What is found out about one data set on the way to its description.
struct Finding<'t> {
    folder: PathBuf,
    /// The data set's own folder, when it was listed.
    own: Option<&'t Folder>,
    tree: &'t Tree,
    files: RootFiles,
    /// The lists of the searched folder.
    lists: Vec<PartList>,
    notes: Vec<String>,
}

impl Finding<'_> {
    fn described(mut self, searched: &Path) -> Result<Discovery, DatasetError> {
        self.check_images(searched)?;
        let key = |found: &Found| (found.file.name.clone(), found.file.image.clone());
        self.files.found.sort_by_cached_key(key);
        let tables = self.tables();
        let runs = self.run_tables(&tables);
        let mut samples = self.samples(&runs);
        self.give_parts(&mut samples);
        let (facts, table) = self.look(&samples);
        let listed = table.as_ref().map(|found| &found.classes);
        let encoding = facts.encoding(listed);
        let has_depths = tables.iter().any(|path| file_name(path) == "depths.csv");
        let clues = Clues {
            files: &self.files,
            facts: &facts,
            encoding,
            table: listed,
            folders: &self.folder_words(),
            has_salt_tables: has_depths || !runs.is_empty(),
        };
        let (kind, by) = clues.kind();
        let listed = clues.classes(kind);
        let are_classes_made = listed.is_none();
        let known = listed.or_else(|| clues.made());
        let encoding = settled(encoding, &facts, kind);
        for sample in &mut samples {
            sample.group = group_of(kind, sample);
        }
        let side = side_tables(&tables, &samples);
        let described = described_by(table.as_ref(), &runs, &side);
        let why = why(&self.files, &described, by.as_deref());
        let hint = clues.classes_hint(kind);
        self.note_all(&facts, &samples);
        self.notes.extend(kind_note(kind, &facts).or(hint));
        let (classes, ignored) = known.map_or((None, Vec::new()), split_ignored);
        Ok(Discovery {
            side,
            folder: self.folder,
            layout: Layout { kind, why },
            samples,
            classes,
            are_classes_made,
            ignored,
            encoding: encoding_of(encoding, &facts),
            are_voids_nodata: false,
            notes: self.notes,
            lonely_masks: self.files.lonely_masks,
            datasets: Vec::new(),
        })
    }

    fn check_images(&self, searched: &Path) -> Result<(), DatasetError> {
        if !self.files.found.is_empty() {
            return Ok(());
        }
        let unread = unread_note(self.tree.folders.iter());
        let unread = unread.map_or_else(String::new, |note| format!(" that is read, but {note}"));
        Err(DatasetError::NoPairs {
            what: format!("There is no image{unread}"),
            path: searched.to_owned(),
        })
    }

    /// The tables with commas in the data set's own folder.
    fn tables(&self) -> Vec<PathBuf> {
        let own = self.own.into_iter();
        let files = own.flat_map(|folder| folder.others.iter().map(|name| folder.path.join(name)));
        let is_table = |path: &PathBuf| {
            let ending = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
            ending.is_some_and(|ending| ending == "csv")
        };
        files.filter(is_table).collect()
    }

    /// Those of `tables` that hold masks as run lengths.
    fn run_tables(&mut self, tables: &[PathBuf]) -> Vec<RunTable> {
        let read = tables.iter().filter_map(|path| RunTable::read(path));
        let (templates, runs): (Vec<RunTable>, Vec<RunTable>) =
            read.partition(RunTable::is_template);
        let note = |table: &RunTable| {
            let name = file_name(&table.path);
            format!("{name} shows what is to be handed in; its run lengths are no masks")
        };
        self.notes.extend(templates.iter().map(note));
        runs
    }

    fn samples(&mut self, runs: &[RunTable]) -> Vec<Sample> {
        let names = self
            .files
            .found
            .iter()
            .map(|found| found.file.name.as_str());
        let names: HashSet<&str> = names.collect();
        let missing = runs.iter().filter_map(|table| table.missing_note(&names));
        self.notes.extend(missing);
        let in_table = |name: &str| {
            let row = |table: &RunTable| {
                let runs = table.runs.get(name)?.clone();
                let table = table.path.clone();
                Some(MaskSource::Rle { runs, table })
            };
            runs.iter().find_map(row)
        };
        let sample = |found: &Found| {
            let file = found.file.mask.as_ref();
            let file = file.map(|(mask, _)| MaskSource::File(mask.clone()));
            Sample {
                name: found.file.name.clone(),
                image: found.file.image.clone(),
                mask: file.or_else(|| in_table(&found.file.name)),
                part: found.part,
                group: (!found.group.is_empty()).then(|| found.group.clone()),
            }
        };
        self.files.found.iter().map(sample).collect()
    }

    /// Folders say for what an image is; where they do not, lists do.
    fn give_parts(&mut self, samples: &mut [Sample]) {
        let mut lists = std::mem::take(&mut self.lists);
        if let Some(own) = self.own.filter(|own| !own.steps.is_empty()) {
            let (own, notes) = read_lists(self.tree, own);
            lists.extend(own);
            self.notes.extend(notes);
        }
        if lists.is_empty() {
            return;
        }
        let named: Vec<(&str, &Path)> = samples
            .iter()
            .map(|sample| (sample.name.as_str(), sample.image.as_path()))
            .collect();
        let listed = apply_lists(&lists, &named);
        self.notes.extend(listed.notes);
        for (sample, part) in samples.iter_mut().zip(listed.parts) {
            sample.part = sample.part.or(part);
        }
    }

    fn look(&mut self, samples: &[Sample]) -> (MaskFacts, Option<FoundTable>) {
        let masks: Vec<&Path> = samples.iter().filter_map(file_of).collect();
        let (table, notes) = find_list(self.own, masks.first().copied());
        self.notes.extend(notes);
        let facts = look(&masks, table.as_ref());
        let listed = table.as_ref().map(|found| &found.classes);
        let Some(names) = table.as_ref().filter(|found| is_names_alone(found)) else {
            return (facts, table);
        };
        if facts.encoding(listed) == Encoding::Rgb {
            self.notes.push(names_note(names, "masks hold colors"));
            return (facts, None);
        }
        if facts.may_be_black_and_white() {
            let alone = look(&masks, None);
            if alone.encoding(None) == Encoding::Binary {
                let held = "masks are black and white";
                self.notes.push(names_note(names, held));
                return (alone, None);
            }
        }
        (facts, table)
    }

    /// The names of the folders above and in the data set, in lower case.
    fn folder_words(&self) -> String {
        let above = self.folder.components().rev().take(2);
        let mut words: Vec<String> = above
            .map(|step| step.as_os_str().to_string_lossy().into_owned())
            .collect();
        let folders = self
            .files
            .image_folders
            .iter()
            .chain(&self.files.mask_folders);
        words.extend(folders.take(64).cloned());
        words.join("/").to_lowercase()
    }

    fn note_all(&mut self, facts: &MaskFacts, samples: &[Sample]) {
        let masks = samples.iter().filter_map(file_of).count();
        self.notes.extend(pairing_notes(&self.files));
        self.notes.extend(facts.notes(masks));
        let has_masks = masks > 0;
        let is_near = |folder: &&Folder| folder.path.starts_with(&self.folder);
        let folders = || self.tree.folders.iter();
        self.notes.extend(foreign_note(folders().filter(is_near)));
        // What is missing may lie anywhere.
        let unread = folders().filter(|folder| !has_masks || is_near(folder));
        self.notes.extend(unread_note(unread));
    }
}

/// Why a list of names alone does not count.
fn names_note(found: &FoundTable, held: &str) -> String {
    let name = match &found.origin {
        TableOrigin::List(path) => file_name(path),
        _ => String::new(),
    };
    format!(
        "{name} is not used: it names classes without their colors, and {held}; state a list with \
         colors, for example a line like \"128 64 128 Road\" for each"
    )
}

fn side_tables(tables: &[PathBuf], samples: &[Sample]) -> Vec<SideTable> {
    let names: HashSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    let read = |path: &PathBuf| SideTable::read(path, &names);
    tables.iter().filter_map(read).collect()
}

fn file_of(sample: &Sample) -> Option<&Path> {
    match &sample.mask {
        Some(MaskSource::File(path)) => Some(path),
        Some(MaskSource::Rle { .. }) | None => None,
    }
}

/// The encoding, where blank masks leave it open that of the layout.
fn settled(encoding: Encoding, facts: &MaskFacts, kind: LayoutKind) -> Encoding {
    let is_open = facts.index + facts.binary + facts.rgb == 0;
    usual_encoding(kind).filter(|_| is_open).unwrap_or(encoding)
}

fn encoding_of(form: Encoding, facts: &MaskFacts) -> MaskEncoding {
    let off_palette = if form == Encoding::Rgb && facts.compressed * 2 > facts.rgb {
        OffPalette::Nearest {
            max_distance: NEAR_CODE,
        }
    } else {
        OffPalette::Middle
    };
    let why = facts.why.clone();
    MaskEncoding {
        form,
        threshold: MIDDLE_GREY,
        off_palette,
        why: why.unwrap_or_else(|| "No mask could be looked at, or all were empty".to_owned()),
    }
}

/// The classes that count and those that do not.
pub(super) fn split_ignored(known: Known) -> (Option<ClassTable>, Vec<Class>) {
    let ignored = known.ignored.and_then(|index| known.classes.get(index));
    match ignored.cloned() {
        Some(class) => match known.classes.removed(class.index) {
            Ok(rest) => (Some(rest), vec![class]),
            Err(_) => (Some(known.classes), Vec::new()),
        },
        None => (Some(known.classes), Vec::new()),
    }
}

/// What else the layout was recognized by, to follow a sentence.
fn described_by(table: Option<&FoundTable>, runs: &[RunTable], side: &[SideTable]) -> String {
    let mut text = String::new();
    if let Some(TableOrigin::List(path)) = table.map(|found| &found.origin) {
        text.push_str(", classes in ");
        text.push_str(&file_name(path));
    }
    if let Some(table) = runs.first() {
        text.push_str(", run lengths in ");
        text.push_str(&file_name(&table.path));
    }
    if let Some(table) = side.first() {
        text.push_str(", numbers in ");
        text.push_str(&file_name(&table.path));
    }
    text
}

/// What the user should know about a layout's classes.
fn kind_note(kind: LayoutKind, facts: &MaskFacts) -> Option<String> {
    let is_isprs = matches!(kind, LayoutKind::Potsdam | LayoutKind::Vaihingen);
    let is_shifted = is_isprs && facts.index > 0 && !facts.values.contains(&6);
    is_shifted.then(|| {
        "No mask that was looked at holds 6, so 0 to 5 were taken for the six classes; if 0 is the \
         border, choose the classes by hand"
            .to_owned()
    })
}

/// What a sample shares with others of the same place.
fn group_of(kind: LayoutKind, sample: &Sample) -> Option<String> {
    let has_places = !matches!(
        kind,
        LayoutKind::PairedFolders | LayoutKind::PairedNames | LayoutKind::ImagesOnly
    );
    let place = Stem::of(&sample.name).filter(|(_, place)| has_places && *place != sample.name);
    let tile = matches!(kind, LayoutKind::LandCoverAi).then(|| sample.name.clone());
    let place = place.map(|(_, place)| place.to_owned()).or(tile);
    place.or_else(|| sample.group.clone())
}

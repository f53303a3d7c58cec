use std::collections::HashMap;

use super::builtin::Known;
use super::facts::MaskFacts;
use super::kinds::LayoutKind;
use super::pairing::RootFiles;
use super::stems::Stem;
use crate::label::{ClassTable, Encoding, count_of, is_void_name};

/// What a layout is recognized by.
pub(super) struct Clues<'a> {
    pub(super) files: &'a RootFiles,
    pub(super) facts: &'a MaskFacts,
    /// How the masks are read.
    pub(super) encoding: Encoding,
    /// The class list that lies with the data.
    pub(super) table: Option<&'a ClassTable>,
    /// Names of the folders around and within the data set, in lower case.
    pub(super) folders: &'a str,
    /// Whether there is a table of run lengths or depths, as salt has.
    pub(super) has_salt_tables: bool,
}

/// Words in the names of folders that hold a known data set.
const FOLDERS: [(&str, LayoutKind); 13] = [
    ("camvid", LayoutKind::CamVid),
    ("loveda", LayoutKind::LoveDa),
    ("potsdam", LayoutKind::Potsdam),
    ("vaihingen", LayoutKind::Vaihingen),
    ("img_dir", LayoutKind::MmSegmentation),
    ("landcover", LayoutKind::LandCoverAi),
    ("massachusetts", LayoutKind::MassachusettsRoads),
    ("train_labels", LayoutKind::MassachusettsRoads),
    ("seg-data", LayoutKind::SageMakerRoads),
    ("data-raw", LayoutKind::SageMakerRoads),
    ("sagemaker", LayoutKind::SageMakerRoads),
    ("inria", LayoutKind::Inria),
    ("aerialimagedataset", LayoutKind::Inria),
];
/// So many names are looked at.
const MOST_NAMES: usize = 512;

impl Clues<'_> {
    /// The layout that fits best, and what a known one was recognized by.
    pub(super) fn kind(&self) -> (LayoutKind, Option<String>) {
        if self.has_salt_tables {
            let by = "a table of run lengths or depths";
            return (LayoutKind::TgsSalt, Some(by.to_owned()));
        }
        let of_contents = || {
            let (kind, by) = self.kind_by_contents()?;
            Some((kind, by.to_owned()))
        };
        let known = self.kind_by_stems().or_else(of_contents);
        let known = known.or_else(|| self.kind_by_folders());
        known.map_or_else(|| (self.general(), None), |(kind, by)| (kind, Some(by)))
    }

    fn kind_by_stems(&self) -> Option<(LayoutKind, String)> {
        let (stem, name) = self.usual_stem()?;
        let kind = match stem {
            Stem::LandCoverTile => LayoutKind::LandCoverAi,
            Stem::LandCoverPiece => LayoutKind::LandCoverAiSplit,
            Stem::LandCoverPatch => LayoutKind::LandCoverAiPatches,
            Stem::CamVid => self.camvid(),
            Stem::Epfl => LayoutKind::EpflRoads,
            Stem::Massachusetts if self.may_be_binary() => LayoutKind::MassachusettsRoads,
            Stem::RowAndColumn if self.may_be_binary() => LayoutKind::SageMakerRoads,
            Stem::Potsdam => LayoutKind::Potsdam,
            Stem::Vaihingen => LayoutKind::Vaihingen,
            Stem::Inria => LayoutKind::Inria,
            Stem::Massachusetts | Stem::RowAndColumn => return None,
        };
        Some((kind, format!("file names like {name}")))
    }

    fn kind_by_contents(&self) -> Option<(LayoutKind, &'static str)> {
        let said = |word: &str| self.folders.contains(word);
        let has_class = |name| {
            self.table
                .is_some_and(|table| table.by_name(name).is_some())
        };
        let is_mmseg = said("img_dir") && said("ann_dir");
        let is_of_towns = said("urban/images_png") || said("rural/images_png");
        Some(if self.is_deepglobe() {
            (self.deepglobe(), "image names that end with _sat")
        } else if has_class("urban_land") {
            (self.deepglobe(), "the class urban_land")
        } else if has_class("Bicyclist") && has_class("Pedestrian") {
            (self.camvid(), "the classes Bicyclist and Pedestrian")
        } else if (is_mmseg || is_of_towns) && self.has_loveda_values() {
            let by = "its folders, numbers for names and classes up to 7 in masks";
            (LayoutKind::LoveDa, by)
        } else {
            return None;
        })
    }

    fn kind_by_folders(&self) -> Option<(LayoutKind, String)> {
        let mut known = FOLDERS.into_iter();
        let (word, kind) = known.find(|(word, kind)| self.fits_folder(word, *kind))?;
        let by = match kind {
            LayoutKind::MmSegmentation => "the folders img_dir and ann_dir".to_owned(),
            LayoutKind::LandCoverAi => format!(
                "“{word}” in the name of a folder and masks of classes up to {}",
                self.highest()
            ),
            _ => format!("“{word}” in the name of a folder"),
        };
        let is_camvid = kind == LayoutKind::CamVid;
        Some((if is_camvid { self.camvid() } else { kind }, by))
    }

    /// Whether a folder is called so, and the rest is as in such a data set.
    fn fits_folder(&self, word: &str, kind: LayoutKind) -> bool {
        let said = |word: &str| self.folders.contains(word);
        let rest_fits = match kind {
            LayoutKind::MmSegmentation => said("ann_dir"),
            LayoutKind::LandCoverAi => self.encoding == Encoding::Index && self.highest() <= 4,
            LayoutKind::SageMakerRoads => self.may_be_binary(),
            LayoutKind::MassachusettsRoads if word == "train_labels" => {
                said("tiff") && self.may_be_binary()
            }
            _ => true,
        };
        said(word) && rest_fits
    }

    /// What the classes may be where nothing says it.
    pub(super) fn classes_hint(&self, kind: LayoutKind) -> Option<String> {
        let is_open = matches!(kind, LayoutKind::PairedFolders | LayoutKind::PairedNames)
            && self.table.is_none()
            && self.encoding == Encoding::Index;
        let numbers = self.facts.values.iter().filter(|value| **value != 255);
        if !is_open || self.highest() != 4 || numbers.count() < 4 {
            return None;
        }
        let classes = ClassTable::landcover_ai();
        let names = classes.classes().iter().map(|class| class.name.as_str());
        let names: Vec<&str> = names.collect();
        Some(format!(
            "Nothing says what the classes 0 to 4 are; if this is LandCover.ai, they are {}: state \
             a list of classes, for example a classes.txt with a name a line in this folder",
            names.join(", ")
        ))
    }

    fn general(&self) -> LayoutKind {
        if self.files.num_pairs() == 0 {
            LayoutKind::ImagesOnly
        } else if self.files.mask_folders.is_empty() {
            LayoutKind::PairedNames
        } else {
            LayoutKind::PairedFolders
        }
    }

    fn camvid(&self) -> LayoutKind {
        match (self.encoding, self.files.mask_folders.is_empty()) {
            (Encoding::Rgb, false) => LayoutKind::CamVidSuite,
            (Encoding::Rgb | Encoding::Auto, _) => LayoutKind::CamVid,
            _ => LayoutKind::CamVidSegNet,
        }
    }

    fn is_deepglobe(&self) -> bool {
        let files = self.files.found.iter().take(MOST_NAMES);
        let mut matches = files.map(|found| &found.file);
        matches.any(|file| match &file.mask {
            Some((_, naming)) => naming.image == "_sat",
            None => super::naming::stem_of(file.image.as_os_str()).ends_with("_sat"),
        })
    }

    fn deepglobe(&self) -> LayoutKind {
        let is_road = self.table.is_some_and(|table| table.classes().len() == 2)
            || (self.facts.rgb == 0 && self.facts.binary > 0);
        if is_road {
            LayoutKind::DeepGlobeRoads
        } else {
            LayoutKind::DeepGlobeLandCover
        }
    }

    fn has_loveda_values(&self) -> bool {
        let mut names = self.files.found.iter().take(MOST_NAMES);
        let is_number = |name: &str| name.bytes().all(|digit| digit.is_ascii_digit());
        self.encoding == Encoding::Index
            && self.highest() == 7
            && names.all(|found| is_number(&found.file.name))
    }

    /// The highest class of the masks.
    fn highest(&self) -> u8 {
        let values = self.facts.values.iter().filter(|value| **value != 255);
        values.max().copied().unwrap_or(0)
    }

    /// Whether masks are black and white, or nothing is known of them.
    fn may_be_binary(&self) -> bool {
        let is_two_codes = self.encoding == Encoding::Rgb && self.facts.rgb == 0;
        let is_blank = self.facts.index == 0;
        is_two_codes
            || match self.encoding {
                Encoding::Binary | Encoding::Auto => true,
                Encoding::Index => is_blank,
                Encoding::Rgb => false,
            }
    }

    /// The way in which at least half of the files are named, and the first that is.
    fn usual_stem(&self) -> Option<(Stem, &str)> {
        let mut counts: Vec<(Stem, usize, &str)> = Vec::new();
        let looked = self.files.found.len().min(MOST_NAMES);
        for found in self.files.found.iter().take(MOST_NAMES) {
            let Some((stem, _)) = Stem::of(&found.file.name) else {
                continue;
            };
            match counts.iter_mut().find(|(known, ..)| *known == stem) {
                Some((_, count, _)) => *count += 1,
                None => counts.push((stem, 1, &found.file.name)),
            }
        }
        let (stem, count, name) = counts.into_iter().max_by_key(|(_, count, _)| *count)?;
        (count * 2 >= looked).then_some((stem, name))
    }

    /// The classes of a layout: of the list that lies with the data where it fits, else those that
    /// the layout is known by.
    pub(super) fn classes(&self, kind: LayoutKind) -> Option<Known> {
        let known = known_classes(kind, self.highest());
        let is_listed_wrong = |table: &ClassTable| {
            // The indices of eleven classes beside the list of all 32 colors.
            kind == LayoutKind::CamVidSegNet && table.classes().len() > 12
        };
        if let Some(table) = self.table.filter(|table| !is_listed_wrong(table)) {
            let mut void = table
                .classes()
                .iter()
                .filter(|class| is_void_name(&class.name));
            let ignored = void.next().map(|class| class.index);
            return Some(Known {
                classes: table.clone(),
                ignored,
            });
        }
        known
    }

    /// Classes made of what the masks hold that were looked at.
    pub(super) fn made(&self) -> Option<Known> {
        match self.encoding {
            Encoding::Binary => Some(Known::two("background", "foreground")),
            Encoding::Index => {
                let values = self.facts.values.iter().copied().chain([0]);
                Some(Known::all(ClassTable::from_values(values)))
            }
            Encoding::Rgb if (1..=64).contains(&self.facts.colors.len()) => {
                let colors: Vec<_> = self.facts.colors.iter().copied().collect();
                Some(Known::all(ClassTable::from_codes(&colors)))
            }
            Encoding::Rgb | Encoding::Auto => None,
        }
    }
}

/// The classes that the publishers of a layout define, when the masks' highest index is `highest`.
fn known_classes(kind: LayoutKind, highest: u8) -> Option<Known> {
    match kind {
        LayoutKind::LandCoverAi | LayoutKind::LandCoverAiSplit | LayoutKind::LandCoverAiPatches => {
            Some(Known::all(ClassTable::landcover_ai()))
        }
        LayoutKind::SageMakerRoads
        | LayoutKind::DeepGlobeRoads
        | LayoutKind::MassachusettsRoads
        | LayoutKind::EpflRoads => Some(Known::two("background", "road")),
        LayoutKind::DeepGlobeLandCover => Some(Known::deepglobe_land()),
        LayoutKind::CamVid | LayoutKind::CamVidSuite => Some(Known::camvid_32()),
        LayoutKind::CamVidSegNet => Some(Known::camvid_11()),
        LayoutKind::TgsSalt => Some(Known::two("background", "salt")),
        LayoutKind::Inria => Some(Known::two("background", "building")),
        LayoutKind::LoveDa => Some(Known::loveda()),
        // The published conversion has the border at 0 and six classes from 1; samples without a 6
        // were shifted by one.
        LayoutKind::Potsdam | LayoutKind::Vaihingen => Some(Known::potsdam(u8::from(highest >= 6))),
        LayoutKind::MmSegmentation
        | LayoutKind::PairedFolders
        | LayoutKind::PairedNames
        | LayoutKind::ImagesOnly
        | LayoutKind::Several => None,
    }
}

/// The encoding that a layout has when no mask could be looked at, or all were blank.
pub(super) fn usual_encoding(kind: LayoutKind) -> Option<Encoding> {
    match kind {
        LayoutKind::SageMakerRoads
        | LayoutKind::DeepGlobeRoads
        | LayoutKind::MassachusettsRoads
        | LayoutKind::EpflRoads
        | LayoutKind::TgsSalt
        | LayoutKind::Inria => Some(Encoding::Binary),
        LayoutKind::DeepGlobeLandCover | LayoutKind::CamVid | LayoutKind::CamVidSuite => {
            Some(Encoding::Rgb)
        }
        LayoutKind::LandCoverAi
        | LayoutKind::LandCoverAiSplit
        | LayoutKind::LandCoverAiPatches
        | LayoutKind::CamVidSegNet
        | LayoutKind::LoveDa
        | LayoutKind::Potsdam
        | LayoutKind::Vaihingen => Some(Encoding::Index),
        LayoutKind::MmSegmentation
        | LayoutKind::PairedFolders
        | LayoutKind::PairedNames
        | LayoutKind::ImagesOnly
        | LayoutKind::Several => None,
    }
}

/// Why, in words: how many files lie where, how masks are named after images, and by what a known
/// data set was recognized.
pub(super) fn why(files: &RootFiles, described: &str, by: Option<&str>) -> String {
    let by = by.map_or_else(String::new, |by| format!(", recognized by {by}"));
    how(files) + described + &by
}

/// How many files lie where and how masks are named after images.
fn how(files: &RootFiles) -> String {
    let num_pairs = files.num_pairs();
    let list = |folders: &std::collections::BTreeSet<String>| {
        let named = |folder: &String| {
            if folder.is_empty() {
                "the folder itself".to_owned()
            } else {
                format!("{folder}/")
            }
        };
        let first: Vec<String> = folders.iter().take(3).map(named).collect();
        let rest = folders.len() - first.len();
        let more = if rest > 0 {
            format!(" and {rest} more")
        } else {
            String::new()
        };
        first.join(", ") + &more
    };
    if num_pairs == 0 {
        return format!(
            "{} in {} and no masks",
            count_of(files.found.len(), "image"),
            list(&files.image_folders)
        );
    }
    let mut namings: HashMap<_, usize> = HashMap::new();
    for (_, naming) in files
        .found
        .iter()
        .filter_map(|found| found.file.mask.as_ref())
    {
        *namings.entry(naming).or_default() += 1;
    }
    let usual = namings
        .into_iter()
        .max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)));
    let naming = usual.map(|(naming, _)| naming.clone()).unwrap_or_default();
    let sample = if naming.image.is_empty() && naming.mask.is_empty() {
        "with masks of the same name".to_owned()
    } else {
        let [image, mask] = [&naming.image, &naming.mask].map(|name| {
            let star = if name.contains('*') { "" } else { "*" };
            format!("{star}{name}")
        });
        format!("named {image} with masks named {mask}")
    };
    let place = if naming.is_beside {
        "beside them".to_owned()
    } else {
        format!("in {}", list(&files.mask_folders))
    };
    format!(
        "{} in {} {sample} {place}",
        count_of(num_pairs, "image"),
        list(&files.image_folders)
    )
}

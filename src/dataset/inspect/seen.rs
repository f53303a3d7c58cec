use std::path::PathBuf;

use super::between::Borders;
use super::grain::{Grain, grains_of};
use super::halo::has_halos;
use super::lattice::Lattice;
use super::misread::{Misread, class_of_zero, faint};
use super::pixels::{Digest, PixelSums, digest_of_mask};
use super::widths::RoadLines;
use crate::dataset::voids::Voids;
use crate::dataset::{DatasetError, Discovery, MaskSource, OffPalette, Sample, image_meters};
use crate::geom::ImageSize;
use crate::label::{
    Class, ClassTable, Encoding, FoundTable, MaskValue, Rgb, TableOrigin, UNLABELED, UnknownValue,
    load_mask, survey_mask,
};
use crate::raster::{OpenError, TileSource, open_raster};

/// Bands of a raster, bits of a sample and the name of its type.
pub(super) type Depth = (u16, u16, &'static str);

/// What was found in the files of one sample.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Place of the sample in the discovery.
    pub(super) at: usize,
    /// Extent and depth, when the header could be read.
    pub(super) header: Option<(ImageSize, Depth)>,
    /// Meters along a side of a pixel, when the image says so.
    pub(super) meters: Option<f64>,
    /// Pixels in voids, where the image does not say itself what is missing.
    pub(super) void: u64,
    /// `None` when the pixels could not be read.
    pub(super) pixels: Option<PixelSums>,
    /// `None` when there is no mask, or it could not be read.
    pub(super) mask: Option<SeenMask>,
    /// Files that could not be read, with the reason.
    pub(super) unreadable: Vec<(PathBuf, String)>,
    /// Image and mask differ in extent; the sentence about it.
    pub(super) size_differs: Option<String>,
}

/// What was found in a mask.
#[derive(Debug)]
pub(super) struct SeenMask {
    /// Classes that occur, with their pixels; ignored ones and the unlabeled are among them.
    pub(super) counts: Vec<(u8, u64)>,
    pub(super) digest: Digest,
    /// `None` for run lengths.
    pub(super) depth: Option<Depth>,
    /// Pixels with colors or numbers that stand for no class, and one of these in words.
    pub(super) unknown: Option<(u64, String)>,
    /// What counts as something without being exactly that.
    pub(super) misread: Misread,
    /// Whether it is stored as JPEG.
    pub(super) is_jpeg: bool,
    /// Whether lossy compression has blurred it, as far as it alone tells.
    pub(super) is_blurred: bool,
    /// Of files of class indices, and of black and white ones with greys: their specks.
    pub(super) lattice: Lattice,
    /// Of files of class indices: what surrounds each value.
    pub(super) grains: Vec<(u8, Grain)>,
    /// Of the same: how the classes meet.
    pub(super) borders: Borders,
    /// How much road there is, and how long its borders are.
    pub(super) roads: RoadLines,
    /// Pixels of the image's voids, as far as labels allow them.
    void: u64,
}

/// What the header of a sample's image says.
pub(super) fn header_of(sample: &Sample) -> Option<ImageSize> {
    Some(open_raster(&sample.image).ok()?.info().size)
}

fn depth_of(source: &dyn TileSource) -> Depth {
    let info = source.info();
    (info.bands, info.sample.bits(), info.sample.name())
}

impl Seen {
    /// Reads image and mask of sample `at`.
    pub(super) fn look(discovery: &Discovery, at: usize) -> Self {
        let sample = &discovery.samples[at];
        let mut seen = Self {
            at,
            ..Self::default()
        };
        let mut voids = Voids::default();
        match open_raster(&sample.image) {
            Ok(source) => {
                seen.header = Some((source.info().size, depth_of(&*source)));
                seen.meters = image_meters(source.info());
                match PixelSums::of(&*source) {
                    Ok((sums, found)) => {
                        seen.pixels = Some(sums);
                        voids = found;
                    }
                    Err(error) => seen.note(&sample.image, &error),
                }
            }
            Err(error) => seen.note(&sample.image, &error),
        }
        seen.void = voids.num_pixels();
        // Without the image's extent no mask can be checked.
        if let Some(source) = sample.mask.as_ref().filter(|_| seen.header.is_some()) {
            match SeenMask::look(discovery, sample, (source, voids)) {
                Ok(mask) => {
                    seen.void = mask.void;
                    seen.mask = Some(mask);
                }
                Err(error @ DatasetError::SizeDiffers { .. }) => {
                    seen.size_differs = Some(error.to_string());
                }
                Err(error) => {
                    let place = sample.mask_place().unwrap_or_default();
                    seen.note(&place, &error);
                }
            }
        }
        seen
    }

    fn note(&mut self, path: &std::path::Path, error: &dyn std::error::Error) {
        self.unreadable.push((path.to_owned(), error.to_string()));
    }
}

impl SeenMask {
    fn look(
        discovery: &Discovery,
        sample: &Sample,
        (source, voids): (&MaskSource, Voids),
    ) -> Result<Self, DatasetError> {
        let (mask, notes) = sample.load_unfiltered(discovery)?;
        let counts = (0..=UNLABELED).zip(mask.histogram());
        let counts: Vec<(u8, u64)> = counts.filter(|(_, count)| *count > 0).collect();
        let mut seen = Self {
            digest: digest_of_mask(&mask),
            depth: None,
            unknown: None,
            misread: Misread::default(),
            is_jpeg: false,
            is_blurred: false,
            lattice: Lattice::default(),
            grains: Vec::new(),
            borders: Borders::default(),
            roads: RoadLines::default(),
            void: voids.where_labels_allow(&mask, discovery).num_pixels(),
            counts,
        };
        let classes = discovery.all_classes();
        seen.roads = RoadLines::of(&mask, classes.as_ref());
        seen.unknown = classes.as_ref().and_then(|table| seen.unknown_class(table));
        if let MaskSource::File(path) = source {
            let opened: Result<_, OpenError> = open_raster(path);
            let opened = opened?;
            seen.depth = Some(depth_of(&*opened));
            seen.is_jpeg = opened.info().compression == "JPEG";
            let zero = class_of_zero(discovery);
            if opened.info().nodata == Some(0.0) {
                seen.misread.void_zero = Some(zero.map_or(0, |zero| seen.num_pixels_of(zero)));
            }
            // A mask of which nothing was noted holds nothing else than exact codes.
            let form = discovery.encoding.form;
            if form == Encoding::Rgb && !notes.is_empty() {
                seen.look_closer(path, classes, discovery.encoding.off_palette)?;
            } else if form == Encoding::Binary
                && !notes.is_empty()
                && let Ok(shades) = load_mask(path, None, Encoding::Index, None)
            {
                seen.is_blurred = has_halos(&shades.mask);
                seen.lattice = Lattice::of(&shades.mask);
                // Palettes may have been read in their own way.
                let is_plain = opened.info().palette.is_none();
                let found = faint(&seen.counts, zero, &shades.mask);
                seen.misread.faint = found.filter(|_| is_plain);
            }
            if form == Encoding::Index {
                seen.lattice = Lattice::of(&mask);
                seen.grains = grains_of(&mask);
                seen.borders = Borders::of(&mask);
            }
        }
        Ok(seen)
    }

    pub(super) fn num_pixels(&self) -> u64 {
        self.counts.iter().map(|(_, pixels)| pixels).sum()
    }

    fn num_pixels_of(&self, class: u8) -> u64 {
        let found = self.counts.iter().find(|(index, _)| *index == class);
        found.map_or(0, |(_, pixels)| *pixels)
    }

    /// The pixels of numbers that the table does not have.
    fn unknown_class(&self, table: &ClassTable) -> Option<(u64, String)> {
        let is_unknown = |class: u8| class != UNLABELED && table.get(class).is_none();
        let unknown = self.counts.iter().filter(|(class, _)| is_unknown(*class));
        let pixels: u64 = unknown.clone().map(|(_, count)| count).sum();
        let (first, _) = unknown.max_by_key(|(_, count)| *count)?;
        Some((pixels, format!("value {first}")))
    }

    /// Finds the colors that stand for nothing or are taken for a class's, and whether they are
    /// those of a blurred mask.
    fn look_closer(
        &mut self,
        path: &std::path::Path,
        classes: Option<ClassTable>,
        off_palette: OffPalette,
    ) -> Result<(), DatasetError> {
        let codes: Vec<Rgb> = classes
            .iter()
            .flat_map(ClassTable::classes)
            .map(Class::code)
            .collect();
        // Pure codes take in the colors on their side of the middle of each channel.
        let is_pure = |code: &Rgb| code.iter().all(|channel| matches!(channel, 0 | 255));
        let is_split = off_palette == OffPalette::Middle && codes.iter().all(is_pure);
        let class_of = |color: Rgb| {
            let split = color.map(|channel| if channel < 128 { 0 } else { 255 });
            let mut all = classes.iter().flat_map(ClassTable::classes);
            all.find(|class| is_split && class.code() == split)
        };
        let found = classes.clone().map(|classes| FoundTable {
            classes,
            origin: TableOrigin::Given,
        });
        let survey = survey_mask(path, found.as_ref())?;
        self.is_blurred = survey
            .shading
            .is_some_and(|shading| shading.looks_compressed());
        let is_zero_void = self.misread.void_zero.is_some();
        let is_strange = |found: &&UnknownValue| match found.value {
            MaskValue::Color([0, 0, 0]) if is_zero_void => false,
            MaskValue::Color(color) => {
                class_of(color).is_none() && !is_near(color, &codes, off_palette)
            }
            MaskValue::Number(_) => true,
        };
        let strange = || survey.unknown.iter().filter(is_strange);
        let unlabeled = self.num_pixels_of(UNLABELED);
        // Values past the list are too rare to be looked at one by one.
        let listed: u64 = survey.unknown.iter().map(|found| found.pixels).sum();
        let rare = survey.num_unknown.saturating_sub(listed);
        if unlabeled > 0 {
            let pixels = strange().map(|found| found.pixels).sum::<u64>() + rare;
            let first = strange().next();
            self.unknown = first.map(|first| (pixels.min(unlabeled), first.value.to_string()));
        }
        let mut guessed = survey.unknown.iter().filter_map(|found| match found.value {
            MaskValue::Color(color) => Some((found, class_of(color)?)),
            MaskValue::Number(_) => None,
        });
        self.misread.guessed = guessed.next().map(|(first, class)| {
            let rest: u64 = guessed.map(|(found, _)| found.pixels).sum();
            let rare = if unlabeled == 0 { rare } else { 0 };
            let words = format!("{} as “{}”", first.value, class.name);
            (first.pixels + rest + rare, words)
        });
        Ok(())
    }
}

/// Whether masks read as `off_palette` says take `color` for the nearest of `codes`.
fn is_near(color: Rgb, codes: &[Rgb], off_palette: OffPalette) -> bool {
    let OffPalette::Nearest { max_distance } = off_palette else {
        return false;
    };
    let distance = |code: &Rgb| -> u32 {
        let apart = code.iter().zip(color).map(|(a, b)| a.abs_diff(b));
        apart.map(|apart| u32::from(apart).pow(2)).sum()
    };
    let farthest = u32::from(max_distance).pow(2);
    codes.iter().any(|code| distance(code) <= farthest)
}

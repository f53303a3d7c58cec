use std::io;

use super::build::{Build, Parts, Task};
use super::halving::Halving;
use crate::disk::PendingFile;
use crate::raster::error::ReadError;
use crate::raster::source::SampleType;
use crate::raster::tiff::tag;
use crate::raster::writer::{Compression, DirectoryBuilder, Form, write_georef};

/// Bytes that directories may grow by while their numbers are filled in, with room to spare.
const SPARE_BYTES: u64 = 1 << 20;

const WHITE_IS_ZERO: u16 = 0;
const BLACK_IS_ZERO: u16 = 1;
const PALETTE: u16 = 3;

/// Why a file could not be put together.
pub(super) enum Trouble {
    Disk(io::Error),
    Read(ReadError),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// A directory of the file: a level, or its mask.
#[derive(Clone, Copy)]
struct Part {
    level: usize,
    is_mask: bool,
}

/// Where the tiles of a part are, and how long they are.
struct Places {
    counts: Vec<u64>,
    offsets: Vec<u64>,
}

/// Where everything is in the file.
pub(super) struct Plan {
    form: Form,
    parts: Vec<Part>,
    places: Vec<Places>,
    /// Where the directory of each part begins.
    starts: Vec<u64>,
    /// Parts in the order of their data.
    order: Vec<usize>,
    end: u64,
}

impl Plan {
    /// Directories first, then data from the smallest level on, a level's mask behind it.
    fn new(task: &Task<'_>, counts: impl Fn(Part) -> Vec<u64>) -> Result<Self, Trouble> {
        let parts = parts(task);
        let places = parts.iter().map(|&part| {
            let counts = counts(part);
            Places {
                offsets: vec![0; counts.len()],
                counts,
            }
        });
        let mut places: Vec<Places> = places.collect();
        let data: u64 = places.iter().flat_map(|part| &part.counts).sum();
        let tables: u64 = places
            .iter()
            .map(|part| part.counts.len() as u64 * 16)
            .sum();
        let is_small = u32::try_from(data + tables + SPARE_BYTES).is_ok();
        let form = if is_small { Form::Classic } else { Form::Big };
        let mut starts = Vec::new();
        let mut next = form.head(0).len() as u64;
        for (part, places) in parts.iter().zip(&places) {
            starts.push(next);
            let directory = directory(task, *part, places, form)?;
            let bytes = directory.pack_values_behind(next, 0, form);
            next = (next + bytes.len() as u64).next_multiple_of(8);
        }
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|&at| (std::cmp::Reverse(parts[at].level), parts[at].is_mask));
        for &at in &order {
            let Places { counts, offsets } = &mut places[at];
            for (count, offset) in counts.iter().zip(offsets) {
                *offset = if *count == 0 { 0 } else { next };
                next += count;
            }
        }
        Ok(Self {
            form,
            parts,
            places,
            starts,
            order,
            end: next,
        })
    }

    /// The plan of a file whose tiles are not packed, so that it is known before the first is read;
    /// `None` for others.
    pub(super) fn known(task: &Task<'_>) -> Result<Option<Self>, Trouble> {
        if task.codec.compression != Compression::None || task.has_mask {
            return Ok(None);
        }
        let side = u64::from(task.codec.tile);
        let bytes = side * side * task.shape.pixel_bytes() as u64;
        let plan = Self::new(task, |part| {
            let [cols, rows] = tiles_of(task, part.level);
            let each = (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row)));
            let is_left_out = |(col, row)| part.level == 0 && task.is_unwritten(col, row);
            each.map(|at| if is_left_out(at) { 0 } else { bytes })
                .collect()
        })?;
        Ok(Some(plan))
    }

    /// Where tile number `tile` of a level without a mask begins.
    pub(super) fn place(&self, level: usize, tile: usize) -> u64 {
        self.places[level].offsets[tile]
    }

    /// Bytes of the whole file.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }
}

/// Writes directories and tiles, the smallest level first, and puts the file in its place; gives its
/// bytes.
pub(super) fn write(build: &mut Build<'_>) -> Result<u64, Trouble> {
    if let Some((plan, mut file)) = build.task.direct.take() {
        write_directories(&build.task, &plan, &mut file)?;
        file.commit()?;
        return Ok(plan.end);
    }
    let plan = Plan::new(&build.task, |part| counts(build, part))?;
    let mut file = PendingFile::create(&build.task.out)?;
    write_directories(&build.task, &plan, &mut file)?;
    let first = file.len().next_multiple_of(8);
    fill_up(&mut file, first)?;
    for &at in &plan.order {
        copy(build, plan.parts[at], &mut file)?;
    }
    file.commit()?;
    Ok(plan.end)
}

fn write_directories(task: &Task<'_>, plan: &Plan, file: &mut PendingFile) -> Result<(), Trouble> {
    file.append(&plan.form.head(plan.starts[0]))?;
    for (at, part) in plan.parts.iter().enumerate() {
        let following = plan.starts.get(at + 1).copied().unwrap_or(0);
        let directory = directory(task, *part, &plan.places[at], plan.form)?;
        fill_up(file, plan.starts[at])?;
        file.append(&directory.pack_values_behind(plan.starts[at], following, plan.form))?;
    }
    Ok(())
}

fn parts(task: &Task<'_>) -> Vec<Part> {
    let has_mask = task.has_mask;
    let first = usize::from(task.parts == Parts::Overviews);
    let levels = first..task.sizes.len();
    levels
        .flat_map(|level| {
            let part = |is_mask| Part { level, is_mask };
            [Some(part(false)), has_mask.then(|| part(true))]
        })
        .flatten()
        .collect()
}

fn counts(build: &Build<'_>, part: Part) -> Vec<u64> {
    let level = &build.levels[part.level];
    match (part.is_mask, build.task.input.tiff()) {
        (true, _) => (level.masks.as_ref()).map_or_else(Vec::new, |spool| spool.counts().to_vec()),
        (false, Some(source)) if part.level == 0 && build.task.is_copied => {
            let [cols, rows] = tiles_of(&build.task, part.level);
            let each = (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row)));
            each.map(|(col, row)| source.stored_len(col, row)).collect()
        }
        _ => level.tiles.counts().to_vec(),
    }
}

fn tiles_of(task: &Task<'_>, level: usize) -> [u32; 2] {
    let size = task.sizes[level];
    [size.width, size.height].map(|side| side.div_ceil(task.codec.tile))
}

fn fill_up(file: &mut PendingFile, to: u64) -> io::Result<()> {
    let missing = to.saturating_sub(file.len()) as usize;
    file.append(&vec![0; missing])
}

fn copy(build: &mut Build<'_>, part: Part, file: &mut PendingFile) -> Result<(), Trouble> {
    let tiles = tiles_of(&build.task, part.level);
    let level = &mut build.levels[part.level];
    if part.is_mask {
        let masks = level.masks.as_mut();
        return Ok(masks.map_or(Ok(()), |spool| spool.copy_to(file))?);
    }
    let source = build
        .task
        .input
        .tiff()
        .filter(|_| part.level == 0 && build.task.is_copied);
    let Some(source) = source else {
        return Ok(level.tiles.copy_to(file)?);
    };
    let [cols, rows] = tiles;
    for row in 0..rows {
        for col in 0..cols {
            let tile = source.copied(col, row).map_err(Trouble::Read)?;
            file.append(&tile.unwrap_or_default())?;
        }
    }
    Ok(())
}

fn directory(
    task: &Task<'_>,
    part: Part,
    places: &Places,
    form: Form,
) -> Result<DirectoryBuilder, Trouble> {
    let size = task.sizes[part.level];
    let mut directory = DirectoryBuilder::default();
    let kind = u32::from(part.level > 0) + if part.is_mask { 4 } else { 0 };
    directory.long(tag::NEW_SUBFILE_TYPE, kind);
    directory.long(tag::IMAGE_WIDTH, size.width);
    directory.long(tag::IMAGE_LENGTH, size.height);
    directory.shorts(tag::PLANAR_CONFIGURATION, &[1]);
    directory.long(tag::TILE_WIDTH, task.codec.tile);
    directory.long(tag::TILE_LENGTH, task.codec.tile);
    directory.offsets(tag::TILE_OFFSETS, &places.offsets, form);
    directory.offsets(tag::TILE_BYTE_COUNTS, &places.counts, form);
    if part.is_mask {
        directory.shorts(tag::SAMPLES_PER_PIXEL, &[1]);
        directory.shorts(tag::BITS_PER_SAMPLE, &[1]);
        directory.shorts(tag::PHOTOMETRIC, &[4]);
        directory.shorts(tag::COMPRESSION, &[Compression::Deflate.code()]);
        return Ok(directory);
    }
    directory.shorts(tag::SAMPLES_PER_PIXEL, &[task.shape.bands as u16]);
    match task
        .input
        .tiff()
        .filter(|_| part.level == 0 && task.is_copied)
    {
        Some(source) => source.tell_tiles(&mut directory).map_err(Trouble::Read)?,
        None => describe(task, &mut directory),
    }
    let info = task.input.info();
    if let Some(nodata) = info.nodata {
        directory.text(tag::GDAL_NODATA, &nodata.to_string());
    }
    if part.level == 0 {
        if let Some(notes) = task.input.notes() {
            directory.text(tag::GDAL_METADATA, &notes);
        }
        if let Some(georef) = &info.georef {
            write_georef(&mut directory, georef);
        }
        let name = concat!("Orthobrush ", env!("CARGO_PKG_VERSION"));
        directory.text(tag::SOFTWARE, name);
    }
    Ok(directory)
}

/// Tells `directory` how tiles are packed here.
fn describe(task: &Task<'_>, directory: &mut DirectoryBuilder) {
    let (shape, codec) = (&task.shape, task.codec);
    let bits = 8 * shape.sample_bytes() as u16;
    directory.shorts(tag::BITS_PER_SAMPLE, &vec![bits; shape.bands]);
    directory.shorts(
        tag::SAMPLE_FORMAT,
        &vec![shape.sample_format(); shape.bands],
    );
    directory.shorts(tag::COMPRESSION, &[codec.compression.code()]);
    if codec.has_predictor() {
        directory.shorts(tag::PREDICTOR, &[2]);
    }
    let info = task.input.info();
    let is_index = matches!(shape.halving, Halving::Index { .. });
    let palette = info.palette.clone();
    let palette = palette.or_else(|| greys_of(info.sample, shape.photometric));
    let palette = palette.filter(|_| is_index);
    let is_jpeg = matches!(codec.compression, Compression::Jpeg { .. });
    if is_jpeg && shape.bands == 3 {
        directory.shorts(tag::PHOTOMETRIC, &[6]);
        directory.shorts(tag::YCBCR_SUBSAMPLING, &[2, 2]);
        directory.rationals(tag::REFERENCE_BLACK_WHITE, &[0, 255, 128, 255, 128, 255]);
    } else if palette.is_some() {
        directory.shorts(tag::PHOTOMETRIC, &[PALETTE]);
    } else {
        directory.shorts(tag::PHOTOMETRIC, &[shape.photometric]);
    }
    if !shape.extra.is_empty() {
        directory.shorts(tag::EXTRA_SAMPLES, &shape.extra);
    }
    if let Some(palette) = palette {
        directory.palette(&palette);
    }
}

/// What few greys look like, since as bytes they would all be black; `None` for other samples.
fn greys_of(sample: SampleType, photometric: u16) -> Option<Vec<[u8; 3]>> {
    let is_few = matches!(sample, SampleType::U1 | SampleType::U2 | SampleType::U4);
    let most = sample.range().filter(|_| is_few)?.end().round() as usize;
    let mut greys: Vec<[u8; 3]> = (0..=most)
        .map(|value| [(value * 255 / most) as u8; 3])
        .collect();
    if photometric == WHITE_IS_ZERO {
        greys.reverse();
    }
    matches!(photometric, WHITE_IS_ZERO | BLACK_IS_ZERO).then_some(greys)
}

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::directory::{DirectoryBuilder, Form};
use super::encode::TileCodec;
use super::geo::write_georef;
use super::options::{Compression, PixelKind, TiffOptions, WriteError};
use super::rows::LevelRows;
use crate::disk::PendingFile;
use crate::raster::tiff::tag;

/// Room for the head of either form; which one it is shows at the end.
const HEAD_BYTES: usize = 16;

/// Writes a tiled GeoTIFF row by row with overviews; `BigTIFF` where 4 GiB are not enough.
///
/// Holds one row of tiles of each level. The file appears at its path when [`Self::finish`]
/// returns; dropping the writer before leaves nothing behind.
pub struct TiffWriter {
    path: PathBuf,
    options: TiffOptions,
    codec: TileCodec,
    file: PendingFile,
    levels: Vec<LevelRows>,
    bytes_given: u64,
}

impl TiffWriter {
    /// Begins a file that will appear at `path`.
    ///
    /// # Errors
    /// [`WriteError`] when the options contradict each other or the folder is not writable.
    pub fn create(path: &Path, options: TiffOptions) -> Result<Self, WriteError> {
        if let Some(reason) = options.contradiction() {
            return Err(WriteError::Options {
                path: path.to_owned(),
                reason,
            });
        }
        let (bands, tile) = (options.kind.bands(), options.tile);
        let levels = options.level_sizes().into_iter();
        let levels = levels
            .map(|size| LevelRows::new(size, bands, tile))
            .collect();
        let codec = TileCodec {
            compression: options.compression,
            bands,
            sample_bytes: 1,
            is_smooth: bands > 1,
            tile,
        };
        let file = PendingFile::create(path).and_then(|mut file| {
            file.append(&[0; HEAD_BYTES])?;
            Ok(file)
        });
        let file = file.map_err(|source| WriteError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            options,
            codec,
            file,
            levels,
            bytes_given: 0,
        })
    }

    /// Adds any number of whole rows below those before.
    ///
    /// # Errors
    /// [`WriteError`] when the rows are not whole or too many, or the disk refuses.
    pub fn write_rows(&mut self, rows: &[u8]) -> Result<(), WriteError> {
        let row_len = self.levels[0].row_len();
        let given = self.bytes_given + rows.len() as u64;
        if !rows.len().is_multiple_of(row_len) || given > self.expected_bytes() {
            return Err(self.wrong_rows(given));
        }
        self.bytes_given = given;
        self.push(0, rows)
    }

    /// Writes the directories and puts the file in its place.
    ///
    /// # Errors
    /// [`WriteError`] when rows are missing or the disk refuses.
    pub fn finish(mut self) -> Result<(), WriteError> {
        if self.bytes_given != self.expected_bytes() {
            return Err(self.wrong_rows(self.bytes_given));
        }
        let head = self
            .write_directories()
            .map_err(|source| self.disk_error(source))?;
        let (path, mut file) = (self.path, self.file);
        let begin = |file: &mut File| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&head)
        };
        begin(file.file_mut())
            .and_then(|()| file.commit())
            .map_err(|source| WriteError::Io { path, source })
    }

    fn expected_bytes(&self) -> u64 {
        self.options.size.num_pixels() * self.codec.bands as u64
    }

    fn wrong_rows(&self, given: u64) -> WriteError {
        WriteError::Rows {
            path: self.path.clone(),
            given,
            expected: self.expected_bytes(),
        }
    }

    fn disk_error(&self, source: io::Error) -> WriteError {
        WriteError::Io {
            path: self.path.clone(),
            source,
        }
    }

    fn push(&mut self, level: usize, rows: &[u8]) -> Result<(), WriteError> {
        let mut rest = rows;
        while !rest.is_empty() {
            rest = self.levels[level].take(rest);
            if self.levels[level].is_full() {
                self.write_row_of_tiles(level)?;
            }
        }
        Ok(())
    }

    fn write_row_of_tiles(&mut self, level: usize) -> Result<(), WriteError> {
        let (codec, rows) = (self.codec, &self.levels[level]);
        let encode = |col| codec.encode(rows.tile_pixels(col));
        let tiles: Result<Vec<_>, String> = (0..rows.cols()).into_par_iter().map(encode).collect();
        let tiles = tiles.map_err(|reason| WriteError::Encode {
            path: self.path.clone(),
            reason,
        })?;
        for tile in tiles {
            let offset = self.file.len();
            self.file
                .append(&tile)
                .map_err(|source| self.disk_error(source))?;
            self.levels[level].offsets.push(offset);
            self.levels[level].counts.push(tile.len() as u64);
        }
        let has_next = level + 1 < self.levels.len();
        let halved = has_next.then(|| self.levels[level].halved(self.options.overviews));
        self.levels[level].advance();
        halved.map_or(Ok(()), |halved| self.push(level + 1, &halved))
    }

    /// Appends the directories, the last level first, and returns the head of the file.
    fn write_directories(&mut self) -> io::Result<Vec<u8>> {
        let most: u64 = (0..self.levels.len())
            .map(|level| self.directory(level, Form::Classic).most_bytes())
            .sum();
        let is_small = u32::try_from(self.file.len() + most).is_ok();
        let form = if is_small { Form::Classic } else { Form::Big };
        let mut next = 0;
        for level in (0..self.levels.len()).rev() {
            let (bytes, at) = self
                .directory(level, form)
                .pack(self.file.len(), next, form);
            self.file.append(&bytes)?;
            next = at;
        }
        Ok(form.head(next))
    }

    fn directory(&self, level: usize, form: Form) -> DirectoryBuilder {
        let rows = &self.levels[level];
        let mut directory = DirectoryBuilder::default();
        directory.long(tag::NEW_SUBFILE_TYPE, u32::from(level > 0));
        directory.long(tag::IMAGE_WIDTH, rows.size.width);
        directory.long(tag::IMAGE_LENGTH, rows.size.height);
        directory.shorts(tag::BITS_PER_SAMPLE, &vec![8; self.codec.bands]);
        directory.shorts(tag::SAMPLES_PER_PIXEL, &[self.codec.bands as u16]);
        directory.shorts(tag::SAMPLE_FORMAT, &vec![1; self.codec.bands]);
        directory.shorts(tag::PLANAR_CONFIGURATION, &[1]);
        directory.long(tag::TILE_WIDTH, self.options.tile);
        directory.long(tag::TILE_LENGTH, self.options.tile);
        directory.offsets(tag::TILE_OFFSETS, &rows.offsets, form);
        directory.offsets(tag::TILE_BYTE_COUNTS, &rows.counts, form);
        directory.text(
            tag::SOFTWARE,
            concat!("Orthobrush ", env!("CARGO_PKG_VERSION")),
        );
        self.describe_codec(&mut directory);
        self.describe_colors(&mut directory);
        if let Some(nodata) = self.options.nodata {
            directory.text(tag::GDAL_NODATA, &nodata.to_string());
        }
        if let Some(georef) = self.options.georef.as_ref().filter(|_| level == 0) {
            write_georef(&mut directory, georef);
        }
        if let Some(meaning) = self.options.meaning.as_ref().filter(|_| level == 0) {
            directory.text(tag::GDAL_METADATA, &meaning.gdal());
        }
        directory
    }

    fn describe_codec(&self, directory: &mut DirectoryBuilder) {
        directory.shorts(tag::COMPRESSION, &[self.options.compression.code()]);
        if self.codec.has_predictor() {
            directory.shorts(tag::PREDICTOR, &[2]);
        }
    }

    fn describe_colors(&self, directory: &mut DirectoryBuilder) {
        let is_jpeg = matches!(self.options.compression, Compression::Jpeg { .. });
        let photometric = match &self.options.kind {
            PixelKind::Rgb if is_jpeg => 6,
            PixelKind::Rgb | PixelKind::Rgba => 2,
            PixelKind::Index { palette: Some(_) } => 3,
            PixelKind::Index { palette: None } => 1,
        };
        directory.shorts(tag::PHOTOMETRIC, &[photometric]);
        if photometric == 6 {
            directory.shorts(tag::YCBCR_SUBSAMPLING, &[2, 2]);
            directory.rationals(tag::REFERENCE_BLACK_WHITE, &[0, 255, 128, 255, 128, 255]);
        }
        match &self.options.kind {
            // Alpha that is not multiplied in.
            PixelKind::Rgba => directory.shorts(tag::EXTRA_SAMPLES, &[2]),
            PixelKind::Index {
                palette: Some(colors),
            } => directory.palette(colors),
            _ => {}
        }
    }
}

//! What a VRT file of GDAL says.

use std::io::Read as _;
use std::path::Path;

use roxmltree::{Document, Node, ParsingOptions};

use super::inside::Access;
use super::nesting::{Nesting, PartFiles};
use super::source::{Head, Mosaic};
use super::vrt_bands::{Bands, number};
use crate::disk::open_file;
use crate::geom::{Georef, ImageSize};
use crate::raster::beside::{System, placed, transform_of_gdal};
use crate::raster::error::{Fault, OpenError};
use crate::raster::limits::MAX_SIDE;

/// The longest VRT that is read: 100,000 files of four bands.
const MOST_BYTES: u64 = 256 << 20;
/// The most elements and texts between them.
const MOST_NODES: u32 = 1 << 24;
/// Makes an image of any VRT.
pub(super) const VRT_ADVICE: &str = "gdal_translate IN.vrt OUT.tif -co TILED=YES";

/// Why a VRT is not opened.
#[derive(Debug)]
pub(super) enum Refusal {
    Fault(Fault),
    /// A file that it names lies where nothing is read from.
    Elsewhere {
        what: &'static str,
        name: String,
    },
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Refusal {
    /// The refusal as an error about the file.
    pub(super) fn on_open(self, path: &Path) -> OpenError {
        match self {
            Self::Fault(fault) => fault.on_open(path),
            Self::Elsewhere { what, name } => OpenError::Elsewhere {
                path: path.to_owned(),
                what,
                name,
            },
        }
    }
}

/// What a VRT has that is not read here.
pub(super) fn unsupported(what: impl std::fmt::Display) -> Fault {
    Fault::Unsupported {
        what: format!("A VRT with {what}"),
        advice: VRT_ADVICE,
    }
}

/// Whether a file that begins so is a VRT.
pub(in crate::raster) fn is_vrt(head: &[u8]) -> bool {
    let mut rest = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    loop {
        rest = rest.trim_ascii_start();
        let behind = match rest {
            [b'<', b'?', ..] => behind(rest, b"?>"),
            [b'<', b'!', b'-', b'-', ..] => behind(rest, b"-->"),
            _ => return rest.starts_with(b"<VRTDataset"),
        };
        match behind {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
}

fn behind<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(mark.len()).position(|part| part == mark)?;
    Some(&text[at + mark.len()..])
}

/// Opens the VRT at `path`. Files that it names are opened when they are read.
pub(in crate::raster) fn open_vrt(path: &Path, nesting: &Nesting) -> Result<Mosaic, OpenError> {
    read_file(path, nesting).map_err(|refusal| refusal.on_open(path))
}

fn read_file(path: &Path, nesting: &Nesting) -> Result<Mosaic, Refusal> {
    let nesting = nesting.within(path)?;
    let access = Access::beside(path).map_err(Fault::from)?;
    let file = open_file(path).map_err(Fault::from)?;
    if file.metadata().map_err(Fault::from)?.len() > MOST_BYTES {
        return Err(unsupported(format_args!("more than {} MiB of text", MOST_BYTES >> 20)).into());
    }
    let mut bytes = Vec::new();
    let mut bounded = file.take(MOST_BYTES);
    bounded.read_to_end(&mut bytes).map_err(Fault::from)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| Fault::damaged(format!("its text is not UTF-8: {error}")))?;
    read_text(text, path, access, nesting)
}

/// A mosaic from the text of a VRT.
pub(super) fn read_text(
    text: &str,
    path: &Path,
    access: Access,
    nesting: Nesting,
) -> Result<Mosaic, Refusal> {
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| Fault::damaged(format!("its XML: {error}")))?;
    let root = document.root_element();
    if !root.has_tag_name("VRTDataset") {
        return Err(Fault::damaged("it holds no VRTDataset").into());
    }
    refuse_kinds(root)?;
    let size = read_size(root)?;
    let bands = Bands::read(root, size, &access)?;
    let head = Head {
        size,
        georef: placed(path, read_georef(root), read_system(root)),
    };
    let block = bands.block;
    let files = PartFiles::new(bands.paths, access, nesting);
    let mosaic = Mosaic::new(path, head, bands.layers, files)?;
    Ok(mosaic.cut_like(block))
}

/// Refuses VRTs whose pixels are computed.
fn refuse_kinds(root: Node<'_, '_>) -> Result<(), Fault> {
    if let Some(kind) = root.attribute("subClass") {
        return Err(unsupported(format_args!("a {kind}")));
    }
    let computed = root.children().find_map(|child| {
        let name = child.tag_name().name();
        let names = [
            "GDALWarpOptions",
            "PansharpeningOptions",
            "ProcessingSteps",
            "Input",
            "Group",
        ];
        names.into_iter().find(|&known| known == name)
    });
    match computed {
        Some(name) => Err(unsupported(name)),
        None => Ok(()),
    }
}

fn read_size(root: Node<'_, '_>) -> Result<ImageSize, Fault> {
    let side = |name| {
        let side = root.attribute(name).and_then(number::<u64>);
        side.filter(|side| (1..=MAX_SIDE).contains(side))
            .ok_or_else(|| Fault::damaged(format!("its {name} is no number of pixels")))
    };
    Ok(ImageSize::new(
        side("rasterXSize")? as u32,
        side("rasterYSize")? as u32,
    ))
}

/// The text of a child.
pub(super) fn text_of<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let child = node.children().find(|child| child.has_tag_name(name))?;
    child.text().map(str::trim)
}

fn read_system(root: Node<'_, '_>) -> System {
    text_of(root, "SRS").map_or_else(System::default, System::of_srs)
}

fn read_georef(root: Node<'_, '_>) -> Option<Georef> {
    let map_from_image = text_of(root, "GeoTransform").and_then(transform_of_gdal)?;
    let System { epsg, name } = read_system(root);
    Some(Georef {
        map_from_image,
        epsg,
        system: name,
        keys: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vrt_is_told_by_its_first_element() {
        let yes: [&[u8]; 4] = [
            b"<VRTDataset rasterXSize=\"1\">",
            b"\xEF\xBB\xBF\n <VRTDataset>",
            b"<?xml version=\"1.0\"?>\r\n<VRTDataset>",
            b"<!-- made by hand --> <?a b?><VRTDataset>",
        ];
        assert!(yes.into_iter().all(is_vrt));
        let no: [&[u8]; 5] = [
            b"",
            b"<OGRVRTDataSource>",
            b"<?xml",
            b"<!-- <VRTDataset>",
            b"II*\0",
        ];
        assert!(!no.into_iter().any(is_vrt));
    }
}

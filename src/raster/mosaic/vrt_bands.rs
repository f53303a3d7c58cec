//! Bands of a VRT and the sources in them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;

use roxmltree::Node;

use super::inside::Access;
use super::place::{Change, FileBand, FracRect, Layer, Placement};
use super::source::{Layers, Meaning};
use super::vrt::{Refusal, text_of, unsupported};
use crate::geom::ImageSize;
use crate::raster::error::Fault;
use crate::raster::limits::MAX_BANDS;
use crate::raster::source::SampleType;

/// The most pairs of a table that values are looked up in.
const MOST_LOOKED_UP: usize = 1 << 16;

/// A number, with blanks around it.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

/// All bands of a VRT.
pub(super) struct Bands {
    pub(super) layers: Layers,
    pub(super) paths: Vec<PathBuf>,
    /// The extent of the blocks in which all files of the first band decode.
    pub(super) block: Option<ImageSize>,
}

impl Bands {
    pub(super) fn read(
        root: Node<'_, '_>,
        size: ImageSize,
        access: &Access,
    ) -> Result<Self, Refusal> {
        let bands = root
            .children()
            .filter(|child| child.has_tag_name("VRTRasterBand"));
        let bands: Vec<Node<'_, '_>> = bands.take(usize::from(MAX_BANDS) + 1).collect();
        if bands.is_empty() || bands.len() > usize::from(MAX_BANDS) {
            let count = bands.len();
            return Err(Fault::damaged(format!("it claims {count} bands")).into());
        }
        let sample = sample_of(bands[0])?;
        let mut sources = Sources::new(size, access);
        let mut layers = Layers {
            sample,
            bands: Vec::with_capacity(bands.len()),
            mask: None,
            meanings: bands.iter().map(|&band| meaning_of(band)).collect(),
            palette: read_palette(bands[0], sample),
        };
        let mut block = None;
        for (at, &band) in bands.iter().enumerate() {
            if sample_of(band)? != sample {
                return Err(unsupported("bands of different sample types").into());
            }
            layers.bands.push(sources.layer(band)?);
            if at == 0 {
                block = shared_block(band);
            }
        }
        let mask = root.children().find(|child| child.has_tag_name("MaskBand"));
        let mask = mask.and_then(|mask| {
            let mut bands = mask.children();
            bands.find(|child| child.has_tag_name("VRTRasterBand"))
        });
        layers.mask = mask.map(|mask| sources.layer(mask)).transpose()?;
        Ok(Self {
            layers,
            paths: sources.paths,
            block,
        })
    }
}

fn sample_of(band: Node<'_, '_>) -> Result<SampleType, Fault> {
    Ok(match band.attribute("dataType").unwrap_or("Byte") {
        "Byte" => SampleType::U8,
        "Int8" => SampleType::I8,
        "UInt16" => SampleType::U16,
        "Int16" => SampleType::I16,
        "UInt32" => SampleType::U32,
        "Int32" => SampleType::I32,
        "UInt64" => SampleType::U64,
        "Int64" => SampleType::I64,
        "Float32" => SampleType::F32,
        "Float64" => SampleType::F64,
        other => return Err(unsupported(format_args!("{other} samples"))),
    })
}

fn meaning_of(band: Node<'_, '_>) -> Meaning {
    match text_of(band, "ColorInterp") {
        Some("Red") => Meaning::Color(0),
        Some("Green") => Meaning::Color(1),
        Some("Blue") => Meaning::Color(2),
        Some("Alpha") => Meaning::Opacity,
        Some("Palette") => Meaning::Index,
        _ => Meaning::Number,
    }
}

fn read_palette(band: Node<'_, '_>, sample: SampleType) -> Option<Vec<[u8; 3]>> {
    let table = band
        .children()
        .find(|child| child.has_tag_name("ColorTable"))?;
    let entries = table.children().filter(|child| child.has_tag_name("Entry"));
    let color = |entry: Node<'_, '_>| {
        let part = |name| entry.attribute(name).and_then(number::<i64>).unwrap_or(0);
        ["c1", "c2", "c3"].map(|name| part(name).clamp(0, 255) as u8)
    };
    let colors: Vec<[u8; 3]> = entries.take(256).map(color).collect();
    (sample == SampleType::U8 && !colors.is_empty()).then_some(colors)
}

/// The blocks that all sources of a band state.
fn shared_block(band: Node<'_, '_>) -> Option<ImageSize> {
    let stated = band.descendants().filter_map(|node| {
        let side = |name| node.attribute(name).and_then(number::<u32>);
        let is_stated = node.has_tag_name("SourceProperties");
        is_stated.then(|| Some(ImageSize::new(side("BlockXSize")?, side("BlockYSize")?)))
    });
    let mut stated = stated.fuse();
    let first = stated.next()??;
    stated.all(|block| block == Some(first)).then_some(first)
}

/// Reads sources and numbers the files that they name.
struct Sources<'a> {
    size: ImageSize,
    access: &'a Access,
    paths: Vec<PathBuf>,
    numbers: HashMap<PathBuf, u32>,
}

impl<'a> Sources<'a> {
    fn new(size: ImageSize, access: &'a Access) -> Self {
        Self {
            size,
            access,
            paths: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    fn layer(&mut self, band: Node<'_, '_>) -> Result<Layer, Refusal> {
        match band.attribute("subClass") {
            None | Some("VRTSourcedRasterBand") => {}
            Some(kind) => return Err(unsupported(format_args!("a {kind}")).into()),
        }
        let mut placements = Vec::new();
        for child in band.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "SimpleSource" | "ComplexSource" => placements.push(self.placement(child)?),
                name @ ("PixelFunctionType" | "PixelFunctionCode") => {
                    return Err(unsupported(format_args!("a pixel function ({name})")).into());
                }
                name if name.ends_with("Source") => {
                    return Err(unsupported(format_args!("an element {name}")).into());
                }
                _ => {}
            }
        }
        let nodata = text_of(band, "NoDataValue").and_then(number::<f64>);
        let layer = Layer::new(placements, nodata);
        let is_hidden = text_of(band, "HideNoDataValue").is_some_and(is_yes);
        Ok(if is_hidden {
            layer.without_nodata()
        } else {
            layer
        })
    }

    fn placement(&mut self, source: Node<'_, '_>) -> Result<Placement, Refusal> {
        let file = self.file(source)?;
        let band = read_band(source)?;
        let from = read_rect(source, "SrcRect")?;
        let to = read_rect(source, "DstRect")?.unwrap_or(FracRect::whole(self.size));
        let is_complex = source.has_tag_name("ComplexSource");
        let flag = |name| text_of(source, name).is_some_and(|text| text == "true" || text == "1");
        let nodata = text_of(source, "NODATA").filter(|_| is_complex);
        Ok(Placement {
            file,
            band,
            from,
            covers: to.pixels_in(self.size),
            to,
            uses_mask: is_complex && flag("UseMaskBand"),
            nodata: nodata.and_then(number),
            change: if is_complex {
                read_change(source)?.map(Box::new)
            } else {
                None
            },
        })
    }

    fn file(&mut self, source: Node<'_, '_>) -> Result<u32, Refusal> {
        let named = source
            .children()
            .find(|child| child.has_tag_name("SourceFilename"))
            .ok_or_else(|| Fault::damaged("a source in it names no file"))?;
        if source
            .children()
            .any(|child| child.has_tag_name("OpenOptions"))
        {
            return Err(unsupported("open options of a source").into());
        }
        let name = named.text().unwrap_or_default();
        let is_relative = named.attribute("relativeToVRT") == Some("1");
        let path = self.access.place(name, is_relative);
        let path = path.map_err(|what| Refusal::Elsewhere {
            what,
            name: name.to_owned(),
        })?;
        if let Some(&number) = self.numbers.get(&path) {
            return Ok(number);
        }
        let number = self.paths.len() as u32;
        self.numbers.insert(path.clone(), number);
        self.paths.push(path);
        Ok(number)
    }
}

/// Whether a text means yes to GDAL.
fn is_yes(text: &str) -> bool {
    let words = ["1", "true", "yes", "on"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn read_band(source: Node<'_, '_>) -> Result<FileBand, Fault> {
    let text = text_of(source, "SourceBand").unwrap_or("1");
    if text == "mask" || text.starts_with("mask,") {
        return Ok(FileBand::Mask);
    }
    let band = number::<u16>(text).filter(|band| (1..=MAX_BANDS).contains(band));
    let band = band.ok_or_else(|| Fault::damaged(format!("a source in it has the band {text}")))?;
    Ok(FileBand::Samples(band - 1))
}

fn read_rect(source: Node<'_, '_>, name: &str) -> Result<Option<FracRect>, Fault> {
    let Some(rect) = source.children().find(|child| child.has_tag_name(name)) else {
        return Ok(None);
    };
    let side = |name| rect.attribute(name).and_then(number::<f64>);
    let sides = [side("xOff"), side("yOff"), side("xSize"), side("ySize")];
    let rect = match sides {
        [Some(x), Some(y), Some(width), Some(height)] => FracRect {
            x,
            y,
            width,
            height,
        },
        _ => return Err(Fault::damaged(format!("a {name} in it is no rectangle"))),
    };
    if !rect.is_usable() {
        return Err(Fault::damaged(format!("a {name} in it is no rectangle")));
    }
    Ok(Some(rect))
}

fn read_change(source: Node<'_, '_>) -> Result<Option<Change>, Fault> {
    for name in ["Exponent", "ColorTableComponent"] {
        if text_of(source, name).is_some() {
            return Err(unsupported(format_args!("a source of the kind {name}")));
        }
    }
    let stated = |name: &str| {
        let text = text_of(source, name);
        text.map(|text| {
            let number = number::<f64>(text).filter(|number| number.is_finite());
            number.ok_or_else(|| Fault::damaged(format!("a {name} in it is no number")))
        })
        .transpose()
    };
    let (offset, ratio) = (stated("ScaleOffset")?, stated("ScaleRatio")?);
    let table = text_of(source, "LUT").map(read_table).transpose()?;
    if offset.is_none() && ratio.is_none() && table.is_none() {
        return Ok(None);
    }
    Ok(Some(Change {
        offset: offset.unwrap_or(0.0),
        ratio: ratio.unwrap_or(1.0),
        table: table.unwrap_or_default(),
    }))
}

/// A table `from:to,from:to`.
fn read_table(text: &str) -> Result<Vec<(f64, f64)>, Fault> {
    let pair = |pair: &str| {
        let (from, to) = pair.split_once(':')?;
        let (from, to) = (number::<f64>(from)?, number::<f64>(to)?);
        (from.is_finite() && to.is_finite()).then_some((from, to))
    };
    let pairs = text.split(',').take(MOST_LOOKED_UP).map(pair);
    let table = pairs.collect::<Option<Vec<_>>>();
    let is_rising = |table: &Vec<(f64, f64)>| table.windows(2).all(|two| two[0].0 < two[1].0);
    let table = table.filter(is_rising);
    table.ok_or_else(|| Fault::damaged("a table of values (LUT) in it is not understood"))
}

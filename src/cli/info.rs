use serde_json::{Value, json};

use super::args::InfoArgs;
use crate::exchange::crs_name;
use crate::geom::Georef;
use crate::raster::{Layout, RasterInfo, checksum, open_stored};

/// Says what is in an image file.
pub fn run(args: &InfoArgs) -> anyhow::Result<()> {
    // As other programs read it: a checksum is of the pixels in their order in the file.
    let source = open_stored(&args.path)?;
    let mut described = describe(source.info());
    if args.checksum {
        let sums: Result<Vec<u16>, _> = (0..source.info().bands)
            .map(|band| checksum(&*source, band))
            .collect();
        described["checksums"] = json!(sums?);
    }
    if args.json {
        say!("{described}");
    } else if let Value::Object(lines) = &described {
        for (name, value) in lines {
            say!("{name:<12} {}", plain(value));
        }
    }
    Ok(())
}

fn describe(info: &RasterInfo) -> Value {
    let georef = info.georef.as_ref();
    let (layout, tile) = match info.layout {
        Layout::Tiles { width, height } => ("tiled", Some([width, height])),
        Layout::Strips { .. } => ("striped", None),
        Layout::Whole => ("whole", None),
    };
    json!({
        "width": info.size.width,
        "height": info.size.height,
        "bands": info.bands,
        "dtype": info.sample.name(),
        "compression": info.compression,
        "layout": layout,
        "tile": tile,
        "levels": info.level_sizes.len(),
        "epsg": georef.and_then(|georef| georef.epsg),
        "crs": georef.and_then(crs),
        "pixel_size": georef.map(Georef::pixel_size),
        "bounds": georef.map(|georef| georef.bounds(info.size)),
        // JSON has no such numbers.
        "nodata": info.nodata.map(|value| {
            if value.is_finite() { json!(value) } else { json!(value.to_string()) }
        }),
    })
}

/// The name of the coordinate system, of one without a code as the file has it.
fn crs(georef: &Georef) -> Option<&str> {
    let known = georef.epsg.and_then(crs_name);
    known.or(georef.system.as_deref())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        Value::Array(parts) => parts.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

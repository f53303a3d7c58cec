//! Stories of VRT files.

use super::inside::Access;
use super::made::{Made, open, placed_source, rgb_vrt, source, vrt};
use super::nesting::Nesting;
use super::vrt::read_text;
use crate::geom::{ImageSize, PixelRect};
use crate::raster::source::TileSource;
use crate::raster::writer::{PixelKind, TiffOptions};
use crate::raster::{MadeBands, OpenError, ReadError, checksum, open_raster};

const RED: [u8; 3] = [200, 10, 20];
const BLUE: [u8; 3] = [5, 60, 250];

fn pixel(source: &dyn TileSource, x: u32, y: u32) -> [u8; 4] {
    let rgba = source.read_rgba(0, PixelRect::new(x, y, 1, 1));
    rgba.expect("a pixel").try_into().expect("four bytes")
}

fn opaque([red, green, blue]: [u8; 3]) -> [u8; 4] {
    [red, green, blue, 255]
}

#[test]
fn files_lie_at_their_places_and_the_later_over_the_earlier() {
    let made = Made::new();
    made.color("a.tif", RED);
    made.color("b.tif", BLUE);
    let text = rgb_vrt((20, 8), &[("a.tif", (0.0, 0.0)), ("b.tif", (6.0, 0.0))]);
    let mosaic = open(&made.vrt("m.vrt", &text));
    let info = mosaic.info();
    assert_eq!((info.size, info.bands), (ImageSize::new(20, 8), 3));
    assert_eq!((info.format, &info.compression[..]), ("VRT", "VRT"));
    assert_eq!(pixel(&*mosaic, 5, 7), opaque(RED));
    assert_eq!(pixel(&*mosaic, 6, 0), opaque(BLUE));
    assert_eq!(pixel(&*mosaic, 13, 7), opaque(BLUE));
    assert_eq!(pixel(&*mosaic, 14, 7), [0; 4], "ground without a file");
    let row = PixelRect::new(4, 3, 12, 1);
    let samples = mosaic.read_bands(row, &[2, 0]).expect("samples");
    let expected: Vec<f32> = [20.0; 2]
        .into_iter()
        .chain([250.0; 8])
        .chain([0.0; 2])
        .collect();
    assert_eq!(samples.planes[0], expected);
    assert_eq!(samples.has_data, [vec![true; 10], vec![false; 2]].concat());
    assert_eq!(mosaic.read_index(row).expect("bytes")[..3], [200, 200, 5]);
    let beyond = mosaic.read_rgba(0, PixelRect::new(15, 0, 6, 1));
    assert!(matches!(beyond, Err(ReadError::Outside { .. })));
    let whole = mosaic.read_rgba(0, info.size.bounds()).expect("a picture");
    assert_eq!(whole[(3 * 20 + 6) * 4..][..4], opaque(BLUE));
}

#[test]
fn nodata_and_masks_let_what_is_below_shine_through() {
    let made = Made::new();
    made.color("below.tif", RED);
    let options = TiffOptions::new(ImageSize::new(8, 8), PixelKind::Rgb);
    made.rgb(
        "void.tif",
        options,
        |x, _| if x < 4 { [0; 3] } else { BLUE },
    );
    let bands = ["1", "2", "3"].map(|band| {
        let below = source("below.tif", band, (0.0, 0.0), "");
        let above = source("void.tif", band, (0.0, 0.0), "<NODATA>0</NODATA>");
        format!("<NoDataValue>0</NoDataValue>{below}{above}")
    });
    let mosaic = open(&made.vrt("n.vrt", &vrt((9, 8), "Byte", &bands)));
    assert_eq!(mosaic.info().nodata, Some(0.0));
    assert_eq!(pixel(&*mosaic, 3, 3), opaque(RED));
    assert_eq!(pixel(&*mosaic, 4, 3), opaque(BLUE));
    assert_eq!(pixel(&*mosaic, 8, 3)[3], 0);
    let hidden = MadeBands {
        extra: vec![2],
        ..MadeBands::new(8, 8, 4, 8)
    };
    made.numbers("alpha.tif", &hidden, |x, _, band| match band {
        3 => f64::from(u8::from(x >= 4)) * 255.0,
        _ => 77.0,
    });
    let bands = ["1", "2", "3"].map(|band| {
        let below = source("below.tif", band, (0.0, 0.0), "");
        let above = "<UseMaskBand>true</UseMaskBand>";
        below + &source("alpha.tif", band, (0.0, 0.0), above)
    });
    let mosaic = open(&made.vrt("m.vrt", &vrt((8, 8), "Byte", &bands)));
    assert_eq!(pixel(&*mosaic, 3, 3), opaque(RED));
    assert_eq!(pixel(&*mosaic, 4, 3), [77, 77, 77, 255]);
}

#[test]
fn masks_and_opacity_of_the_mosaic_hide() {
    let made = Made::new();
    made.color("a.tif", RED);
    let hidden = MadeBands {
        extra: vec![2],
        ..MadeBands::new(8, 8, 4, 8)
    };
    made.numbers("alpha.tif", &hidden, |x, _, band| {
        if band == 3 { f64::from(x) * 30.0 } else { 50.0 }
    });
    let mask = format!(
        "<MaskBand><VRTRasterBand dataType=\"Byte\">{}</VRTRasterBand></MaskBand></VRTDataset>",
        source("alpha.tif", "mask,1", (0.0, 0.0), "")
    );
    let text = rgb_vrt((8, 8), &[("alpha.tif", (0.0, 0.0))]).replace("</VRTDataset>", &mask);
    let mosaic = open(&made.vrt("mask.vrt", &text));
    assert!(mosaic.info().has_alpha);
    assert_eq!(mosaic.data_bands(), [0, 1, 2]);
    assert_eq!(pixel(&*mosaic, 0, 0)[3], 0);
    assert_eq!(pixel(&*mosaic, 3, 0), [50, 50, 50, 90]);
    // As `gdalbuildvrt -addalpha` writes it.
    let constant = "<ScaleOffset>255</ScaleOffset><ScaleRatio>0</ScaleRatio>";
    let mut bands = ["1", "2", "3"]
        .map(|band| source("a.tif", band, (2.0, 0.0), ""))
        .to_vec();
    let opacity = source("a.tif", "1", (2.0, 0.0), constant);
    bands.push(format!("<ColorInterp>Alpha</ColorInterp>{opacity}"));
    let mosaic = open(&made.vrt("alpha.vrt", &vrt((10, 8), "Byte", &bands)));
    assert_eq!(mosaic.data_bands(), [0, 1, 2]);
    assert_eq!(pixel(&*mosaic, 1, 0)[3], 0);
    assert_eq!(pixel(&*mosaic, 2, 0), opaque(RED));
    assert_eq!(
        mosaic
            .read_values(PixelRect::new(1, 0, 2, 1), 3)
            .expect("values"),
        [0.0, 255.0]
    );
}

#[test]
fn sizes_that_differ_are_resampled_and_values_scaled() {
    let made = Made::new();
    let numbers = MadeBands::new(8, 8, 1, 16);
    made.numbers("n.tif", &numbers, |x, y, _| f64::from(100 * y + x));
    let halved = placed_source(
        "n.tif",
        "1",
        [0.0, 0.0, 8.0, 8.0],
        [1.25, 0.0, 4.0, 4.0],
        "",
    );
    let mosaic = open(&made.vrt("h.vrt", &vrt((6, 4), "UInt16", &[halved])));
    let row = mosaic
        .read_values(PixelRect::new(0, 1, 6, 1), 0)
        .expect("values");
    // The middle of column x lies at 2 · (x + 0.5 − 1.25); that of row 1 in row 3.
    assert_eq!(row, [0.0, 300.0, 302.0, 304.0, 306.0, 307.0]);
    let more = "<ScaleOffset>-5</ScaleOffset><ScaleRatio>0.5</ScaleRatio>";
    let scaled = source("n.tif", "1", (0.0, 0.0), more);
    let mosaic = open(&made.vrt("s.vrt", &vrt((8, 8), "Byte", &[scaled])));
    let rect = PixelRect::new(4, 0, 1, 8);
    let column = mosaic.read_index(rect).expect("bytes");
    assert_eq!(column, [0, 47, 97, 147, 197, 247, 255, 255]);
    let table = source("n.tif", "1", (0.0, 0.0), "<LUT>0:10, 100:20,700:200</LUT>");
    let mosaic = open(&made.vrt("l.vrt", &vrt((8, 8), "Byte", &[table])));
    let column = mosaic
        .read_index(PixelRect::new(0, 0, 1, 2))
        .expect("bytes");
    assert_eq!(column, [10, 20]);
}

#[test]
fn wide_samples_are_shown_in_one_range_over_all_files() {
    let made = Made::new();
    let numbers = MadeBands::new(8, 8, 1, 16);
    made.numbers("low.tif", &numbers, |_, _, _| 1_000.0);
    made.numbers("high.tif", &numbers, |_, _, _| 3_000.0);
    let both = source("low.tif", "1", (0.0, 0.0), "") + &source("high.tif", "1", (8.0, 0.0), "");
    let mosaic = open(&made.vrt("w.vrt", &vrt((16, 8), "UInt16", &[both])));
    assert_eq!(pixel(&*mosaic, 0, 0), [0, 0, 0, 255]);
    assert_eq!(pixel(&*mosaic, 8, 0), [255; 4]);
    let wide = mosaic
        .read_wide(PixelRect::new(7, 0, 2, 1))
        .expect("samples");
    let expected = [1_000_u16, 3_000].map(u16::to_be_bytes).concat();
    assert_eq!(wide, Some(expected));
    assert!(checksum(&*mosaic, 0).is_ok());
}

#[test]
fn what_is_missing_or_broken_stays_where_it_is() {
    let made = Made::new();
    made.color("a.tif", RED);
    made.vrt("broken.tif", "no image");
    let files = [
        ("a.tif", (0.0, 0.0)),
        ("gone.tif", (8.0, 0.0)),
        ("broken.tif", (16.0, 0.0)),
    ];
    let mosaic = open(&made.vrt("m.vrt", &rgb_vrt((24, 8), &files)));
    assert_eq!(pixel(&*mosaic, 7, 7), opaque(RED));
    for (x, name) in [(7, "gone.tif"), (16, "broken.tif")] {
        let error = mosaic
            .read_rgba(0, PixelRect::new(x, 0, 2, 8))
            .expect_err("a part is missing");
        assert!(
            matches!(&error, ReadError::Part { path, .. } if path.ends_with(name)),
            "{error}"
        );
        let rect = PixelRect::new(x + 1, 0, 1, 1);
        assert!(mosaic.read_bands(rect, &[0]).is_err());
    }
}

#[test]
fn files_elsewhere_are_refused() {
    let made = Made::new();
    std::fs::create_dir(made.path("below")).expect("made");
    made.color("secret.tif", RED);
    let absolute = made.path("secret.tif").display().to_string();
    let names = [
        "../secret.tif",
        &absolute,
        "/vsicurl/http://x/a.tif",
        "http://x/a.tif",
    ];
    for name in names {
        let text = rgb_vrt((8, 8), &[(name, (0.0, 0.0))]);
        let error = open_raster(&made.vrt("below/m.vrt", &text))
            .map(|_| ())
            .expect_err(name);
        assert!(matches!(error, OpenError::Elsewhere { .. }), "{error}");
        assert!(error.to_string().contains("Move that file"), "{error}");
    }
    // The same absolute name from the folder itself.
    let text = rgb_vrt((8, 8), &[(&absolute, (0.0, 0.0))]);
    let text = text.replace("relativeToVRT=\"1\"", "relativeToVRT=\"0\"");
    assert_eq!(pixel(&*open(&made.vrt("m.vrt", &text)), 1, 1), opaque(RED));
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_broken_files() {
    let made = Made::new();
    std::fs::create_dir(made.path("below")).expect("made");
    let secret = made.color("secret.tif", RED);
    std::os::unix::fs::symlink(secret, made.path("below/a.tif")).expect("linked");
    let text = rgb_vrt((8, 8), &[("a.tif", (0.0, 0.0))]);
    let mosaic = open(&made.vrt("below/m.vrt", &text));
    let error = mosaic
        .read_rgba(0, PixelRect::new(0, 0, 8, 8))
        .expect_err("a link out");
    assert!(error.to_string().contains("link"), "{error}");
}

#[test]
fn mosaics_lie_in_each_other_but_not_in_themselves() {
    let made = Made::new();
    made.color("a.tif", RED);
    made.vrt("1.vrt", &rgb_vrt((8, 8), &[("a.tif", (0.0, 0.0))]));
    for depth in 2..=10 {
        let below = format!("{}.vrt", depth - 1);
        let text = rgb_vrt((8, 8), &[(&below, (0.0, 0.0))]);
        made.vrt(&format!("{depth}.vrt"), &text);
    }
    assert_eq!(pixel(&*open(&made.path("8.vrt")), 4, 4), opaque(RED));
    let too_deep = open(&made.path("9.vrt")).read_rgba(0, PixelRect::new(0, 0, 1, 1));
    assert!(too_deep.is_err());
    made.vrt("x.vrt", &rgb_vrt((8, 8), &[("y.vrt", (0.0, 0.0))]));
    made.vrt("y.vrt", &rgb_vrt((8, 8), &[("x.vrt", (0.0, 0.0))]));
    let error = open(&made.path("x.vrt")).read_rgba(0, PixelRect::new(0, 0, 1, 1));
    assert!(error.is_err());
}

#[track_caller]
fn check_refused(text: &str, word: &str) {
    let made = Made::new();
    made.color("a.tif", RED);
    let error = open_raster(&made.vrt("m.vrt", text))
        .map(|_| ())
        .expect_err(word);
    assert!(error.to_string().contains(word), "{error}");
    if matches!(error, OpenError::Unsupported { .. }) {
        assert!(
            error.to_string().contains("gdal_translate IN.vrt"),
            "{error}"
        );
    }
}

#[test]
fn what_is_not_read_is_named() {
    let sound = rgb_vrt((8, 8), &[("a.tif", (0.0, 0.0))]);
    let with = |old: &str, new: &str| sound.replacen(old, new, 1);
    check_refused(
        &with("<VRTDataset", "<VRTDataset subClass=\"VRTWarpedDataset\""),
        "VRTWarpedDataset",
    );
    let derived = "<VRTRasterBand subClass=\"VRTDerivedRasterBand\"";
    check_refused(&with("<VRTRasterBand", derived), "VRTDerivedRasterBand");
    let raw = "<VRTRasterBand subClass=\"VRTRawRasterBand\"";
    check_refused(&with("<VRTRasterBand", raw), "VRTRawRasterBand");
    let function = "<PixelFunctionType>sum</PixelFunctionType><SimpleSource>";
    check_refused(&with("<SimpleSource>", function), "pixel function");
    check_refused(
        &sound.replace("SimpleSource", "KernelFilteredSource"),
        "KernelFilteredSource",
    );
    check_refused(&sound.replace("Byte", "CFloat32"), "CFloat32");
    check_refused(&with("Byte", "UInt16"), "different sample types");
    check_refused(
        &with("rasterXSize=\"8\"", "rasterXSize=\"0\""),
        "rasterXSize",
    );
    check_refused(
        &with("rasterXSize=\"8\"", "rasterXSize=\"99999999999\""),
        "rasterXSize",
    );
    check_refused(&with("xSize=\"8\"", "xSize=\"-8\""), "rectangle");
    check_refused(&with("xSize=\"8\"", "xSize=\"nan\""), "rectangle");
    check_refused(&with(">1</SourceBand>", ">0</SourceBand>"), "band");
    check_refused(
        "<VRTDataset rasterXSize=\"1\" rasterYSize=\"1\"></VRTDataset>",
        "bands",
    );
}

#[test]
fn cut_off_and_damaged_texts_end_in_an_error_or_a_mosaic() {
    let made = Made::new();
    let a = made.color("a.tif", RED).display().to_string();
    let mut text = rgb_vrt((9, 9), &[(&a, (0.5, 0.25))]);
    text.insert_str(0, "<?xml version=\"1.0\"?>\n");
    let path = made.path("m.vrt");
    let read = |text: &str| {
        let mosaic = read_text(text, &path, Access::Given, Nesting::default());
        if let Ok(mosaic) = &mosaic {
            mosaic.read_rgba(0, PixelRect::new(0, 0, 1, 1)).ok();
        }
        mosaic.is_ok()
    };
    assert!(read(&text));
    for at in 0..text.trim_end().len() {
        assert!(!read(&text[..at]), "cut at {at}");
    }
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        for byte in [b'<', b'"', b'9', b'-', b' '] {
            bytes[at] = byte;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                read(text);
            }
        }
    }
}

#[test]
fn the_place_of_a_vrt_is_read() {
    let made = Made::new();
    made.color("a.tif", RED);
    let place = "<VRTDataset rasterXSize=\"8\" rasterYSize=\"8\"><SRS>EPSG:2180</SRS>\
                 <GeoTransform> 5.0e+05, 5.0e-01, 0, 2.5e+05, 0, -0.5</GeoTransform>";
    let text = rgb_vrt((8, 8), &[("a.tif", (0.0, 0.0))]);
    let text = text.replace("<VRTDataset rasterXSize=\"8\" rasterYSize=\"8\">", place);
    let georef = open(&made.vrt("m.vrt", &text)).info().georef.clone();
    let georef = georef.expect("a place");
    assert_eq!(georef.epsg, Some(2_180));
    assert_eq!(
        georef.map_from_image,
        [0.5, 0.0, 500_000.0, 0.0, -0.5, 250_000.0]
    );
}

#[test]
fn palettes_are_colors_and_indices_stay() {
    let made = Made::new();
    made.numbers("i.tif", &MadeBands::new(8, 8, 1, 8), |x, _, _| {
        f64::from(x % 3)
    });
    let table = "<ColorInterp>Palette</ColorInterp><ColorTable><Entry c1=\"1\" c2=\"2\" c3=\"3\"/>\
                 <Entry c1=\"9\" c2=\"8\" c3=\"7\" c4=\"255\"/></ColorTable>";
    let band = format!("{table}{}", source("i.tif", "1", (0.0, 0.0), ""));
    let mosaic = open(&made.vrt("p.vrt", &vrt((8, 8), "Byte", &[band])));
    assert_eq!(pixel(&*mosaic, 1, 0), [9, 8, 7, 255]);
    assert_eq!(
        mosaic
            .read_index(PixelRect::new(0, 0, 3, 1))
            .expect("bytes"),
        [0, 1, 2]
    );
    assert_eq!(mosaic.color_bands(), [0]);
}

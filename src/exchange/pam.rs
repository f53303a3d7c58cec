use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use roxmltree::{Document, Node, ParsingOptions};

use super::text_file::read_bytes;
use super::xml::escaped;
use crate::disk::{ReplaceError, replace_file};
use crate::label::{Class, ClassTable, MaskError, Rgb, UNLABELED, default_color};

/// Such a file has names, colors and perhaps histograms; a larger one is something else.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// The most elements and texts of a file.
const MAX_NODES: u32 = 1 << 20;

/// `NAME.EXT.aux.xml` beside a raster, where GDAL keeps what the raster cannot say.
pub fn pam_path(raster: &Path) -> PathBuf {
    let mut name = raster.as_os_str().to_owned();
    name.push(".aux.xml");
    PathBuf::from(name)
}

/// Writes category names and a color table for band 1 as GDAL's persistent auxiliary metadata
/// (`GDALPamRasterBand`), whole or not at all.
///
/// Names are by index from 0 on; an index without a class has an empty one. The last color is that
/// of unlabeled pixels and is transparent. What the file said before is replaced: statistics are
/// those of the old pixels.
///
/// # Errors
/// [`ReplaceError`] when the disk refuses; the old file is then untouched.
pub fn write_pam(path: &Path, classes: &ClassTable) -> Result<(), ReplaceError> {
    replace_file(path, pam(classes).as_bytes())
}

fn pam(classes: &ClassTable) -> String {
    let mut text = concat!(
        "<PAMDataset>\n",
        "  <PAMRasterBand band=\"1\">\n",
        "    <ColorInterp>Palette</ColorInterp>\n",
        "    <CategoryNames>\n",
    )
    .to_owned();
    for index in 0..classes.num_classes() {
        let name = classes.get(index as u8).map_or("", |class| &class.name);
        add(
            &mut text,
            format_args!("      <Category>{}</Category>\n", escaped(name)),
        );
    }
    text.push_str("    </CategoryNames>\n    <ColorTable>\n");
    for (index, [r, g, b]) in classes.colors().into_iter().enumerate() {
        let alpha = if index == usize::from(UNLABELED) {
            0
        } else {
            255
        };
        let entry =
            format_args!("      <Entry c1=\"{r}\" c2=\"{g}\" c3=\"{b}\" c4=\"{alpha}\"/>\n");
        add(&mut text, entry);
    }
    text.push_str("    </ColorTable>\n  </PAMRasterBand>\n</PAMDataset>\n");
    text
}

fn add(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line)
        .expect("a string takes all that fits in memory");
}

/// Reads the category names of the first band that has any, with its color table or else with
/// colors of our own. Indices without a name are no classes, and neither is 255.
///
/// # Errors
/// [`MaskError::ClassFile`] when the disk does not give the file, it is not XML or has no category
/// names.
pub fn read_pam(path: &Path) -> Result<ClassTable, MaskError> {
    let unusable = |reason: String| MaskError::ClassFile {
        reason,
        path: path.to_owned(),
    };
    let bytes = read_bytes(path, MAX_FILE_BYTES).map_err(|error| unusable(error.to_string()))?;
    parse(&bytes).map_err(unusable)
}

fn parse(bytes: &[u8]) -> Result<ClassTable, String> {
    let text = str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| format!("it is not XML: {error}"))?;
    let bands = document.root_element().children();
    let (band, names) = bands
        .filter(|band| band.has_tag_name("PAMRasterBand"))
        .find_map(|band| Some((band, child(band, "CategoryNames")?)))
        .ok_or("it has no category names; save the classes as classes.toml instead")?;
    let names: Vec<(u8, &str)> = (0..UNLABELED)
        .zip(children(names, "Category"))
        .map(|(index, category)| (index, category.text().unwrap_or_default().trim()))
        .filter(|(_, name)| !name.is_empty())
        .collect();
    let colors: Vec<Option<Rgb>> = child(band, "ColorTable")
        .map(|table| children(table, "Entry").take(256).map(color).collect())
        .unwrap_or_default();
    let class = |(place, &(index, name)): (usize, &(u8, &str))| {
        let color = colors.get(usize::from(index)).copied().flatten();
        Class::new(
            index,
            name,
            color.unwrap_or_else(|| default_color(place, names.len())),
        )
    };
    let classes = names.iter().enumerate().map(class).collect();
    ClassTable::new(None, classes).map_err(|error| error.to_string())
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'a str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.has_tag_name(name))
}

fn color(entry: Node<'_, '_>) -> Option<Rgb> {
    let part = |name| entry.attribute(name)?.trim().parse().ok();
    Some([part("c1")?, part("c2")?, part("c3")?])
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::geom::ImageSize;
    use crate::label::{Mask, SaveAs, save_mask};

    fn table() -> ClassTable {
        let classes = vec![
            Class::new(0, "rest", [1, 2, 3]),
            Class::new(2, "road & <rail>", [255, 128, 0]),
            Class::new(254, "é", [9; 3]),
        ];
        ClassTable::new(None, classes).expect("valid")
    }

    #[test]
    fn a_table_reads_back_as_it_was_written() {
        for table in [table(), ClassTable::default()] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = pam_path(&folder.path().join("a.b.tif"));
            assert!(path.ends_with("a.b.tif.aux.xml"));
            write_pam(&path, &table).expect("written");
            assert_eq!(read_pam(&path).expect("our own"), table);
        }
    }

    #[test]
    fn other_files_are_understood_or_say_why_not() {
        let file = "<PAMDataset><SRS>x</SRS><PAMRasterBand band='1'/><PAMRasterBand band='2'>\
                    <CategoryNames><!-- c --><Category/><Category> a </Category></CategoryNames>\
                    <ColorTable><Entry c1='1'/></ColorTable></PAMRasterBand></PAMDataset>";
        let read = parse(file.as_bytes()).expect("valid");
        assert_eq!(read.classes().len(), 1);
        assert_eq!(read.name_of(1), "a");
        for (bytes, expected) in [
            (&b"\xff"[..], "not UTF-8"),
            (b"", "not XML"),
            (b"<a><b></a>", "not XML"),
            (b"<PAMDataset/>", "no category names"),
            (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "not XML"),
        ] {
            let error = parse(bytes).expect_err("not usable");
            assert!(error.contains(expected), "{error}");
        }
        let many = "<Category>x</Category>".repeat(1_000);
        let many =
            format!("<a><PAMRasterBand><CategoryNames>{many}</CategoryNames></PAMRasterBand></a>");
        assert_eq!(parse(many.as_bytes()).expect("cut").classes().len(), 255);
    }

    #[test]
    fn deep_and_long_files_do_no_harm() {
        let deep = "<a>".repeat(200_000);
        assert!(parse(deep.as_bytes()).is_err());
        let deep = format!("{deep}{}", "</a>".repeat(200_000));
        assert!(parse(deep.as_bytes()).is_err());
        let long = format!("<a>{}</a>", "<b/>".repeat(MAX_NODES as usize + 1));
        assert!(parse(long.as_bytes()).expect_err("long").contains("XML"));
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = pam(&table()).into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
                let _either_is_fine = parse(bytes);
            }
        }
    }

    #[test]
    fn gdal_tells_the_names_where_it_is_installed() {
        let folder = tempfile::tempdir().expect("a folder");
        let raster = folder.path().join("a.tif");
        let mask = Mask::filled(ImageSize::new(20, 10), 2);
        save_mask(&raster, &mask, &table(), None, SaveAs::GeoTiff).expect("written");
        write_pam(&pam_path(&raster), &table()).expect("written");
        let Ok(output) = Command::new("gdalinfo").arg(&raster).output() else {
            eprintln!("gdalinfo is not installed; not checked");
            return;
        };
        let told = String::from_utf8_lossy(&output.stdout);
        for line in ["0: rest", "2: road & <rail>", "254: é", "2: 255,128,0,255"] {
            assert!(told.contains(line), "{line} is not in {told}");
        }
    }
}

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::xml::escaped;
use crate::disk::{ReplaceError, replace_file};
use crate::label::{ClassTable, UNLABELED};

/// `STEM.qml` beside a raster, which QGIS loads with it.
pub fn qml_path(raster: &Path) -> PathBuf {
    raster.with_extension("qml")
}

/// Writes a style for QGIS 3 (`QgsPalettedRasterRenderer`), whole or not at all: band 1 of a
/// raster of class indices in the classes' names and colors, unlabeled pixels being transparent.
///
/// # Errors
/// [`ReplaceError`] when the disk refuses; the old file is then untouched.
pub fn write_qml(path: &Path, classes: &ClassTable) -> Result<(), ReplaceError> {
    replace_file(path, qml(classes).as_bytes())
}

fn qml(classes: &ClassTable) -> String {
    let mut text = concat!(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n",
        "<qgis version=\"3.28.0\" styleCategories=\"Symbology\">\n",
        "  <pipe>\n",
        "    <rasterrenderer type=\"paletted\" band=\"1\" opacity=\"1\" alphaBand=\"-1\" nodataColor=\"\">\n",
        "      <rasterTransparency/>\n",
        "      <colorPalette>\n",
    )
    .to_owned();
    for class in classes.classes() {
        add_entry(&mut text, class.index, &class.name, class.color, 255);
    }
    let none = classes.name_of(UNLABELED);
    add_entry(&mut text, UNLABELED, &none, [0; 3], 0);
    text.push_str(concat!(
        "      </colorPalette>\n",
        "    </rasterrenderer>\n",
        "    <brightnesscontrast brightness=\"0\" contrast=\"0\" gamma=\"1\"/>\n",
        "    <rasterresampler maxOversampling=\"2\"/>\n",
        "  </pipe>\n",
        "  <blendMode>0</blendMode>\n",
        "</qgis>\n",
    ));
    text
}

fn add_entry(text: &mut String, index: u8, name: &str, [r, g, b]: [u8; 3], alpha: u8) {
    writeln!(
        text,
        "        <paletteEntry value=\"{index}\" color=\"#{r:02x}{g:02x}{b:02x}\" label=\"{}\" alpha=\"{alpha}\"/>",
        escaped(name)
    )
    .expect("a string takes all that fits in memory");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Class;

    #[test]
    fn a_style_says_each_class_and_is_xml() {
        let classes = vec![
            Class::new(0, "rest", [1, 2, 255]),
            Class::new(4, "road \"A&B\" <new>\n", [0; 3]),
        ];
        let text = qml(&ClassTable::new(None, classes).expect("valid"));
        let options = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..Default::default()
        };
        let document = roxmltree::Document::parse_with_options(&text, options).expect("XML");
        let entries: Vec<Vec<&str>> = document
            .descendants()
            .filter(|node| node.has_tag_name("paletteEntry"))
            .map(|node| {
                node.attributes()
                    .map(|attribute| attribute.value())
                    .collect()
            })
            .collect();
        assert_eq!(
            entries,
            [
                ["0", "#0102ff", "rest", "255"],
                ["4", "#000000", "road \"A&B\" <new>\n", "255"],
                ["255", "#000000", "unlabeled", "0"],
            ]
        );
        let renderer = document
            .descendants()
            .find(|node| node.has_tag_name("rasterrenderer"))
            .expect("one");
        assert_eq!(renderer.attribute("type"), Some("paletted"));
        assert!(renderer.parent().expect("a pipe").has_tag_name("pipe"));
    }

    #[test]
    fn a_style_lies_beside_its_raster() {
        assert_eq!(qml_path(Path::new("d/a.b.tif")), Path::new("d/a.b.qml"));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.qml");
        write_qml(&path, &ClassTable::default()).expect("written");
        assert!(path.is_file());
    }
}

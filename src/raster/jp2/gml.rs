use roxmltree::{Document, Node, ParsingOptions};

use crate::geom::Georef;
use crate::raster::tiff::{from_centers, is_usable};

/// The most elements and texts; more is no grid.
const MAX_NODES: u32 = 1 << 16;

/// The place of the image out of a description in GML (GMLJP2, OGC 08-085): the first rectified
/// grid, whose origin is the center of a pixel.
pub fn georef_of_gml(text: &str) -> Option<Georef> {
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).ok()?;
    let mut nodes = document.descendants();
    let grid = nodes.find(|node| node.tag_name().name() == "RectifiedGrid")?;
    let pair = |name: &'static str| parts(grid, name).filter_map(|node| numbers(node.text()?));
    let mut origin = pair("pos").chain(pair("coordinates"));
    let (x, y) = origin.next()?;
    let mut steps = pair("offsetVector");
    let (right, down) = (steps.next()?, steps.next()?);
    // Rows of what is written run from west to east; where the first number of the step to the
    // right is zero, the file names latitude, or northing, first.
    let is_swapped = right.0 == 0.0 && down.1 == 0.0;
    let transform = if is_swapped {
        [right.1, down.1, y, right.0, down.0, x]
    } else {
        [right.0, down.0, x, right.1, down.1, y]
    };
    is_usable(&transform).then(|| Georef {
        map_from_image: from_centers(transform),
        epsg: grid.descendants().find_map(epsg),
        system: None,
        keys: None,
    })
}

fn parts<'a>(grid: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    let nodes = grid.descendants();
    nodes.filter(move |node| node.tag_name().name() == name)
}

fn numbers(text: &str) -> Option<(f64, f64)> {
    let mut words = text
        .split([' ', ',', '\n', '\t'])
        .filter(|word| !word.is_empty());
    let mut number = || words.next()?.parse().ok();
    Some((number()?, number()?))
}

/// The code in a name such as `urn:ogc:def:crs:EPSG::2180`.
fn epsg(node: Node<'_, '_>) -> Option<u32> {
    let name = node.attribute("srsName")?;
    let behind = &name[name.find("EPSG")? + 4..];
    behind.rsplit([':', '/', '#']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(code: u32, pos: &str, right: &str, down: &str) -> String {
        format!(
            "<a xmlns:gml='http://www.opengis.net/gml/3.2'><gml:RectifiedGrid><gml:origin>\
             <gml:Point srsName='urn:ogc:def:crs:EPSG::{code}'><gml:pos>{pos}</gml:pos></gml:Point>\
             </gml:origin><gml:offsetVector>{right}</gml:offsetVector>\
             <gml:offsetVector>{down}</gml:offsetVector></gml:RectifiedGrid></a>"
        )
    }

    #[test]
    fn a_grid_speaks_of_centers_and_may_name_latitude_first() {
        let text = grid(32_633, "500001 5799999", "2 0", "0 -2");
        let expected = Georef::north_up(500_000.0, 5_800_000.0, 2.0, Some(32_633));
        assert_eq!(georef_of_gml(&text), Some(expected));
        let text = grid(4_326, "50.5 20.5", "0 1", "-1 0");
        let expected = Georef::north_up(20.0, 51.0, 1.0, Some(4_326));
        assert_eq!(georef_of_gml(&text), Some(expected));
    }

    #[test]
    fn other_texts_are_no_places() {
        for text in ["", "<a/>", "<RectifiedGrid/>", &grid(1, "1", "0 0", "0 0")] {
            assert_eq!(georef_of_gml(text), None, "{text}");
        }
        assert_eq!(georef_of_gml(&grid(1, "1 2", "0 0", "0 0")), None);
    }
}

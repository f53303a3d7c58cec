use super::Crs;
use super::crs_names::by_name;

/// A description is short; more is not looked at.
const MAX_LENGTH: usize = 1 << 16;
/// Brackets within brackets of what is written are fewer than ten.
const MAX_DEPTH: usize = 32;

/// The coordinate system that well-known text (OGC 01-009 or 12-063r5) describes, as a `.prj` file
/// and a `GeoPackage` have it: by the code it names, else by a usual name, else, where it is a
/// transverse Mercator projection of a datum that lies with WGS 84, as a PROJ string.
///
/// `None` when there is nothing that looks like a description.
pub(super) fn crs_of_wkt(text: &str) -> Option<Crs> {
    let text = text.trim().trim_start_matches('\u{feff}');
    let root = (text.len() <= MAX_LENGTH)
        .then(|| Parser { rest: text }.node(0))
        .flatten()?;
    let Some(horizontal) = root.find(&PROJECTED).or_else(|| root.find(&GEOGRAPHIC)) else {
        return Some(Crs::Wkt(text.to_owned()));
    };
    let known = horizontal
        .code()
        .or_else(|| by_name(horizontal.text(0)?))
        .or_else(|| transverse_mercator(horizontal).map(Crs::Proj));
    Some(known.unwrap_or_else(|| Crs::Wkt(text.to_owned())))
}

const PROJECTED: [&str; 3] = ["PROJCS", "PROJCRS", "PROJECTEDCRS"];
const GEOGRAPHIC: [&str; 5] = [
    "GEOGCS",
    "GEOGCRS",
    "GEOGRAPHICCRS",
    "GEODCRS",
    "GEODETICCRS",
];

/// `KEYWORD[value, value, …]`.
#[derive(Debug)]
struct Node<'a> {
    keyword: &'a str,
    values: Vec<Value<'a>>,
}

#[derive(Debug)]
enum Value<'a> {
    Node(Node<'a>),
    /// A quoted text, a number or a word.
    Text(&'a str),
}

impl<'a> Node<'a> {
    fn children(&self) -> impl Iterator<Item = &Node<'a>> {
        self.values.iter().filter_map(|value| match value {
            Value::Node(node) => Some(node),
            Value::Text(_) => None,
        })
    }

    fn text(&self, index: usize) -> Option<&'a str> {
        match self.values.get(index)? {
            Value::Text(text) => Some(text),
            Value::Node(_) => None,
        }
    }

    fn number(&self, index: usize) -> Option<f64> {
        let number: f64 = self.text(index)?.parse().ok()?;
        number.is_finite().then_some(number)
    }

    fn is(&self, keywords: &[&str]) -> bool {
        keywords
            .iter()
            .any(|keyword| self.keyword.eq_ignore_ascii_case(keyword))
    }

    /// This node or the first one inside with one of the keywords.
    fn find(&self, keywords: &[&str]) -> Option<&Node<'a>> {
        if self.is(keywords) {
            return Some(self);
        }
        self.children().find_map(|child| child.find(keywords))
    }

    /// The EPSG code that is this node's own, not one of its parts'.
    fn code(&self) -> Option<Crs> {
        let ids = self.children().filter(|node| node.is(&["AUTHORITY", "ID"]));
        let epsg = ids
            .filter(|id| {
                id.text(0)
                    .is_some_and(|name| name.eq_ignore_ascii_case("EPSG"))
            })
            .find_map(|id| id.text(1)?.parse().ok());
        epsg.map(Crs::Epsg)
    }

    fn parameter(&self, name: &str) -> Option<f64> {
        let is_it = |node: &&Node<'_>| {
            node.is(&["PARAMETER"])
                && node
                    .text(0)
                    .is_some_and(|found| found.eq_ignore_ascii_case(name))
        };
        self.children().find(is_it)?.number(1)
    }
}

/// The PROJ string of a projection in the first kind of well-known text.
fn transverse_mercator(projected: &Node<'_>) -> Option<String> {
    let projection = projected.children().find(|node| node.is(&["PROJECTION"]))?;
    let names = ["Transverse_Mercator", "Gauss_Kruger"];
    names.contains(&projection.text(0)?).then_some(())?;
    let datum = projected.find(&["DATUM"])?.text(0)?.to_ascii_lowercase();
    // Their ellipsoids lie on that of WGS 84, to a meter.
    [
        "wgs_1984",
        "etrs_1989",
        "north_american_1983",
        "north_american_datum_1983",
    ]
    .iter()
    .any(|known| {
        datum.trim_start_matches("d_").contains(known)
            || datum.contains("european_terrestrial_reference_system_1989")
    })
    .then_some(())?;
    let spheroid = projected.find(&["SPHEROID"])?;
    let (a, rf) = (spheroid.number(1)?, spheroid.number(2)?);
    let unit = projected
        .children()
        .find(|node| node.is(&["UNIT"]))?
        .number(1)?;
    let value = |name| projected.parameter(name);
    Some(format!(
        "+proj=tmerc +lat_0={} +lon_0={} +k={} +x_0={} +y_0={} +a={a} +rf={rf} \
         +towgs84=0,0,0 +to_meter={unit} +no_defs",
        value("latitude_of_origin").unwrap_or(0.0),
        value("central_meridian")?,
        value("scale_factor").unwrap_or(1.0),
        value("false_easting")? * unit,
        value("false_northing")? * unit,
    ))
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// `None` when the text is not as it should be.
    fn node(&mut self, depth: usize) -> Option<Node<'a>> {
        let keyword = self.word();
        self.open()?;
        if keyword.is_empty() || depth >= MAX_DEPTH {
            return None;
        }
        let mut values = Vec::new();
        loop {
            values.push(self.value(depth)?);
            self.skip_space();
            let mut letters = self.rest.chars();
            let letter = letters.next()?;
            self.rest = letters.as_str();
            match letter {
                ',' => {}
                ']' | ')' => return Some(Node { keyword, values }),
                _ => return None,
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        self.skip_space();
        if let Some(quoted) = self.rest.strip_prefix('"') {
            let (text, rest) = quoted.split_once('"')?;
            self.rest = rest;
            return Some(Value::Text(text));
        }
        let before = self.rest;
        let word = self.word();
        self.skip_space();
        if self.rest.starts_with(['[', '(']) {
            self.rest = before;
            return self.node(depth + 1).map(Value::Node);
        }
        Some(Value::Text(word))
    }

    fn word(&mut self) -> &'a str {
        self.skip_space();
        let is_end = |letter: char| "[](),\"".contains(letter) || letter.is_whitespace();
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn open(&mut self) -> Option<()> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(['[', '('])?;
        Some(())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ESRI: &str = "PROJCS[\"ETRS_1989_Poland_CS92\",GEOGCS[\"GCS_ETRS_1989\",\
        DATUM[\"D_ETRS_1989\",SPHEROID[\"GRS_1980\",6378137.0,298.257222101]],\
        PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],\
        PROJECTION[\"Transverse_Mercator\"],PARAMETER[\"False_Easting\",500000.0],\
        PARAMETER[\"False_Northing\",-5300000.0],PARAMETER[\"Central_Meridian\",19.0],\
        PARAMETER[\"Scale_Factor\",0.9993],PARAMETER[\"Latitude_Of_Origin\",0.0],\
        UNIT[\"Meter\",1.0]]";

    #[test]
    fn codes_and_names_are_found() {
        for (text, expected) in [
            (ESRI, Some(Crs::Epsg(2180))),
            (
                "GEOGCS[\"any\",DATUM[\"x\",AUTHORITY[\"EPSG\",\"6326\"]],AUTHORITY[\"EPSG\",\"4326\"]]",
                Some(Crs::Epsg(4326)),
            ),
            (
                "COMPD_CS[\"both\",PROJCS[\"x\",AUTHORITY[\"EPSG\",\"25833\"]],\
                 VERT_CS[\"h\",AUTHORITY[\"EPSG\",\"5621\"]],AUTHORITY[\"EPSG\",\"9999\"]]",
                Some(Crs::Epsg(25833)),
            ),
            (
                " PROJCRS [\"x\", BASEGEOGCRS[\"b\",ID[\"EPSG\",4258]], ID[\"EPSG\", 3035]] ",
                Some(Crs::Epsg(3035)),
            ),
            (
                "GEOGCS[\"local\",AUTHORITY[\"ESRI\",\"104000\"]]",
                Some(Crs::Wkt(
                    "GEOGCS[\"local\",AUTHORITY[\"ESRI\",\"104000\"]]".to_owned(),
                )),
            ),
            ("", None),
            ("undefined", None),
            ("GEOGCS[\"cut off", None),
        ] {
            assert_eq!(crs_of_wkt(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unnamed_transverse_mercator_becomes_a_proj_string() {
        let Some(Crs::Proj(text)) = crs_of_wkt(&ESRI.replace("ETRS_1989_Poland_CS92", "mine"))
        else {
            panic!("a projection");
        };
        assert_eq!(
            text,
            "+proj=tmerc +lat_0=0 +lon_0=19 +k=0.9993 +x_0=500000 +y_0=-5300000 \
             +a=6378137 +rf=298.257222101 +towgs84=0,0,0 +to_meter=1 +no_defs"
        );
    }

    #[test]
    fn deep_brackets_are_refused() {
        assert_eq!(crs_of_wkt(&"A[".repeat(20_000)), None);
        assert_eq!(crs_of_wkt(&"A[".repeat(200_000)), None);
    }

    proptest! {
        #[test]
        fn any_text_does_no_harm(text in "[A-C\\[\\](),\"0-9. é]{0,60}", cut in 0_usize..400) {
            let cut = ESRI.get(..cut).map(crs_of_wkt);
            prop_assert!(cut.is_none_or(|crs| crs.is_none()));
            let crs = crs_of_wkt(&text);
            prop_assert!(crs.is_none_or(|crs| matches!(crs, Crs::Wkt(_))));
        }
    }
}

/// What the numbers of a band of bytes stand for, as GDAL and QGIS understand it.
#[derive(Clone, Debug, PartialEq)]
pub struct BandMeaning {
    /// What they are, in a sentence.
    pub description: String,
    /// What one more of them is, in the unit.
    pub scale: f64,
    /// What 0 is, in the unit.
    pub offset: f64,
    /// The unit; empty for what has none.
    pub unit: &'static str,
}

impl BandMeaning {
    /// What a number of the band stands for, in the unit.
    pub fn value(&self, stored: u8) -> f64 {
        f64::from(stored) * self.scale + self.offset
    }

    /// The text of GDAL's tag (`GDAL_METADATA`, 42112; `GTiff` driver, "Metadata").
    pub(super) fn gdal(&self) -> String {
        let description = self.description.replace('&', "&amp;").replace('<', "&lt;");
        let items = [
            ("description", description),
            ("offset", self.offset.to_string()),
            ("scale", self.scale.to_string()),
            ("unittype", self.unit.to_owned()),
        ];
        let items = items.into_iter().filter(|(_, text)| !text.is_empty());
        let items = items.map(|(role, text)| {
            let name = role.to_uppercase();
            format!("<Item name=\"{name}\" sample=\"0\" role=\"{role}\">{text}</Item>\n")
        });
        let items: Vec<String> = items.collect();
        format!("<GDALMetadata>\n{}</GDALMetadata>\n", items.concat())
    }
}

use std::collections::BTreeMap;

use crate::label::ClassTable;

/// How polygons and lines become classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BurnPlan {
    /// The attribute that says the class.
    pub attribute: String,
    /// The class that each value of the attribute stands for, by the value as people write it: `3`
    /// for both 3 and 3.0, nothing for a missing one. When empty, values are indices or names of
    /// classes.
    pub values: BTreeMap<String, u8>,
    /// The class of all other values; without one their shapes are left out and noted.
    pub otherwise: Option<u8>,
    /// The classes; without them those that `values`, or else the shapes themselves, speak of.
    pub classes: Option<ClassTable>,
    /// How wide lines are.
    pub line_width: LineWidth,
    /// Classes from the first drawn to the last, which lies above the others. Those not named come
    /// first, and shapes of one class are drawn in the order of the file.
    pub order: Vec<u8>,
}

/// How wide lines are drawn: in meters on the ground, or in pixels where the image has no
/// georeference.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LineWidth {
    /// Lines are left out and noted.
    #[default]
    Unknown,
    /// All alike.
    Fixed(f64),
    /// By an attribute of each.
    Attribute {
        /// The attribute's name.
        name: String,
        /// For lines whose attribute says no width; without it they are left out and noted.
        otherwise: Option<f64>,
    },
}

impl BurnPlan {
    /// A plan by an attribute of which nothing more is known.
    pub fn by_attribute(attribute: &str) -> Self {
        Self {
            attribute: attribute.to_owned(),
            ..Self::default()
        }
    }
}

use crate::label::{Class, ClassTable};

/// What tools paint with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Palette {
    pub table: ClassTable,
    pub active: u8,
    pub previous: u8,
    pub hidden: Vec<u8>,
    /// Whether it was said that hidden classes are changed; each hiding lets it be said again.
    pub warned: bool,
    pub locked: Vec<u8>,
    /// The order in which classes are shown; those not in it follow by index.
    pub order: Vec<u8>,
    /// Classes that were taken out; a step back may need them again.
    pub removed: Vec<Class>,
    /// A class that is taken out as soon as its pixels went over to another.
    pub leaving: Option<(u8, u8)>,
}

impl Palette {
    pub(super) const fn new(table: ClassTable) -> Self {
        Self {
            table,
            active: 1,
            previous: 0,
            hidden: Vec::new(),
            warned: false,
            locked: Vec::new(),
            order: Vec::new(),
            removed: Vec::new(),
            leaving: None,
        }
    }
}

use super::{MaskError, UNLABELED};

/// Red, green and blue of a class, 0 to 255 each, as screens show them.
pub type Rgb = [u8; 3];

/// One class of a class table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The index in masks, 0 to 254.
    pub index: u8,
    /// What people call it.
    pub name: String,
    /// The color it is shown in.
    pub color: Rgb,
    /// The colors that stand for it in color-coded masks; the first one is written.
    pub codes: Vec<Rgb>,
}

impl Class {
    /// A class without codes of its own.
    pub fn new(index: u8, name: impl Into<String>, color: Rgb) -> Self {
        Self {
            index,
            name: name.into(),
            color,
            codes: Vec::new(),
        }
    }

    /// The color that stands for it in color-coded masks.
    pub fn code(&self) -> Rgb {
        self.codes.first().copied().unwrap_or(self.color)
    }
}

/// The classes of masks, sorted by index: the only truth about names and colors.
///
/// Changing operations answer with a new table, so that a table can be shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassTable {
    /// The class of ground that is nothing else, when there is one.
    background: Option<u8>,
    classes: Vec<Class>,
}

impl ClassTable {
    /// A table of these classes in any order.
    ///
    /// # Errors
    /// [`MaskError::ClassTable`] when an index is 255 or appears twice, a name is empty, a code
    /// stands for two classes, or the background is none of the classes.
    pub fn new(background: Option<u8>, mut classes: Vec<Class>) -> Result<Self, MaskError> {
        classes.sort_by_key(|class| class.index);
        let table = Self {
            background,
            classes,
        };
        match table.broken_rule() {
            Some(reason) => Err(MaskError::ClassTable { reason }),
            None => Ok(table),
        }
    }

    /// The class of ground that is nothing else, when there is one.
    pub const fn background(&self) -> Option<u8> {
        self.background
    }

    /// The classes, by index.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Whether there is no class.
    pub const fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The highest index + 1: the number of outputs a network needs. 0 for an empty table.
    pub fn num_classes(&self) -> usize {
        self.classes
            .last()
            .map_or(0, |class| usize::from(class.index) + 1)
    }

    /// The class with this index.
    pub fn get(&self, index: u8) -> Option<&Class> {
        let place = self
            .classes
            .binary_search_by_key(&index, |class| class.index)
            .ok()?;
        Some(&self.classes[place])
    }

    /// The name to show for an index, whether it is in the table or not.
    pub fn name_of(&self, index: u8) -> String {
        match self.get(index) {
            Some(class) => class.name.clone(),
            None if index == UNLABELED => "unlabeled".to_owned(),
            None => default_name(index),
        }
    }

    /// The class that is called so, upper and lower case being the same.
    pub fn by_name(&self, name: &str) -> Option<&Class> {
        self.classes
            .iter()
            .find(|class| class.name.to_lowercase() == name.to_lowercase())
    }

    /// The same table with another name for a class.
    ///
    /// # Errors
    /// [`MaskError::ClassTable`] when there is no such class or the name is empty.
    pub fn renamed(&self, index: u8, name: &str) -> Result<Self, MaskError> {
        self.with_class(index, |class| name.trim().clone_into(&mut class.name))
    }

    /// The same table with another color for a class.
    ///
    /// # Errors
    /// [`MaskError::ClassTable`] when there is no such class.
    pub fn recolored(&self, index: u8, color: Rgb) -> Result<Self, MaskError> {
        self.with_class(index, |class| class.color = color)
    }

    /// The index for a class more: the one after all classes and all indices that `is_used` elsewhere,
    /// else the lowest that is neither. One that is used comes last, since pixels that have it would
    /// become the new class; `None` when the table has all 255.
    pub fn next_index(&self, is_used: impl Fn(u8) -> bool) -> Option<u8> {
        let is_free = |index: &u8| self.get(*index).is_none();
        let is_fresh = |index: &u8| is_free(index) && !is_used(*index);
        let last = (0..UNLABELED).rev().find(|index| !is_fresh(index));
        let next = last.map_or(0, |last| last + 1);
        (next < UNLABELED)
            .then_some(next)
            .or_else(|| (0..UNLABELED).find(is_fresh))
            .or_else(|| (0..UNLABELED).find(is_free))
    }

    /// The same table with a class more, at its [`Self::next_index`], and that index.
    ///
    /// # Errors
    /// [`MaskError::ClassTable`] when the name is empty or all 255 indices are taken.
    pub fn added(
        &self,
        name: &str,
        color: Rgb,
        is_used: impl Fn(u8) -> bool,
    ) -> Result<(Self, u8), MaskError> {
        let full = || MaskError::ClassTable {
            reason: "all 255 indices are taken; remove a class first".to_owned(),
        };
        let index = self.next_index(is_used).ok_or_else(full)?;
        let mut classes = self.classes.clone();
        classes.push(Class::new(index, name.trim(), color));
        Ok((Self::new(self.background, classes)?, index))
    }

    /// The same table without a class; pixels that have its index are not changed by this.
    ///
    /// # Errors
    /// [`MaskError::ClassTable`] when there is no such class.
    pub fn removed(&self, index: u8) -> Result<Self, MaskError> {
        self.get(index).ok_or_else(|| no_such_class(index))?;
        let others = self
            .classes
            .iter()
            .filter(|class| class.index != index)
            .cloned()
            .collect();
        Self::new(
            self.background.filter(|&background| background != index),
            others,
        )
    }

    /// The same table with another class as the background, or with none.
    ///
    /// # Errors
    /// [`MaskError::ClassTable`] when there is no such class.
    pub fn with_background(&self, background: Option<u8>) -> Result<Self, MaskError> {
        Self::new(background, self.classes.clone())
    }

    /// The color of each index, grey for those without a class.
    pub fn colors(&self) -> [Rgb; 256] {
        const NO_CLASS: Rgb = [128; 3];
        let mut colors = [NO_CLASS; 256];
        for class in &self.classes {
            colors[usize::from(class.index)] = class.color;
        }
        colors
    }

    fn with_class(&self, index: u8, change: impl FnOnce(&mut Class)) -> Result<Self, MaskError> {
        let mut classes = self.classes.clone();
        let class = classes.iter_mut().find(|class| class.index == index);
        change(class.ok_or_else(|| no_such_class(index))?);
        Self::new(self.background, classes)
    }

    fn broken_rule(&self) -> Option<String> {
        if let Some(class) = self.classes.iter().find(|class| class.index == UNLABELED) {
            return Some(format!(
                "\"{}\" has index 255, which means unlabeled; use 0 to 254",
                class.name
            ));
        }
        if let Some(class) = self
            .classes
            .iter()
            .find(|class| class.name.trim().is_empty())
        {
            return Some(format!(
                "the class with index {} has no name; give it one",
                class.index
            ));
        }
        if let Some([a, b]) = self
            .classes
            .array_windows()
            .find(|[a, b]| a.index == b.index)
        {
            return Some(format!(
                "\"{}\" and \"{}\" share index {}",
                a.name, b.name, a.index
            ));
        }
        if let Some(index) = self.background.filter(|&index| self.get(index).is_none()) {
            return Some(format!(
                "the background {index} is none of the classes; name one of them"
            ));
        }
        self.shared_code()
    }

    fn shared_code(&self) -> Option<String> {
        let mut seen = std::collections::HashMap::new();
        for class in &self.classes {
            for &code in &class.codes {
                let first = *seen.entry(code).or_insert(class);
                if first.index != class.index {
                    let [r, g, b] = code;
                    return Some(format!(
                        "the color {r}, {g}, {b} stands for both \"{}\" and \"{}\"",
                        first.name, class.name
                    ));
                }
            }
        }
        None
    }
}

/// The name of a class that nobody named.
pub(super) fn default_name(index: u8) -> String {
    format!("class {index}")
}

fn no_such_class(index: u8) -> MaskError {
    MaskError::ClassTable {
        reason: format!("there is no class with index {index}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ClassTable {
        let classes = vec![
            Class::new(4, "road", [200, 200, 200]),
            Class::new(0, "background", [50, 50, 50]),
            Class::new(1, "building", [200, 0, 0]),
        ];
        ClassTable::new(Some(0), classes).expect("valid")
    }

    #[test]
    fn a_table_answers_by_index_and_by_name() {
        let table = table();
        assert_eq!(table.num_classes(), 5);
        assert_eq!(table.get(4).map(|class| class.name.as_str()), Some("road"));
        assert_eq!(table.by_name("Building").map(|class| class.index), Some(1));
        assert_eq!(
            (table.name_of(2), table.name_of(255)),
            ("class 2".into(), "unlabeled".into())
        );
        assert_eq!(table.colors()[1], [200, 0, 0]);
    }

    #[test]
    fn operations_leave_the_old_table_alone() {
        let old = table();
        let added = old.added("water", [0, 0, 200], |_| false);
        let (new, index) = added.expect("free");
        assert_eq!((index, new.classes().len(), old.classes().len()), (5, 4, 3));
        assert_eq!(new.renamed(5, " lake ").expect("there").name_of(5), "lake");
        assert_eq!(
            new.recolored(5, [1, 2, 3]).expect("there").colors()[5],
            [1, 2, 3]
        );
        assert_eq!(old.removed(0).expect("there").background(), None);
        let other = old.with_background(Some(4)).expect("there");
        assert_eq!((other.background(), old.background()), (Some(4), Some(0)));
        assert!(old.with_background(Some(9)).is_err());
        assert!(old.renamed(9, "x").is_err() && old.renamed(1, " ").is_err());
    }

    #[test]
    fn a_new_class_takes_no_index_that_anything_has_while_there_is_another() {
        let table = table();
        assert_eq!(table.next_index(|_| false), Some(5), "2 and 3 may be freed");
        assert_eq!(table.next_index(|index| index == 7), Some(8));
        assert_eq!(table.next_index(|index| [2, 254].contains(&index)), Some(3));
        assert_eq!(table.next_index(|_| true), Some(2), "all are used up");
        assert_eq!(ClassTable::default().next_index(|_| false), Some(0));
        let all = (0..UNLABELED).map(|index| Class::new(index, "x", [0; 3]));
        let full = ClassTable::new(None, all.collect()).expect("valid");
        assert_eq!(full.next_index(|_| false), None);
        assert!(full.added("y", [0; 3], |_| false).is_err());
    }

    #[test]
    fn broken_tables_are_refused() {
        let two = |a: u8, b: u8| vec![Class::new(a, "a", [0; 3]), Class::new(b, "b", [1; 3])];
        let mut same_code = two(0, 1);
        same_code[0].codes = vec![[9; 3]];
        same_code[1].codes = vec![[9; 3]];
        for (background, classes, expected) in [
            (None, two(3, 3), "share index 3"),
            (None, two(0, 255), "unlabeled"),
            (Some(7), two(0, 1), "background 7"),
            (None, same_code, "9, 9, 9"),
            (None, vec![Class::new(0, "  ", [0; 3])], "no name"),
        ] {
            let error = ClassTable::new(background, classes)
                .expect_err("broken")
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}

use super::{Class, ClassTable, MaskError, UNLABELED};

/// One class table for two people's masks: `ours`, which keeps its indices and background, with
/// the classes that only `theirs` has, and for each index of their masks the one in it, for
/// [`Mask::recoded`](super::Mask::recoded).
///
/// Classes are the same when their names are, upper and lower case being the same. One that we
/// lack keeps its index when that is free, else it gets the lowest free one; it keeps the color
/// codes that stand for nothing yet.
///
/// An index without a class in `theirs` becomes unlabeled. So that no pixel is lost, name those
/// that occur in the mask first, with [`ClassTable::with_values`].
///
/// # Errors
/// [`MaskError::ClassTable`] when both together have more than 255 classes.
pub fn align_classes(
    ours: &ClassTable,
    theirs: &ClassTable,
) -> Result<(ClassTable, [u8; 256]), MaskError> {
    let (mut table, mut index_of) = (ours.clone(), [UNLABELED; 256]);
    let is_new = |class: &&Class| ours.by_name(&class.name).is_none();
    let (stay, move_away): (Vec<_>, Vec<_>) = theirs
        .classes()
        .iter()
        .filter(is_new)
        .partition(|class| ours.get(class.index).is_none());
    for class in stay.into_iter().chain(move_away) {
        if table.by_name(&class.name).is_none() {
            table = with_class(&table, class)?;
        }
    }
    for class in theirs.classes() {
        if let Some(same) = table.by_name(&class.name) {
            index_of[usize::from(class.index)] = same.index;
        }
    }
    Ok((table, index_of))
}

fn with_class(table: &ClassTable, class: &Class) -> Result<ClassTable, MaskError> {
    let is_free = |index: &u8| table.get(*index).is_none();
    let mut candidates = std::iter::once(class.index).chain(0..UNLABELED);
    let index = candidates.find(is_free);
    let index = index.ok_or_else(|| MaskError::ClassTable {
        reason: format!(
            "both people's classes together are more than 255, and \"{}\" finds no index; give \
             classes that mean the same one name",
            class.name
        ),
    })?;
    let mut classes = table.classes().to_vec();
    let is_taken = |code| classes.iter().any(|other| other.codes.contains(code));
    let codes = class.codes.iter().filter(|code| !is_taken(code));
    classes.push(Class {
        index,
        codes: codes.copied().collect(),
        ..class.clone()
    });
    ClassTable::new(table.background(), classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(classes: &[(u8, &str)]) -> ClassTable {
        let class = |&(index, name): &(u8, &str)| {
            let mut class = Class::new(index, name, [index; 3]);
            class.codes = vec![[name.to_lowercase().as_bytes()[0]; 3]];
            class
        };
        ClassTable::new(None, classes.iter().map(class).collect()).expect("valid")
    }

    #[test]
    fn classes_meet_by_name_and_new_ones_get_free_indices() {
        let ours = table(&[(0, "background"), (1, "road"), (3, "lake")]);
        let theirs = table(&[
            (0, "Lake"),
            (1, "forests"),
            (2, "quarry"),
            (3, "bogs"),
            (9, "Road"),
        ]);
        let (both, index_of) = align_classes(&ours, &theirs).expect("room");
        let names = |table: &ClassTable| -> Vec<_> {
            let of = |class: &Class| (class.index, class.name.clone());
            table.classes().iter().map(of).collect()
        };
        let expected = [
            (0, "background"),
            (1, "road"),
            (2, "quarry"),
            (3, "lake"),
            (4, "forests"),
            (5, "bogs"),
        ];
        assert_eq!(
            names(&both),
            expected.map(|(index, name)| (index, name.to_owned()))
        );
        assert_eq!(index_of[..4], [3, 4, 2, 5]);
        assert_eq!((index_of[9], index_of[8], index_of[255]), (1, 255, 255));
        let codes = |index| both.get(index).expect("there").codes.clone();
        assert_eq!(codes(2), [[b'q'; 3]]);
        assert!(
            codes(5).is_empty(),
            "the code of bogs is that of background"
        );
    }

    #[test]
    fn equal_tables_change_nothing() {
        let ours = table(&[(0, "a"), (4, "bb")]);
        let (both, index_of) = align_classes(&ours, &ours).expect("room");
        assert_eq!((both, index_of[0], index_of[4]), (ours, 0, 4));
    }

    #[test]
    fn too_many_classes_are_refused() {
        let all = |prefix: &str| {
            let class = |index| Class::new(index, format!("{prefix}{index}"), [0; 3]);
            ClassTable::new(None, (0..200).map(class).collect()).expect("valid")
        };
        let error = align_classes(&all("a"), &all("b")).expect_err("no room");
        assert!(error.to_string().contains("255"), "{error}");
    }
}

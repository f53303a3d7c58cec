use std::path::Path;

use crate::exchange::{pam_path, read_class_list, read_pam};
use crate::label::{ClassTable, FoundTable, MaskError, TableOrigin};

/// Names that data sets give to their lists of classes.
const LISTS: [&str; 3] = ["label_colors.txt", "class_dict.csv", "classes.csv"];

/// The class table of a mask: the given one, else a `classes.toml` beside it, else the category
/// names that GDAL keeps beside it, else a list of classes beside it or in the folder above.
///
/// # Errors
/// [`MaskError::ClassFile`] when a `classes.toml` is there but cannot be used.
pub fn find_table(
    mask: &Path,
    given: Option<&ClassTable>,
) -> Result<Option<FoundTable>, MaskError> {
    let found = |classes: ClassTable, origin| Some(FoundTable { classes, origin });
    if let Some(classes) = given {
        return Ok(found(classes.clone(), TableOrigin::Given));
    }
    if let Some(classes) = ClassTable::beside(mask)? {
        return Ok(found(classes, TableOrigin::Beside));
    }
    // Statistics without names lie in such files as well, so that one that does not help is no
    // error; and a list may be of something else.
    let names = pam_path(mask);
    if let Ok(classes) = read_pam(&names)
        && !classes.is_empty()
    {
        return Ok(found(classes, TableOrigin::CategoryNames(names)));
    }
    let folders = mask.ancestors().skip(1).take(2);
    let mut lists = folders.flat_map(|folder| LISTS.map(|name| folder.join(name)));
    Ok(lists.find_map(|list| {
        let classes = read_class_list(&list).ok()?;
        found(classes, TableOrigin::List(list))
    }))
}

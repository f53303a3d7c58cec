use toml::{Table, Value};

use super::Recipe;
use crate::disk::{from_toml, toml_fault};

/// Tables with one of these say what they are, so they are replaced and not mixed.
pub(super) const TAGS: [&str; 2] = ["kind", "way"];

/// `base` with `changes` laid over it one after the other. A change is a table as in a recipe file
/// that holds only what differs. What comes out is not checked.
///
/// # Errors
/// What is wrong with what comes out, in a sentence.
pub(super) fn changed<'a>(
    base: &Recipe,
    changes: impl IntoIterator<Item = &'a Table>,
) -> Result<Recipe, String> {
    let mut table: Table = from_toml(&base.to_toml())?;
    for one in changes {
        change(&mut table, one);
    }
    table.try_into().map_err(|error| toml_fault(&error))
}

/// The change that puts `value` at a dotted path such as `model.family`.
pub(super) fn at_path(path: &str, value: Value) -> Table {
    let mut names = path.rsplit('.');
    let last = names.next().unwrap_or_default();
    let around = |inner: Table, name: &str| Table::from_iter([(name.to_owned(), inner.into())]);
    names.fold(Table::from_iter([(last.to_owned(), value)]), around)
}

/// Lays `changes` over `table`.
fn change(table: &mut Table, changes: &Table) {
    for (name, value) in changes {
        match (table.get_mut(name), value) {
            (Some(Value::Table(inner)), Value::Table(changes))
                if !TAGS.iter().any(|tag| changes.contains_key(*tag)) =>
            {
                change(inner, changes);
            }
            _ => {
                table.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Table {
        toml::from_str(text).expect("a table")
    }

    #[test]
    fn changes_are_laid_over_and_tagged_tables_replaced() {
        let mut table = parse("a = 1\n[m]\nx = 1\ny = 2\n[o]\nkind = \"sgd\"\nmomentum = 0.9");
        let changes = parse("b = 2\n[m]\ny = 3\n[o]\nkind = \"adam\"");
        change(&mut table, &changes);
        let expected = parse("a = 1\nb = 2\n[m]\nx = 1\ny = 3\n[o]\nkind = \"adam\"");
        assert_eq!(table, expected);
    }

    #[test]
    fn a_path_leads_into_tables() {
        assert_eq!(at_path("a", 1.into()), parse("a = 1"));
        assert_eq!(at_path("a.b.c", 1.into()), parse("[a.b]\nc = 1"));
    }

    #[test]
    fn a_change_that_is_no_recipe_is_said_in_a_sentence() {
        let base = Recipe::default();
        let same = changed(&base, &[parse("")]).expect("the same");
        assert_eq!(same, base);
        let other = changed(&base, &[parse("model.depth = 3"), parse("epochs = 2")]);
        let other = other.expect("a recipe");
        assert_eq!((other.model.depth, other.epochs), (3, 2));
        let why = changed(&base, &[parse("epoch = 2")]).expect_err("a misspelling");
        assert!(
            why.starts_with("unknown field `epoch`; write one of") && !why.contains('\n'),
            "{why}"
        );
    }
}

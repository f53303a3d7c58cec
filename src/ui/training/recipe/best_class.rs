use egui::{ComboBox, Ui};
use serde_json::json;

use super::row::title_ui;
use super::tree::Tree;
use crate::label::ClassTable;
use crate::session::Session;
use crate::train::BestBy;
use crate::ui::panels::recipe::TrainForm;

const BEST_BY: &str = "best_by";

/// The classes of what the next training learns from, as far as they are known.
pub fn classes_of<'a>(session: &'a Session, form: &TrainForm) -> Option<&'a ClassTable> {
    match &form.data {
        Some(data) => {
            let seen = session.data().filter(|seen| seen.folder == *data)?;
            seen.discovery.as_ref()?.classes.as_ref()
        }
        None => Some(session.classes()),
    }
}

/// The choice of a single class whose score says which epoch is the best.
pub fn best_class_ui(ui: &mut Ui, tree: &mut Tree, classes: Option<&ClassTable>) {
    let Some(classes) = classes.filter(|classes| !classes.is_empty()) else {
        return;
    };
    let word = tree.get(BEST_BY).as_str().unwrap_or_default().to_owned();
    let choices = of_classes(classes);
    let found = choices.iter().find(|choice| choice.to_string() == word);
    ui.horizontal(|ui| {
        let label = title_ui(ui, "Best by a class");
        ComboBox::from_id_salt("best by a class")
            .selected_text(found.map_or_else(|| "–".to_owned(), BestBy::words))
            .width(170.0)
            .show_ui(ui, |ui| {
                for choice in &choices {
                    let row = ui.selectable_label(found == Some(choice), choice.words());
                    if row.clicked() {
                        tree.set(BEST_BY, json!(choice));
                    }
                }
            })
            .response
            .labelled_by(label.id)
            .on_hover_text(
                "The epoch with the greatest score of this class on the validation ground",
            );
    });
}

/// `IoU` and F1 of each class.
fn of_classes(classes: &ClassTable) -> Vec<BestBy> {
    let names = classes.classes().iter().map(|class| class.name.clone());
    let ious = names.clone().map(BestBy::ClassIou);
    ious.chain(names.map(BestBy::ClassF1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Recipe;

    #[test]
    fn each_class_has_two_scores_that_make_a_recipe() {
        let classes = ClassTable::road();
        let choices = of_classes(&classes);
        assert_eq!(choices.len(), 2 * classes.classes().len());
        for choice in choices {
            let mut tree = Tree::of(&Recipe::default());
            tree.set(BEST_BY, json!(choice));
            let recipe = tree.recipe().expect("a recipe");
            assert_eq!(recipe.best_by, choice);
            assert!(choice.check(&classes).is_ok());
        }
    }
}

use super::Page;
use crate::ui::dialogs::FileWish;
use crate::ui::keys::Action;
use crate::ui::view::View;

/// Does what the actions about training stand for.
pub fn perform(action: Action, view: &mut View) {
    let (page, wish) = match action {
        Action::TrainingArea => {
            view.training.is_open = !view.training.is_open;
            return;
        }
        Action::EditRecipe => (Page::Recipe, None),
        Action::CompareRuns => (Page::Compare, None),
        Action::OpenRuns => (Page::Run, Some(FileWish::OpenRuns)),
        Action::OpenDataset => (Page::Data, Some(FileWish::OpenDataset)),
        Action::LoadRecipe => (Page::Recipe, Some(FileWish::OpenRecipe)),
        Action::SaveRecipe => (Page::Recipe, Some(FileWish::SaveRecipe)),
        _ => return,
    };
    view.training.open(page);
    if let Some(wish) = wish {
        view.wish(wish);
    }
}

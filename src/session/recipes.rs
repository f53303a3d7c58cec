use std::path::PathBuf;
use std::sync::Arc;

use super::jobs::Report;
use super::state::Session;
use super::{CommandError, Notice};
use crate::train::Recipe;

/// What can be done with recipe files.
#[derive(Clone, Debug, PartialEq)]
pub enum RecipeCommand {
    /// Reads one; it is then [`Session::read_recipe`].
    Load {
        /// A `.toml` file.
        path: PathBuf,
    },
    /// Writes one.
    Save {
        /// All choices.
        recipe: Box<Recipe>,
        /// A `.toml` file.
        path: PathBuf,
    },
}

impl Session {
    /// The recipe that was read from a file last.
    pub const fn read_recipe(&self) -> Option<&Arc<Recipe>> {
        self.study.recipe.as_ref()
    }

    pub(super) fn apply_recipe(&mut self, command: RecipeCommand) -> Result<(), CommandError> {
        match command {
            RecipeCommand::Load { path } => {
                self.start_quiet_job("Reading a recipe", move |job| {
                    let recipe = Recipe::load(&path)?;
                    recipe.check()?;
                    job.tell(Report::RecipeRead(Arc::new(recipe)))?;
                    Ok(())
                });
            }
            RecipeCommand::Save { recipe, path } => {
                self.start_quiet_job("Writing a recipe", move |job| {
                    recipe.save(&path)?;
                    let words = format!("The recipe was written to {}", path.display());
                    job.tell(Report::Note(Notice::info(words)))?;
                    Ok(())
                });
            }
        }
        Ok(())
    }
}

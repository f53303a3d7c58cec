use std::path::{Path, PathBuf};

use toml::Value;

use super::ledger::SearchLedger;
use super::{RefitResult, SearchPlan, SearchResult, SearchSpec};
use crate::disk::replace_file;
use crate::label::{ClassTable, Mask};
use crate::train::{Recipe, TrainData, TrainError};

/// Name of the search file in a search's folder.
const SPEC_FILE: &str = "search.toml";
/// Name of the recipe that its trials begin with; not `recipe.toml`, since the folder is no run.
const BASE_FILE: &str = "base.toml";

/// A search with all that it needs, as its folder holds it: so it goes on without being told
/// anything again.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchOrder {
    /// What is searched.
    pub spec: SearchSpec,
    /// The recipe that every trial begins with.
    pub base: Recipe,
    /// What is learned from.
    pub data: TrainData,
}

impl SearchOrder {
    /// The plan of it in `folder`; nothing is written.
    ///
    /// # Errors
    /// As for [`SearchPlan::new`].
    pub fn plan(&self, folder: PathBuf, cache_bytes: usize) -> Result<SearchPlan, TrainError> {
        let data = self.data.source().to_owned();
        SearchPlan::new(&self.spec, self.base.clone(), data, folder, cache_bytes)
    }

    /// Writes it into `folder`, which `orthobrush search FOLDER/search.toml` understands as well.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(
        &self,
        folder: &Path,
        label: Option<(&Mask, &ClassTable)>,
    ) -> Result<(), TrainError> {
        let spec = SearchSpec {
            preset: None,
            recipe: Some(Value::String(BASE_FILE.to_owned())),
            ..self.spec.clone()
        };
        let text = toml::to_string(&spec)
            .map_err(|error| TrainError::Search(format!("it cannot be written ({error})")))?;
        self.data.keep(folder, label)?;
        self.base.save(&folder.join(BASE_FILE))?;
        // Last: a folder with a search file holds a search.
        Ok(replace_file(&folder.join(SPEC_FILE), text.as_bytes())?)
    }

    /// Whether `folder` holds one.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(SPEC_FILE).is_file()
    }

    /// What `folder` holds.
    ///
    /// # Errors
    /// When there is no search that a window began, or a file of it is damaged.
    pub fn read(folder: &Path) -> Result<Self, TrainError> {
        let spec = SearchSpec::load(&folder.join(SPEC_FILE))?;
        Ok(Self {
            base: spec.base(folder)?,
            data: TrainData::of_run(folder)?,
            spec,
        })
    }
}

impl SearchPlan {
    /// Whether its folder holds all that it is to find out.
    pub fn is_over(&self) -> bool {
        let Some(ledger) = SearchLedger::begun(self) else {
            return false;
        };
        let is_trained = |refit: &RefitResult| refit.rows.len() >= refit.wanted;
        let result = SearchResult::read(self, &ledger);
        result.rungs_done >= result.rungs.len()
            && (self.refit_seeds.is_empty() || result.refit.as_ref().is_some_and(is_trained))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!SearchOrder::is_in(folder.path()));
        for name in SearchSpec::shipped_names() {
            let spec = SearchSpec::shipped(name).expect("it is there");
            let order = SearchOrder {
                base: spec.base(Path::new("")).expect("a recipe"),
                spec,
                data: TrainData::folder("/data".into()),
            };
            order.write(folder.path(), None).expect("written");
            let again = SearchOrder::read(folder.path()).expect("a search");
            assert_eq!((&again.base, &again.data), (&order.base, &order.data));
            let plan = |order: &SearchOrder| order.plan("out".into(), 1).expect("a plan").print();
            assert_eq!(plan(&again), plan(&order), "{name}");
            assert!(
                !again
                    .plan(folder.path().into(), 1)
                    .expect("a plan")
                    .is_over()
            );
        }
        assert!(SearchOrder::is_in(folder.path()));
    }
}

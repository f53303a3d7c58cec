use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::image_print::kept_image_print;
use super::noted_reads::noted_reads;
use super::{Ancestor, Verdict, ancestors};
use crate::geom::PixelRect;
use crate::train::{Judgement, RunRecord, SavedModel, ScoredOn};

/// The runs in a folder.
pub(super) fn runs_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| RunRecord::is_run(path)).collect()
}

/// The names of the models of `chain` and of all that share an ancestor with them and lie in one of
/// their folders or beside `out`, also those that were refused or given back.
pub(super) fn family_names(out: &Path, chain: &[Ancestor]) -> BTreeSet<String> {
    let known: BTreeSet<&Path> = chain.iter().map(|model| &*model.run).collect();
    let folders: BTreeSet<&Path> = (known.iter().copied().chain([out]))
        .filter_map(Path::parent)
        .collect();
    let siblings = folders.into_iter().flat_map(runs_in).filter(|run| {
        let of_run = ancestors(run);
        of_run.iter().any(|model| known.contains(&*model.run))
    });
    let runs = known.iter().map(|run| run.to_path_buf()).chain(siblings);
    let name = |run: PathBuf| Some(run.file_name()?.to_string_lossy().into_owned());
    runs.filter_map(name).collect()
}

/// Ground of one image that judges.
#[derive(Clone, Copy)]
pub(super) struct Judging<'a> {
    /// What tells the image from others.
    pub print: &'a str,
    /// The blocks.
    pub blocks: &'a [PixelRect],
}

impl Judging<'_> {
    /// Whether any ground is in both.
    pub(super) fn shares_with(self, other: Judging<'_>) -> bool {
        let mut blocks = self.blocks.iter();
        self.print == other.print
            && blocks.any(|block| {
                let mut others = other.blocks.iter();
                others.any(|other| !block.intersect(*other).is_empty())
            })
    }
}

/// How often judging ground was read.
#[derive(Clone, Copy, Default)]
pub(super) struct Reads {
    /// For verdicts.
    pub verdicts: u32,
    /// When somebody judged runs on their test part, or scored predictions there.
    pub tests: u32,
}

impl Reads {
    fn of_verdict(reads: u32, tests: u32) -> Self {
        Self {
            verdicts: reads.saturating_sub(tests),
            tests,
        }
    }

    fn or_more(self, other: Self) -> Self {
        Self {
            verdicts: self.verdicts.max(other.verdicts),
            tests: self.tests.max(other.tests),
        }
    }
}

/// How often `asked` was read before the model in `run` is judged on it: for verdicts on models that
/// it comes from and on all that lie beside one of them, and when their runs were judged on test
/// parts that share ground with it, or predictions scored there.
pub(super) fn reads_of(run: &Path, asked: Judging<'_>) -> Reads {
    let chain: Vec<PathBuf> = ancestors(run).into_iter().map(|model| model.run).collect();
    let folders: BTreeSet<&Path> = chain.iter().filter_map(|run| run.parent()).collect();
    let beside = folders.into_iter().flat_map(runs_in);
    let runs: BTreeSet<PathBuf> = beside.chain(chain.iter().cloned()).collect();
    let (mut known, mut told) = (Reads::default(), Reads::default());
    for run in &runs {
        let verdict = Verdict::load(run);
        known.tests += noted_reads(run, asked);
        if judges_on(run, asked) {
            known.tests += Judgement::load(run, ScoredOn::Test).map_or(0, |test| test.reads);
            if let Some(verdict) = &verdict {
                known.verdicts += 1;
                told = told.or_more(Reads::of_verdict(verdict.reads, verdict.test_reads));
            }
        }
        let elsewhere = verdict
            .as_ref()
            .and_then(|verdict| verdict.elsewhere.as_ref());
        if let Some(read) = elsewhere.filter(|read| read.judging().shares_with(asked)) {
            known.verdicts += 1;
            told = told.or_more(Reads::of_verdict(read.reads, read.test_reads));
        }
    }
    // What others counted may be of runs that are gone by now.
    known.or_more(told)
}

/// Whether any of `asked` judges the run in `run`: as its lineage says, else as its test part.
fn judges_on(run: &Path, asked: Judging<'_>) -> bool {
    let card = SavedModel::card_of(run).ok();
    if let Some(lineage) = card.and_then(|card| card.lineage) {
        return lineage.judging().shares_with(asked);
    }
    let print = kept_image_print(run).filter(|print| print == asked.print);
    let Some((print, record)) = print.zip(RunRecord::load(run).ok()) else {
        return false;
    };
    record.split.is_some_and(|split| {
        let own = Judging {
            print: &print,
            blocks: &split.test_blocks,
        };
        own.shares_with(asked)
    })
}

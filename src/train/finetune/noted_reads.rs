use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ModelGround;
use super::family::{Judging, reads_of};
use crate::disk::replace_file;
use crate::geom::PixelRect;
use crate::train::TrainError;
use crate::train::folder_lock::taken;

/// Name of the file in a run folder that counts how often somebody read blocks that judge by
/// scoring a prediction there, besides verdicts and judgings of the run.
const READS_FILE: &str = "judging-reads.json";

/// How often some blocks of an image were read.
#[derive(Debug, Serialize, Deserialize)]
struct NotedReads {
    image_print: String,
    blocks: Vec<PixelRect>,
    reads: u32,
}

impl NotedReads {
    /// What is noted in a run.
    fn load(run: &Path) -> Vec<Self> {
        let text = fs::read_to_string(run.join(READS_FILE)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

/// How often blocks that share ground with `asked` were read so, as the run in `run` has it.
pub(super) fn noted_reads(run: &Path, asked: Judging<'_>) -> u32 {
    let is_shared = |noted: &NotedReads| {
        let noted = Judging {
            print: &noted.image_print,
            blocks: &noted.blocks,
        };
        noted.shares_with(asked)
    };
    let noted = NotedReads::load(run).into_iter().filter(is_shared);
    noted.map(|noted| noted.reads).sum()
}

impl ModelGround {
    /// How often any of `blocks` were read by now, for verdicts, judgings and scores.
    pub fn num_reads(&self, blocks: &[PixelRect]) -> u32 {
        let print = &self.print;
        let reads = reads_of(&self.run, Judging { print, blocks });
        reads.verdicts + reads.tests
    }

    /// Notes in the run that `blocks`, which judge, were read once more by scores.
    ///
    /// # Errors
    /// When somebody else works in the run's folder, or the disk refuses.
    pub fn note_read(&self, blocks: &[PixelRect]) -> Result<(), TrainError> {
        let _lock = taken(&self.run)?;
        let mut all = NotedReads::load(&self.run);
        let is_same =
            |noted: &&mut NotedReads| noted.image_print == self.print && noted.blocks == blocks;
        match all.iter_mut().find(is_same) {
            Some(noted) => noted.reads += 1,
            None => all.push(NotedReads {
                image_print: self.print.clone(),
                blocks: blocks.to_vec(),
                reads: 1,
            }),
        }
        let text = serde_json::to_vec_pretty(&all).expect("plain numbers and texts");
        Ok(replace_file(&self.run.join(READS_FILE), &text)?)
    }
}

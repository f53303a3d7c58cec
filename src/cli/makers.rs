use std::path::{Path, PathBuf, absolute};

use anyhow::ensure;
use serde::Serialize;

use super::ground::coverage_of;
use crate::disk::is_same_file;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, UNLABELED, count_of, subject_of};
use crate::metrics::{PartFact, TiledGround};
use crate::project::Project;
use crate::raster::open_raster;
use crate::session::{ScoredGround, is_unreviewed};
use crate::train::{FileMaker, ModelGround, run_of};

/// The models that made the predictions which are scored on an image.
pub struct Makers {
    image: Option<PathBuf>,
    /// What each learned from of the image; `None` where nobody knows.
    grounds: Vec<Option<ModelGround>>,
    /// Whether blocks that judge are scored as well.
    reads_judging: bool,
}

/// What the numbers are of.
#[derive(Debug, Serialize)]
pub struct Told {
    /// In one word.
    ground: ScoredGround,
    /// In a word or two of English.
    word: &'static str,
    /// What that means.
    means: &'static str,
    /// Blocks that judge one of the models and are left out.
    left_out_blocks: usize,
    /// Their pixels with truth.
    left_out_pixels: u64,
    /// How often blocks that judge were read, where these numbers are of such, this time counted.
    judging_reads: Option<u32>,
    /// Why they may be too good: what held-out parts among that ground share with others.
    leaks: Vec<String>,
}

/// Which run made the mask at `path`, as the record beside it says; a record that cannot be followed
/// is noted.
pub fn maker_of(path: &Path) -> Option<FileMaker> {
    let maker = FileMaker::of(path);
    if maker.is_none() && FileMaker::has_record(path) {
        eprintln!(
            "note: the record beside {} names a model or an image that is not there any more, or the \
             mask was written since, so blocks that judge are not known",
            path.display()
        );
    }
    maker
}

impl Makers {
    /// Those of predictions of the image at `image`, each a run's or the folder of one of its
    /// checkpoints; `None` where nobody knows.
    pub fn of(
        image: Option<&Path>,
        models: &[Option<PathBuf>],
        reads_judging: bool,
    ) -> anyhow::Result<Self> {
        let image = image.map(absolute).transpose()?;
        let ground_of = |model: &Option<PathBuf>| -> anyhow::Result<Option<ModelGround>> {
            let run = model.as_deref().and_then(run_of);
            let (Some(run), Some(image)) = (run, &image) else {
                return Ok(None);
            };
            let source = open_raster(image)?;
            let ground = ModelGround::of(&absolute(&run)?, image, &*source);
            if let Err(error) = &ground {
                eprintln!("note: what the model learned from cannot be told: {error}");
            }
            Ok(ground.ok())
        };
        let grounds: anyhow::Result<Vec<_>> = models.iter().map(ground_of).collect();
        let grounds = grounds?;
        ensure!(
            !reads_judging || grounds.iter().any(Option::is_some),
            "Which blocks judge is not known, since nobody knows the model that predicted; name its \
             run, and leave --judging out where there is none"
        );
        Ok(Self {
            image,
            grounds,
            reads_judging,
        })
    }

    /// Blocks that no number is of.
    pub fn left_out(&self) -> Vec<PixelRect> {
        if self.reads_judging {
            Vec::new()
        } else {
            self.judging()
        }
    }

    /// The blocks that judge one of the models, each once.
    fn judging(&self) -> Vec<PixelRect> {
        let mut all: Vec<PixelRect> = Vec::new();
        let grounds = self.grounds.iter().flatten();
        for block in grounds.flat_map(ModelGround::judging_blocks) {
            if !all.contains(block) {
                all.push(*block);
            }
        }
        all
    }

    /// What numbers of `asked` are of, with the label in the file at `path`. Where that is of
    /// blocks that judge, it is counted.
    pub fn tell(&self, asked: &[PixelRect], label: &Mask, path: &Path) -> anyhow::Result<Told> {
        let size = label.size();
        if let Some(ground) = self.grounds.iter().flatten().next() {
            check_size(ground.learned.size(), size, self.image.as_deref())?;
        }
        let touched = |blocks: &[PixelRect]| -> Vec<PixelRect> {
            let is_asked = |block: &&PixelRect| asked.iter().any(|rect| shares(*rect, **block));
            blocks.iter().filter(is_asked).copied().collect()
        };
        let left_out = touched(&self.left_out());
        let ground = TiledGround::of_rects(size, asked).without(&left_out);
        let pixels = left_out.iter().map(|block| labeled(label, asked, *block));
        let left_out_pixels = pixels.sum();
        let is_read = self.reads_judging && !touched(&self.judging()).is_empty();
        let reads = is_read.then(|| self.count_read(|ground| touched(ground.judging_blocks())));
        let leaks = self.leaks(&ground);
        let ground = self.scored(&ground, label, path);
        Ok(Told {
            leaks,
            ground,
            word: ground.word(),
            means: ground.sentence(),
            left_out_blocks: left_out.len(),
            left_out_pixels,
            judging_reads: reads.transpose()?,
        })
    }

    /// What the held-out parts on `ground` share with others, each once.
    fn leaks(&self, ground: &TiledGround) -> Vec<String> {
        let is_asked = |blocks: &[PixelRect]| blocks.iter().any(|block| ground.touches(*block));
        let models = self.grounds.iter().flatten();
        let mut all = Vec::new();
        for warning in models.flat_map(|model| model.leak_warnings(is_asked)) {
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
        all
    }

    fn scored(&self, ground: &TiledGround, label: &Mask, path: &Path) -> ScoredGround {
        if ground.is_empty() {
            // All that was asked for judges.
            return ScoredGround::Unknown;
        }
        let models: Option<Vec<&ModelGround>> = self.grounds.iter().map(Option::as_ref).collect();
        let Some(models) = models.filter(|models| !models.is_empty()) else {
            return ScoredGround::Unknown;
        };
        let is_learned = models.iter().any(|model| {
            let masks = [label, &model.learned];
            PartFact::default().holds(ground, masks, |of| of != UNLABELED)
        });
        if is_learned {
            return ScoredGround::Training;
        }
        let image = self.image.as_deref();
        let unreviewed = image.and_then(|image| unreviewed(image, (label, path), ground));
        ScoredGround::of_models(ground, &models, unreviewed)
    }

    /// Notes in the runs that blocks of theirs which judge are read, once in each family; how often
    /// they were read by now.
    fn count_read(&self, read: impl Fn(&ModelGround) -> Vec<PixelRect>) -> anyhow::Result<u32> {
        let grounds = self.grounds.iter().flatten();
        let before = |ground| {
            let blocks = read(ground);
            let reads = ground.num_reads(&blocks);
            (ground, blocks, reads)
        };
        let before: Vec<(&ModelGround, Vec<PixelRect>, u32)> = grounds.map(before).collect();
        let mut most = 0;
        for (ground, blocks, before) in before {
            // What a relative noted is seen from here.
            if !blocks.is_empty() && ground.num_reads(&blocks) == before {
                ground.note_read(&blocks)?;
            }
            most = most.max(ground.num_reads(&blocks));
        }
        Ok(most)
    }
}

impl Told {
    /// The same as people read it.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("ground: {}. {}", self.word, self.means)];
        if self.left_out_blocks > 0 {
            lines.push(format!(
                "{} left out, with {} that have truth; --judging scores them, too, which is \
                 counted as reading them",
                subject_of(self.left_out_blocks, "judging block", "is", "are"),
                count_of(self.left_out_pixels as usize, "pixel")
            ));
        }
        lines.extend(self.judging_reads.map(|reads| {
            let times = count_of(reads as usize, "time");
            format!("blocks that judge are among it, which were read {times} by now")
        }));
        lines.extend(self.leaks.iter().map(|leaks| format!("warning: {leaks}")));
        lines
    }
}

fn check_size(found: ImageSize, size: ImageSize, image: Option<&Path>) -> anyhow::Result<()> {
    let image = image.unwrap_or(Path::new("")).display();
    ensure!(
        found == size,
        "The image has {found} pixels and the truth {size}; name the image of this truth: {image}"
    );
    Ok(())
}

fn shares(one: PixelRect, other: PixelRect) -> bool {
    !one.intersect(other).is_empty()
}

/// Pixels of `block` with a label that any of `asked` hold, each once.
fn labeled(label: &Mask, asked: &[PixelRect], block: PixelRect) -> u64 {
    let mut parts: Vec<PixelRect> = Vec::new();
    for rect in asked.iter().filter(|rect| shares(**rect, block)) {
        let rect = rect.intersect(block);
        let more = PixelRect::outside(vec![rect], &parts);
        parts.extend(more);
    }
    let labeled = |part: &PixelRect| {
        let classes = label.read_rect(part.intersect(label.size().bounds()));
        classes.into_iter().filter(|of| *of != UNLABELED).count() as u64
    };
    parts.iter().map(labeled).sum()
}

/// Whether some of a label is imported or accepted and nobody looked at it, as the project beside
/// the image says; `None` where it says nothing of the label in the file at `path` as it is.
fn unreviewed(image: &Path, (label, path): (&Mask, &Path), ground: &TiledGround) -> Option<bool> {
    let project = Project::open_read_only(&image.with_extension("orthobrush")).ok()?;
    let kept = project.layer(image, 0).ok()??;
    let is_of_file = kept
        .source
        .as_ref()
        .is_some_and(|source| is_same_file(&source.path, path));
    let unsaved = project.unsaved().ok()?;
    let is_saved = !unsaved.iter().any(|(of, _)| of == image);
    if !is_of_file || !is_saved || kept.size != label.size() {
        return None;
    }
    let beneath = if kept.needs_source {
        label.clone()
    } else {
        Mask::new(kept.size)
    };
    let (_, origins) = kept.masks_over(beneath);
    let coverage = coverage_of(&project, image, kept.size).ok()?;
    Some(is_unreviewed([label, &origins], &coverage, ground.clone()))
}

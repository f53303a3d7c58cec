use std::sync::Arc;

use rayon::prelude::*;

use super::Halt;
use super::outside::Outside;
use super::trial::{Needs, tried_learner, try_network};
use crate::disk::free_bytes;
use crate::job::{Cancelled, fenced};
use crate::train::device::ChosenDevice;
use crate::train::features::KeptFeatures;
use crate::train::fitting::{halved, names_memory, pieces_in_words};
use crate::train::memory::{available_bytes, in_words};
use crate::train::resume::Progress;
use crate::train::{
    Fit, MemoryUse, Remedy, TrainError, TrainEvent, TrainPlan, Unfreezing, fitting,
};

/// What trying a training has shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    /// Patches that are computed at once.
    pub(super) piece: usize,
    /// Time of a look at a batch of held-out patches.
    pub(super) seconds_per_look: Option<f64>,
    /// What comes once frozen stages learn, too, where that was tried.
    pub(super) unfreezing: Option<Unfreezing>,
    /// Whether what the training takes was said, and measured on enough steps.
    pub(super) has_forecast: bool,
}

impl Trial {
    /// What an earlier part of the training knows.
    pub(super) const fn of_earlier_part(plan: &TrainPlan, progress: &Progress) -> Self {
        let piece = match progress.piece {
            0 => plan.recipe.batch,
            piece => piece,
        };
        Self {
            piece,
            seconds_per_look: None,
            unfreezing: None,
            has_forecast: false,
        }
    }
}

/// Files that are opened before somebody may stop it.
const FILES_AT_ONCE: usize = 64;
/// Tables, pictures and reports besides what is counted.
const SMALL_FILES: u64 = 16 << 20;
/// Checkpoints on the disk at the same time: the best, the last and one that is being written.
const CHECKPOINTS_AT_ONCE: u64 = 3;

/// Tries all that a training will need before its first epoch: every file, one step, one look at
/// held-out ground, one checkpoint, and room on the disk; up to ten more steps are measured, and what
/// it takes is said. What is computed is thrown away, so that the training does
/// not differ by it.
///
/// # Errors
/// What does not work, why and what to do.
pub(super) fn preflight(
    plan: &Arc<TrainPlan>,
    chosen: &ChosenDevice,
    outside: &mut Outside<'_>,
) -> Result<Trial, Halt> {
    open_all(plan, outside)?;
    let mut piece = piece_that_fits(plan, chosen, outside)?;
    loop {
        outside.look_up()?;
        let tried = fenced(|| try_network(plan, chosen, piece, outside));
        let why = match tried {
            Ok(Ok(tried)) => {
                outside.look_up()?;
                try_disk(plan, &tried.needs).map_err(failed("Writing a checkpoint"))?;
                outside.tell(TrainEvent::Forecast(tried.forecast))?;
                return Ok(Trial {
                    piece,
                    seconds_per_look: Some(tried.seconds_per_look),
                    unfreezing: tried.unfreezing,
                    has_forecast: tried.forecast.is_sure(plan.recipe.steps_per_epoch),
                });
            }
            Ok(Err(Halt::Stopped(cancelled))) => return Err(cancelled.into()),
            Ok(Err(Halt::Failed(error))) if names_memory(&error.to_string()) => error.to_string(),
            Ok(Err(Halt::Failed(error))) => return Err(failed("A first step")(error).into()),
            Err(panic) => panic,
        };
        if !names_memory(&why) {
            return Err(TrainError::Preflight {
                what: "A first step",
                why,
                may_pass: false,
            }
            .into());
        }
        if piece <= 1 {
            advise(plan, piece, outside)?;
            return Err(TrainError::OutOfMemory(why).into());
        }
        piece = halved(piece);
        outside.tell(TrainEvent::Note(format!(
            "The device has too little memory for a step at once, so {}",
            pieces_in_words(&plan.recipe, piece)
        )))?;
        advise(plan, piece, outside)?;
    }
}

/// Says what helps where only `piece` patches fit. A training that goes on from a model is no
/// choice of recipes.
pub(super) fn advise(
    plan: &TrainPlan,
    piece: usize,
    outside: &mut Outside<'_>,
) -> Result<(), Cancelled> {
    let remedies = Remedy::of(&plan.recipe, piece);
    if plan.start_from.is_some() || remedies.is_empty() {
        return Ok(());
    }
    outside.tell(TrainEvent::Tight(remedies))
}

fn failed(what: &'static str) -> impl FnOnce(TrainError) -> TrainError {
    move |error| TrainError::Preflight {
        what,
        why: error.to_string(),
        may_pass: error.may_pass(),
    }
}

/// Opens every image once and reads a block of it. The masks were read when the training was
/// planned.
fn open_all(plan: &TrainPlan, outside: &mut Outside<'_>) -> Result<(), Halt> {
    let ground = plan.patches.ground();
    let total = ground.num_scenes();
    for first in (0..total).step_by(FILES_AT_ONCE) {
        outside.look_up()?;
        outside.mention(TrainEvent::Trying {
            what: "Opening each image",
            done: first as u64,
            total: total as u64,
        });
        let files = first..(first + FILES_AT_ONCE).min(total);
        let fault = files
            .into_par_iter()
            .find_map_first(|at| ground.try_scene(at).err());
        if let Some(fault) = fault {
            return Err(failed("Opening each image")(fault.into()).into());
        }
    }
    Ok(())
}

/// How many patches are computed at once, by what is known of the memory before it is tried: of
/// graphics cards nothing is.
fn piece_that_fits(
    plan: &TrainPlan,
    chosen: &ChosenDevice,
    outside: &mut Outside<'_>,
) -> Result<usize, Halt> {
    let recipe = &plan.recipe;
    let Some(fit) = tightest(plan, chosen).map_err(failed("A first step"))? else {
        return Ok(recipe.batch);
    };
    match recipe.memory {
        MemoryUse::Fit if fit.is_enough() => {
            outside.tell(TrainEvent::Note(fit.in_words(recipe)))?;
            advise(plan, fit.piece, outside)?;
            Ok(fit.piece)
        }
        MemoryUse::Fit => {
            advise(plan, fit.piece, outside)?;
            let why = format!(
                "one patch takes about {} and {} are free",
                in_words(fit.bytes),
                in_words(fit.available_bytes)
            );
            Err(TrainError::OutOfMemory(why).into())
        }
        MemoryUse::AsStated => {
            outside.tell(TrainEvent::Note(format!(
                "A step takes about {} and {} are free; with memory = \"fit\" it would be computed \
                 {} patches at a time",
                in_words(fit.whole_bytes),
                in_words(fit.available_bytes),
                fit.piece
            )))?;
            advise(plan, fit.piece, outside)?;
            Ok(recipe.batch)
        }
    }
}

/// How the largest steps fit into the main memory that is free: those beside kept features, or
/// those in which frozen stages learn, too, and nothing is kept. `None` where all fit, or nobody can
/// say.
fn tightest(plan: &TrainPlan, chosen: &ChosenDevice) -> Result<Option<Fit>, TrainError> {
    let Some(free) = available_bytes().filter(|_| chosen.is_cpu()) else {
        return Ok(None);
    };
    let kept_stages = plan.kept_stages(true);
    let kept = match kept_stages {
        0 => 0,
        _ => (tried_learner(plan, chosen)?.kept()).map_or(0, KeptFeatures::bytes_in_memory),
    };
    let fits = [
        fitting(&plan.recipe_holding(kept_stages), free.saturating_sub(kept)),
        (plan.recipe.unfrozen()).and_then(|recipe| fitting(&recipe, free)),
    ];
    Ok(fits.into_iter().flatten().min_by_key(|fit| fit.piece))
}

/// Writes a checkpoint and reads it back, and asks the disk for room.
fn try_disk(plan: &TrainPlan, needs: &Needs) -> Result<(), TrainError> {
    plan.folder.try_checkpoint(&plan.card(), &needs.weights)?;
    let wanted = bytes_to_write(needs, plan.recipe.epochs);
    match free_bytes(plan.folder.path()) {
        Some(free) if free < wanted => Err(TrainError::DiskFull {
            wanted: in_words(wanted),
            free: in_words(free),
            path: plan.folder.path().to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The most that lies on the disk at any time of the run, about.
fn bytes_to_write(needs: &Needs, epochs: u32) -> u64 {
    // The state is replaced whole, so that two of it are there for a moment.
    CHECKPOINTS_AT_ONCE * needs.weights.len() as u64
        + 2 * needs.state
        + u64::from(epochs) * needs.pictures
        + needs.features
        + SMALL_FILES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_asked_for_all_that_is_kept() {
        let needs = Needs {
            weights: vec![0; 10],
            state: 30,
            pictures: 7,
            features: 1000,
        };
        assert_eq!(
            bytes_to_write(&needs, 5),
            3 * 10 + 2 * 30 + 5 * 7 + 1000 + SMALL_FILES
        );
    }
}

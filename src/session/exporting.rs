use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::jobs::{Report, tell_progress};
use super::joining::Joining;
use super::state::Session;
use super::{CommandError, Notice};
use crate::exchange::{
    ExportForm, ExportWork, Generalize, TilePlan, TileReport, TileShapes, TileShares, TileWork,
    export, write_tiles,
};
use crate::job::{JobContext, pool_behind};
use crate::label::{ClassTable, Control, Mask};
use crate::raster::{CogError, CogOptions, write_cog};

/// How the label or the image leaves the program; their own files stay what they are.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportOrder {
    /// As one file.
    File {
        /// Its ending says the form; see [`ExportForm`].
        path: PathBuf,
        /// How polygons are simplified; `None`: they are exact to the pixel.
        generalize: Option<Generalize>,
    },
    /// The image as a Cloud Optimized `GeoTIFF`, whatever it is stored as.
    Pyramid {
        /// Where it goes.
        path: PathBuf,
    },
    /// Images as one, which is written beside them and opened.
    Joined(Joining),
    /// Image and label cut into files of one size.
    Tiles {
        /// Where they go.
        folder: PathBuf,
        /// Where they lie.
        plan: TilePlan,
        /// What they are for.
        shares: TileShares,
        /// The share of a tile, 0 to 1, that must be labeled.
        min_labeled: f64,
        /// How they are labeled besides by masks.
        shapes: Vec<TileShapes>,
    },
}

/// The label as it is when an export begins.
struct Leaving {
    mask: Mask,
    classes: ClassTable,
}

impl Session {
    pub(super) fn export(&mut self, order: ExportOrder) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let order = match order {
            ExportOrder::Pyramid { path } => return self.export_pyramid(path),
            ExportOrder::Joined(joining) => return self.join_images(joining),
            order => order,
        };
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        if label.is_loading {
            return Err(CommandError::LabelLoading);
        }
        let leaving = Leaving {
            mask: label.mask.clone(),
            classes: self.classes().clone(),
        };
        match order {
            ExportOrder::File { path, generalize } => self.export_file(leaving, path, generalize),
            ExportOrder::Tiles {
                folder,
                plan,
                shares,
                min_labeled,
                shapes,
            } => self.export_tiles(leaving, folder, (plan, shares, min_labeled), shapes),
            ExportOrder::Pyramid { .. } | ExportOrder::Joined(_) => Ok(()),
        }
    }

    fn export_pyramid(&mut self, path: PathBuf) -> Result<(), CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let input = image.path.clone();
        let same = |path: &Path| std::fs::canonicalize(path).ok();
        if same(&path).is_some() && same(&path) == same(&input) {
            let why = "This would replace the image itself; choose another name";
            return Err(CommandError::Refused(why.to_owned()));
        }
        self.start_job(format!("Writing {}", path.display()), move |job| {
            let last = Mutex::new(0);
            let goes_on = |share: f64| {
                progress(job, &last, share);
                job.check().is_ok()
            };
            let pool = pool_behind("pyramid")?;
            let written =
                pool.install(|| write_cog(&input, &path, &CogOptions::default(), &goes_on));
            let report = match written {
                Err(CogError::Cancelled) => return Ok(job.check()?),
                written => written?,
            };
            let (levels, megabytes) = (report.levels, report.bytes as f64 / 1e6);
            let path = path.display();
            let told = format!("Written with {levels} levels, {megabytes:.1} MB: {path}");
            job.tell(Report::Note(Notice::info(told)))?;
            Ok(())
        });
        Ok(())
    }

    fn export_file(
        &mut self,
        leaving: Leaving,
        path: PathBuf,
        generalize: Option<Generalize>,
    ) -> Result<(), CommandError> {
        let form =
            ExportForm::of_path(&path).ok_or_else(|| CommandError::UnknownFormat(path.clone()))?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let (georef, name) = (image.georef().cloned(), image.name());
        self.start_job(format!("Exporting {}", path.display()), move |job| {
            let work = ExportWork {
                mask: &leaving.mask,
                classes: &leaving.classes,
                georef: georef.as_ref(),
                image: &name,
                at: SystemTime::now(),
                generalize,
            };
            let Some(done) = export(&path, form, &work, &|| job.check().is_err())? else {
                return Ok(job.check()?);
            };
            for note in done.notes {
                job.tell(Report::Note(Notice::warning(note)))?;
            }
            let path = path.display();
            let told = match done.num_regions {
                Some(regions) => format!("Exported {regions} regions: {path}"),
                None => format!("Exported {path}"),
            };
            job.tell(Report::Note(Notice::info(told)))?;
            Ok(())
        });
        Ok(())
    }

    fn export_tiles(
        &mut self,
        leaving: Leaving,
        folder: PathBuf,
        (plan, shares, min_labeled): (TilePlan, TileShares, f64),
        shapes: Vec<TileShapes>,
    ) -> Result<(), CommandError> {
        plan.step()
            .map_err(|error| CommandError::Refused(error.to_string()))?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let stem = image.path.file_stem().unwrap_or_default();
        let stem = stem.to_string_lossy().into_owned();
        let source = Arc::clone(&image.source);
        self.start_job(
            format!("Cutting tiles into {}", folder.display()),
            move |job| {
                let work = TileWork {
                    stem: &stem,
                    read: &|rect| source.read_rgba(0, rect).map_err(|error| error.to_string()),
                    mask: &leaving.mask,
                    classes: &leaving.classes,
                    plan,
                    shares,
                    min_labeled,
                    shapes: &shapes,
                };
                let last = Mutex::new(0);
                let control = Control {
                    progress: &|share| progress(job, &last, f64::from(share)),
                    is_cancelled: &|| job.check().is_err(),
                };
                let Some(report) = write_tiles(&folder, &work, &control)? else {
                    return Ok(job.check()?);
                };
                let told = format!("{}: {}", tiles_told(&report), folder.display());
                job.tell(Report::Note(Notice::info(told)))?;
                for note in report.notes {
                    job.tell(Report::Note(Notice::warning(note)))?;
                }
                Ok(())
            },
        );
        Ok(())
    }
}

fn progress(job: &JobContext<Report>, last: &Mutex<u32>, share: f64) {
    if let Ok(mut last) = last.try_lock() {
        tell_progress(job, &mut last, share);
    }
}

/// How many tiles were written for what, in words.
fn tiles_told(report: &TileReport) -> String {
    let left_out = report.num_unlabeled + report.num_across;
    let left_out = match left_out {
        0 => String::new(),
        _ => format!("; {left_out} left out, with too little label or across two parts"),
    };
    format!(
        "{} tiles to train on, {} to validate with, {} to test with{left_out}",
        report.num_train, report.num_validation, report.num_test
    )
}

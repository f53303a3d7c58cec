use std::path::{Path, PathBuf};

use super::folder_scan::images_in;
use super::jobs::Report;
use super::state::Session;
use super::{CommandError, Notice};
use crate::raster::{MosaicReport, is_tile_folder, write_mosaic, write_stack};

/// Images that become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joining {
    /// Adjoining images of a folder, side by side.
    Folder(PathBuf),
    /// The bands of another image of the same ground behind those of the open one.
    Bands(PathBuf),
}

impl Session {
    /// Writes a VRT beside the images and opens it.
    pub(super) fn join_images(&mut self, joining: Joining) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_to_lose_work()?;
        let image = match &joining {
            Joining::Folder(_) => None,
            Joining::Bands(_) => {
                let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
                Some(image.path.clone())
            }
        };
        self.start_job("Joining images", move |job| {
            let (out, report) = match (joining, image) {
                (Joining::Bands(other), Some(image)) => with_bands(&image, other)?,
                (Joining::Folder(folder) | Joining::Bands(folder), _) => side_by_side(&folder)?,
            };
            let (files, size) = (report.files, report.size);
            let told = format!(
                "{files} images are one of {size} pixels now: {}",
                out.display()
            );
            job.tell(Report::Note(Notice::info(told)))?;
            job.tell(Report::ReadyToOpen(out))?;
            Ok(())
        });
        Ok(())
    }
}

fn side_by_side(folder: &Path) -> anyhow::Result<(PathBuf, MosaicReport)> {
    anyhow::ensure!(
        !is_tile_folder(folder),
        "This folder of tiles is one image already; open it as it is: {}",
        folder.display()
    );
    let images = images_in(folder)?;
    let whole = std::path::absolute(folder)?;
    let name = whole.file_name().unwrap_or_else(|| "mosaic".as_ref());
    let mut out = whole.join(name).into_os_string();
    out.push(".vrt");
    let out = free(PathBuf::from(out))?;
    Ok((out.clone(), write_mosaic(&images, &out)?))
}

fn with_bands(image: &Path, other: PathBuf) -> anyhow::Result<(PathBuf, MosaicReport)> {
    let mut name = image.file_stem().unwrap_or_default().to_owned();
    name.push("+");
    name.push(other.file_stem().unwrap_or_default());
    name.push(".vrt");
    let out = free(image.with_file_name(name))?;
    let report = write_stack(&[image.to_owned(), other], &out)?;
    Ok((out, report))
}

/// The path, if nothing is there.
fn free(path: PathBuf) -> anyhow::Result<PathBuf> {
    anyhow::ensure!(
        !path.exists(),
        "These images were joined already: open the mosaic that is there, or move it away to join \
         them anew: {}",
        path.display()
    );
    Ok(path)
}

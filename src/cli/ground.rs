use std::path::{Path, absolute};

use anyhow::{bail, ensure};

use super::args::GroundArgs;
use super::values::Corners;
use crate::disk::is_same_file;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{CellKey, Coverage, Selection, WantedCells};
use crate::project::{Project, project_path};
use crate::raster::open_raster;

/// The ground of an image that is meant, in rectangles; none is all of it.
pub fn areas(part: &GroundArgs, image: &Path) -> anyhow::Result<Vec<PixelRect>> {
    match part.cells {
        Some(wanted) => {
            let (coverage, cells) = cells(image, wanted)?;
            Ok(cells.into_iter().map(|key| coverage.rect(key)).collect())
        }
        None if !part.polygon.is_empty() => held_by(&part.polygon, image),
        None => Ok(part.area.clone()),
    }
}

/// The pixels of an image that polygons hold.
fn held_by(polygons: &[Corners], image: &Path) -> anyhow::Result<Vec<PixelRect>> {
    let size = open_raster(image)?.info().size;
    let corners = polygons.iter().map(|corners| corners.0.as_slice());
    let held = Selection::of_polygons(corners, size).rects();
    let place = image.display();
    ensure!(
        !held.is_empty(),
        "The polygon holds no pixel of the image; corners are X,Y in its pixels: {place}"
    );
    Ok(held)
}

/// The cells of an image, and those that are wanted, as the project beside it says, or that of an
/// opened folder that it lies in.
pub fn cells(image: &Path, wanted: WantedCells) -> anyhow::Result<(Coverage, Vec<CellKey>)> {
    let full = absolute(image)?;
    let projects = projects_of(&full)?;
    ensure!(
        !projects.is_empty(),
        "No project lies beside the image or in a folder above it, so nobody has marked a cell of \
         it; mark some in the window: {}",
        project_path(image).display()
    );
    let size = open_raster(image)?.info().size;
    for project in projects {
        let coverage = coverage_of(&project, &full, size)?;
        let found = coverage.cells(wanted);
        if !found.is_empty() {
            return Ok((coverage, found));
        }
    }
    let place = image.display();
    bail!("The image has no such cell; mark some in the window: {place}")
}

/// The projects that an image belongs to, by its absolute path: its own first, then those of opened
/// folders.
fn projects_of(image: &Path) -> anyhow::Result<Vec<Project>> {
    let own = project_path(image);
    let mut found = Vec::new();
    if own.is_file() {
        found.push(Project::open_read_only(&own)?);
    }
    for folder in image.ancestors().skip(1) {
        let path = project_path(folder);
        if path == own || !path.is_file() {
            continue;
        }
        let project = Project::open_read_only(&path)?;
        let images = project.images()?;
        if images.iter().any(|one| is_same_file(&one.path, image)) {
            found.push(project);
        }
    }
    Ok(found)
}

/// What a project says of the cells of an image of `size`.
pub fn coverage_of(project: &Project, image: &Path, size: ImageSize) -> anyhow::Result<Coverage> {
    let mut coverage = Coverage::new(size);
    for (key, mark) in project.cells(image)? {
        coverage.set(key, mark);
    }
    Ok(coverage)
}

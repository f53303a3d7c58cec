use std::path::Path;

use anyhow::ensure;

use super::args::GroundArgs;
use super::values::Corners;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{CellKey, Coverage, Selection, WantedCells};
use crate::project::Project;
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

/// The cells of an image, and those that are wanted, as the project beside it says.
pub fn cells(image: &Path, wanted: WantedCells) -> anyhow::Result<(Coverage, Vec<CellKey>)> {
    let (path, full) = (
        image.with_extension("orthobrush"),
        std::path::absolute(image)?,
    );
    ensure!(
        path.is_file(),
        "No project lies beside the image, so nobody has marked a cell of it; mark some in the \
         window: {}",
        path.display()
    );
    let project = Project::open_read_only(&path)?;
    let coverage = coverage_of(&project, &full, open_raster(image)?.info().size)?;
    let found = coverage.cells(wanted);
    let place = image.display();
    ensure!(
        !found.is_empty(),
        "The image has no such cell; mark some in the window: {place}"
    );
    Ok((coverage, found))
}

/// What a project says of the cells of an image of `size`.
pub fn coverage_of(project: &Project, image: &Path, size: ImageSize) -> anyhow::Result<Coverage> {
    let mut coverage = Coverage::new(size);
    for (key, mark) in project.cells(image)? {
        coverage.set(key, mark);
    }
    Ok(coverage)
}

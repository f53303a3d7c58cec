use std::path::PathBuf;
use std::sync::Arc;

use super::jobs::Report;
use super::state::{ImageId, Session};
use super::{CommandError, Notice};
use crate::exchange::{VectorLayer, place_figures};
use crate::geom::ImagePoint;
use crate::label::Figure;

/// Polygons and lines of a file that are shown over the image and change no pixel.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// The file.
    pub path: PathBuf,
    /// Whether it is drawn.
    pub is_visible: bool,
    /// Where its shapes lie on the open image; empty until that is known.
    pub outlines: Arc<[Outline]>,
    layer: Arc<VectorLayer>,
}

/// The border of a polygon, or a line, in level-0 pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Its points; those of a polygon repeat the first one at the end.
    pub points: Vec<ImagePoint>,
    /// Left, top, right and bottom of the rectangle around them.
    pub bounds: [f64; 4],
}

/// What can be done with polygons and lines over the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlayCommand {
    /// Shows those that wait, instead of drawing them into the label.
    Add,
    /// Shows or hides one.
    Show {
        /// Its place among the overlays.
        place: usize,
        /// Whether it is drawn.
        is_visible: bool,
    },
    /// Takes one away; its file stays.
    Remove {
        /// Its place among the overlays.
        place: usize,
    },
}

impl Session {
    /// What is shown over the image, first added first.
    pub fn overlays(&self) -> &[Overlay] {
        &self.overlays
    }

    pub(super) fn apply_overlay(&mut self, command: OverlayCommand) -> Result<(), CommandError> {
        match command {
            OverlayCommand::Add => {
                let Some(vectors) = self.vectors.take() else {
                    return Ok(());
                };
                self.overlays.retain(|known| known.path != vectors.path);
                self.overlays.push(Overlay {
                    path: vectors.path,
                    is_visible: true,
                    outlines: Arc::default(),
                    layer: vectors.layer,
                });
                self.place_overlay(self.overlays.len() - 1);
            }
            OverlayCommand::Show { place, is_visible } => {
                if let Some(overlay) = self.overlays.get_mut(place) {
                    overlay.is_visible = is_visible;
                }
            }
            OverlayCommand::Remove { place } => {
                if place < self.overlays.len() {
                    self.overlays.remove(place);
                }
            }
        }
        Ok(())
    }

    /// Overlays lie elsewhere on another image.
    pub(super) fn place_overlays(&mut self) {
        for place in 0..self.overlays.len() {
            self.overlays[place].outlines = Arc::default();
            self.place_overlay(place);
        }
    }

    fn place_overlay(&mut self, place: usize) {
        let Some(image) = &self.image else { return };
        let (id, size, georef) = (image.id, image.size(), image.georef().cloned());
        let Overlay { path, layer, .. } = &self.overlays[place];
        let (path, layer) = (path.clone(), Arc::clone(layer));
        self.start_job(format!("Placing {}", path.display()), move |job| {
            let placed = place_figures(&layer, size, georef.as_ref())?;
            for note in placed.notes {
                job.tell(Report::Note(Notice::warning(note)))?;
            }
            if placed.figures.is_empty() {
                let path = path.display();
                let told = format!("None of its polygons and lines reach the image: {path}");
                job.tell(Report::Note(Notice::warning(told)))?;
            }
            let outlines = placed.figures.into_iter().flat_map(outlines_of).collect();
            job.tell(Report::OverlayPlaced(id, path, outlines))?;
            Ok(())
        });
    }

    pub(super) fn overlay_placed(
        &mut self,
        image: ImageId,
        path: &std::path::Path,
        outlines: Arc<[Outline]>,
    ) {
        if self.image.as_ref().is_none_or(|open| open.id != image) {
            return;
        }
        let mut overlays = self.overlays.iter_mut();
        if let Some(overlay) = overlays.find(|overlay| overlay.path == path) {
            overlay.outlines = outlines;
        }
    }
}

fn outlines_of(figure: Figure) -> Vec<Outline> {
    let lines = match figure {
        Figure::Area(mut rings) => {
            for ring in &mut rings {
                if ring.first() != ring.last() {
                    ring.extend(ring.first().copied());
                }
            }
            rings
        }
        Figure::Line { points, .. } => vec![points],
    };
    lines.into_iter().filter_map(Outline::of).collect()
}

impl Outline {
    fn of(points: Vec<ImagePoint>) -> Option<Self> {
        let first = points.first()?;
        let around = [first.x, first.y, first.x, first.y];
        let bounds = points
            .iter()
            .fold(around, |[left, top, right, bottom], at| {
                [
                    left.min(at.x),
                    top.min(at.y),
                    right.max(at.x),
                    bottom.max(at.y),
                ]
            });
        Some(Self { points, bounds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_closed_and_bounded() {
        let ring = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0)].map(|(x, y)| ImagePoint::new(x, y));
        let outlines = outlines_of(Figure::Area(vec![ring.to_vec(), Vec::new()]));
        assert_eq!(outlines.len(), 1);
        assert_eq!(outlines[0].points.len(), 4);
        assert_eq!(outlines[0].bounds, [0.0, 0.0, 4.0, 3.0]);
    }
}

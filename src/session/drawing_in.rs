use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::importing::Drawn;
use super::jobs::Report;
use super::state::Session;
use super::{CommandError, Notice};
use crate::exchange::{BurnPlan, Geometry, LineWidth, VectorLayer, burn_in, read_vectors};
use crate::label::{
    EditKind, Paint, PaintOver, Selection, Source, Stencil, Stroke, UNLABELED, align_classes,
};

/// Polygons and lines that wait to be drawn into the label.
#[derive(Clone, Debug)]
pub struct Vectors {
    /// Their file.
    pub path: PathBuf,
    /// What is in it.
    pub layer: Arc<VectorLayer>,
    /// The attributes that may say the class.
    pub attributes: Vec<String>,
    /// How many are lines.
    pub num_lines: usize,
}

/// Whether a file's name says that it holds polygons or lines.
pub(super) fn is_vector_file(path: &Path) -> bool {
    let ending = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    ["geojson", "json", "gpkg", "shp"].contains(&ending.as_str())
}

impl Session {
    /// The polygons and lines that wait to be drawn into the label.
    pub const fn vectors(&self) -> Option<&Vectors> {
        self.vectors.as_ref()
    }

    pub(super) fn examine_vectors(&mut self, path: PathBuf) -> Result<(), CommandError> {
        self.start_job(format!("Reading {}", path.display()), move |job| {
            let layer = read_vectors(&path, None)?;
            let names = layer
                .shapes
                .iter()
                .flat_map(|shape| shape.properties.keys());
            let attributes: BTreeSet<&String> = names.collect();
            let is_line =
                |shape: &&crate::exchange::Shape| matches!(shape.geometry, Geometry::Line(_));
            let vectors = Vectors {
                attributes: attributes.into_iter().cloned().collect(),
                num_lines: layer.shapes.iter().filter(is_line).count(),
                layer: Arc::new(layer),
                path,
            };
            job.tell(Report::VectorsRead(Box::new(vectors)))?;
            Ok(())
        });
        Ok(())
    }

    pub(super) fn vectors_read(&mut self, vectors: Vectors) {
        if vectors.layer.shapes.is_empty() {
            let path = vectors.path.display();
            self.notify(Notice::warning(format!(
                "The file has no polygons or lines: {path}"
            )));
        } else {
            self.vectors = Some(vectors);
        }
    }

    /// Draws the waiting polygons and lines over the label, as one undo step. `attribute` says the
    /// class by index or name; lines are `line_width` meters wide.
    pub(super) fn draw_vectors(
        &mut self,
        attribute: String,
        line_width: f64,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.ready_label()?;
        let Some(vectors) = self.vectors.take() else {
            return Ok(());
        };
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let (size, georef) = (image.size(), image.georef().cloned());
        let (ours, over) = (self.classes().clone(), self.unlocked());
        let plan = BurnPlan {
            line_width: LineWidth::Fixed(line_width),
            ..BurnPlan::by_attribute(&attribute)
        };
        let title = format!("Drawing {}", vectors.path.display());
        self.start_import(title, move |before, job| {
            let burned = burn_in(&vectors.layer, &plan, size, georef.as_ref())?;
            job.check()?;
            let (classes, map) = align_classes(&ours, &burned.classes)?;
            let source = Source {
                classes: burned.mask.recoded(&map),
                only: PaintOver::everything().without(UNLABELED),
                sure: None,
            };
            let stencil = Stencil {
                within: None,
                source: Some(source),
            };
            let mut mask = before.clone();
            let mut stroke = Stroke::begin(EditKind::Import).through(stencil);
            let paint = Paint {
                over,
                ..Paint::class(0)
            };
            stroke.select(&mut mask, &Selection::of_rect(size.bounds()), &paint);
            drop(stroke.commit(&mask));
            Ok(Drawn {
                mask,
                classes,
                notes: burned.notes,
            })
        })
    }
}

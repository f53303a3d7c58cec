use std::sync::Arc;

use super::state::{OpenImage, Session};
use super::{Change, CommandError};
use crate::raster::{Look, RasterInfo, Shading, TileFormat};

impl Session {
    /// How the open image is shown.
    pub const fn look(&self) -> &Look {
        &self.places.look
    }

    pub(super) fn set_look(&mut self, look: Look) -> Result<(), CommandError> {
        let stand_in = self.shading();
        let image = self.image.as_mut().ok_or(CommandError::NoImage)?;
        if image.hold_bands_of(&look) {
            self.places.stand_in = stand_in;
            self.changes.push(Change::OtherBands(image.id));
        }
        self.places.look = look;
        Ok(())
    }

    /// What the card is to do with the numbers of the open image's tiles; `None` while the values are
    /// unknown without which nothing can be shown.
    pub fn shading(&self) -> Option<Shading> {
        let image = self.image.as_ref()?;
        let look = &self.places.look;
        match image.pyramid.statistics() {
            Some(values) => Some(look.shading(values, &image.source.color_bands())),
            None if image.pyramid.format() == TileFormat::PICTURE => Some(Shading::PLAIN),
            None => self.places.stand_in,
        }
    }

    /// Images with the same bands are shown alike; another image as its file says.
    pub(super) fn keep_look_for(&mut self, next: &mut OpenImage) {
        let kind = |info: &RasterInfo| (info.bands, info.sample);
        let before = self.image.as_ref().map(|image| kind(image.info()));
        if before != Some(kind(next.info())) {
            self.places.look = Look::default();
        }
        next.hold_bands_of(&self.places.look);
        self.places.stand_in = None;
    }
}

impl OpenImage {
    /// Turns to tiles that hold the bands of `look`, where they do not yet; whether they did not.
    fn hold_bands_of(&mut self, look: &Look) -> bool {
        let shown = look.shown_bands(&self.source.color_bands());
        let other = self.pyramid.holding(&shown.bands()).map(Arc::new);
        let is_other = other.is_some();
        if let Some(other) = other {
            self.pyramid = other;
        }
        is_other
    }
}

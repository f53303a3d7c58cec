use super::CommandError;
use super::state::{OpenImage, Session};
use crate::raster::{Look, RasterInfo, Shading, TileFormat};

impl Session {
    /// How the open image is shown.
    pub const fn look(&self) -> &Look {
        &self.places.look
    }

    pub(super) fn set_look(&mut self, look: Look) -> Result<(), CommandError> {
        if self.image.is_none() {
            return Err(CommandError::NoImage);
        }
        self.places.look = look;
        Ok(())
    }

    /// Images with the same bands are shown alike; another image as its file says.
    pub(super) fn keep_look_for(&mut self, next: &OpenImage) {
        let kind = |info: &RasterInfo| (info.bands, info.sample);
        let before = self.image.as_ref().map(|image| kind(image.info()));
        if before != Some(kind(next.info())) {
            self.places.look = Look::default();
        }
    }
}

impl OpenImage {
    /// What the card is to do with the numbers of its tiles; `None` while the values are unknown
    /// without which nothing can be shown.
    pub fn shading(&self, look: &Look) -> Option<Shading> {
        match self.pyramid.statistics() {
            Some(values) => Some(look.shading(values, &self.source.color_bands())),
            None => (self.pyramid.format() == TileFormat::PICTURE).then_some(Shading::PLAIN),
        }
    }
}

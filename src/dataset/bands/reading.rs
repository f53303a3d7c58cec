use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::picture::BandPicture;
use super::{BandFacts, Bands, ImageFacts, MOST_CHANNELS, PICTURE_CHANNELS};
use crate::dataset::DatasetError;
use crate::raster::TileSource;

/// How bands become the channels of a network: part of a model, so that every image is read as
/// those that it learned from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BandReading {
    /// The band of each channel, from 1; none: red, green and blue as they are shown.
    pub bands: Vec<u16>,
    /// The values of each channel that become 0 and 255 where samples have more than 8 bits; none
    /// when the training saw no such images. Other samples stay as they are.
    pub ranges: Vec<[f32; 2]>,
}

/// What may be done to channels besides what any numbers bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// They are red, green and blue: they have a hue and can be packed as JPEG.
    Colors,
    /// There is one: it can be packed as JPEG.
    Single,
    /// Neither.
    Other,
}

impl BandReading {
    /// What `choice` means for images that say this of themselves; ranges are not yet known.
    ///
    /// # Errors
    /// [`DatasetError::Bands`] names an image that does not have the bands.
    pub(in crate::dataset) fn of(
        choice: &Bands,
        images: &[ImageFacts],
    ) -> Result<Self, DatasetError> {
        let bands = match (choice, images.first()) {
            (Bands::Color, _) | (_, None) => return Ok(Self::default()),
            (Bands::List(bands), _) => bands.clone(),
            (Bands::All, Some(first)) => {
                all_alike(first, images)?;
                first.bands.data.clone()
            }
        };
        if bands.len() > MOST_CHANNELS {
            return Err(DatasetError::Bands(format!(
                "The images have {} bands, and networks read at most {MOST_CHANNELS}; choose some \
                 of them with bands = [1, 2, 3]",
                bands.len()
            )));
        }
        let reading = Self {
            bands,
            ranges: Vec::new(),
        };
        reading.check_all(images)?;
        Ok(reading)
    }

    /// Says which image cannot be read like this, if any.
    ///
    /// # Errors
    /// [`DatasetError::Bands`] with the image's name.
    pub(in crate::dataset) fn check_all(&self, images: &[ImageFacts]) -> Result<(), DatasetError> {
        let misfit = images
            .iter()
            .find_map(|image| Some((image, self.misfit(&image.bands)?)));
        misfit.map_or(Ok(()), |(image, why)| {
            Err(DatasetError::Bands(format!(
                "{why}; choose bands that all images have, or leave the image out: {}",
                image.name
            )))
        })
    }

    /// Why an image cannot be read like this, if so.
    fn misfit(&self, image: &BandFacts) -> Option<String> {
        if self.bands.is_empty() {
            return None;
        }
        if image.has_palette {
            return Some(
                "The image's samples are numbers of a palette's colors, which mean nothing as a \
                 band; such images are read with bands = \"color\""
                    .to_owned(),
            );
        }
        let missing = |band: &&u16| !image.data.contains(*band);
        if let Some(band) = self.bands.iter().find(missing) {
            return Some(format!(
                "Band {band} is asked for and the image has {}",
                in_words(&image.data)
            ));
        }
        None
    }

    /// What the user should know before a model that reads like this looks at an image.
    ///
    /// # Errors
    /// [`DatasetError::Bands`] when the image lacks bands, or its samples are of a kind that the
    /// model has not seen.
    pub fn fit(&self, image: &BandFacts) -> Result<Option<String>, DatasetError> {
        if let Some(why) = self.misfit(image) {
            let why = format!("{why}; the model learned from {}", in_words(&self.bands));
            return Err(DatasetError::Bands(why));
        }
        let learned_wide = !self.ranges.is_empty();
        if image.is_wide() && !learned_wide && !self.bands.is_empty() {
            return Err(DatasetError::Bands(format!(
                "The image has {} samples and the model learned from 8 bits only; scale the image \
                 with `gdal_translate -ot Byte -scale INPUT OUTPUT.tif`",
                image.sample
            )));
        }
        Ok((learned_wide && !image.is_wide()).then(|| {
            format!(
                "The image has {} samples and the model learned from wider ones; they are taken as \
                 they are and may look unlike what was learned",
                image.sample
            )
        }))
    }

    /// Channels of the network.
    pub const fn num_channels(&self) -> usize {
        if self.bands.is_empty() {
            PICTURE_CHANNELS
        } else {
            self.bands.len()
        }
    }

    /// Whether images are read as they are shown, whatever they are.
    pub fn is_as_shown(&self) -> bool {
        *self == Self::default()
    }

    /// What may be done to the channels.
    pub fn kind(&self) -> ChannelKind {
        match self.bands[..] {
            [] | [1, 2, 3] => ChannelKind::Colors,
            [_] => ChannelKind::Single,
            _ => ChannelKind::Other,
        }
    }

    /// What a recipe says to read like this.
    pub fn choice(&self) -> Bands {
        if self.bands.is_empty() {
            Bands::Color
        } else {
            Bands::List(self.bands.clone())
        }
    }

    /// Whether it can be read like this at all; a file may say anything.
    pub fn is_sane(&self) -> bool {
        let are_ranges = |[low, high]: &[f32; 2]| low < high && (high - low).is_finite();
        self.bands.len() <= MOST_CHANNELS
            && !self.bands.contains(&0)
            && (self.ranges.is_empty() || self.ranges.len() == self.num_channels())
            && self.ranges.iter().all(are_ranges)
    }

    /// The bands of the channels in an image, from 0.
    pub(in crate::dataset) fn source_bands(&self, source: &dyn TileSource) -> Vec<u16> {
        if !self.bands.is_empty() {
            return self.bands.iter().map(|band| band - 1).collect();
        }
        let colors = source.color_bands();
        let color = |slot: usize| colors.get(slot).or(colors.first()).copied().unwrap_or(0);
        (0..PICTURE_CHANNELS).map(color).collect()
    }

    /// The pictures that an image is read as: channels three by three, where the last picture
    /// repeats its last channel as often as it must.
    pub(in crate::dataset) fn pictures(
        &self,
        source: &Arc<dyn TileSource>,
    ) -> Vec<Arc<dyn TileSource>> {
        let is_wide = BandFacts::of(&**source).is_wide();
        if self.bands.is_empty() && (self.ranges.is_empty() || !is_wide) {
            return vec![Arc::clone(source)];
        }
        let bands = self.source_bands(&**source);
        let own = source
            .info()
            .sample
            .range()
            .map(|range| [*range.start(), *range.end()]);
        let own = own.unwrap_or([0.0, 255.0]).map(|end| end as f32);
        let slot = |channel: usize| {
            let channel = channel.min(bands.len() - 1);
            let range = self.ranges.get(channel).filter(|_| is_wide);
            (bands[channel], range.copied().unwrap_or(own))
        };
        let picture = |first: usize| -> Arc<dyn TileSource> {
            let slots = [first, first + 1, first + 2].map(slot);
            Arc::new(BandPicture::new(Arc::clone(source), slots, bands.clone()))
        };
        (0..bands.len())
            .step_by(PICTURE_CHANNELS)
            .map(picture)
            .collect()
    }

    /// How many pictures that are, at most.
    pub const fn num_pictures(&self) -> usize {
        self.num_channels().div_ceil(PICTURE_CHANNELS)
    }
}

/// Refuses images whose bands differ, since nobody could say which of them is which.
fn all_alike(first: &ImageFacts, images: &[ImageFacts]) -> Result<(), DatasetError> {
    let other = images
        .iter()
        .find(|image| image.bands.data != first.bands.data);
    other.map_or(Ok(()), |other| {
        Err(DatasetError::Bands(format!(
            "bands = \"all\" needs images of the same bands, and {} has {} where another has {}; \
             name bands that all of them have, such as bands = [1, 2, 3]: {}",
            first.name,
            in_words(&first.bands.data),
            in_words(&other.bands.data),
            other.name
        )))
    })
}

/// "band 1", "bands 1 to 4" or "bands 1, 2, 5".
fn in_words(bands: &[u16]) -> String {
    match bands {
        [] => "the colors".to_owned(),
        [one] => format!("band {one}"),
        [first, .., last] => {
            let is_row = bands.windows(2).all(|two| two[1] == two[0] + 1);
            if is_row {
                return format!("bands {first} to {last}");
            }
            let named: Vec<String> = bands.iter().map(u16::to_string).collect();
            format!("bands {}", named.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::SampleType;

    fn image(name: &str, data: &[u16], sample: SampleType) -> ImageFacts {
        ImageFacts {
            name: name.to_owned(),
            meters: None,
            bands: BandFacts {
                data: data.to_vec(),
                sample,
                has_palette: false,
            },
        }
    }

    #[test]
    fn a_choice_means_bands_that_all_images_have() {
        let images = [
            image("a.tif", &[1, 2, 3, 4], SampleType::U8),
            image("b.tif", &[1, 2, 3], SampleType::U8),
        ];
        let of = |choice: &Bands, images: &[ImageFacts]| BandReading::of(choice, images);
        let bands = |choice, images: &[ImageFacts]| of(choice, images).expect("a reading").bands;
        assert_eq!(bands(&Bands::All, &images[..1]), [1, 2, 3, 4]);
        assert!(bands(&Bands::Color, &images).is_empty());
        assert_eq!(bands(&Bands::List(vec![3, 1]), &images), [3, 1]);
        let refused = |choice: &Bands| of(choice, &images).expect_err("a refusal").to_string();
        let error = refused(&Bands::All);
        assert!(
            error.contains("bands 1 to 4") && error.ends_with("b.tif"),
            "{error}"
        );
        let error = refused(&Bands::List(vec![4]));
        assert!(
            error.contains("Band 4 is asked for") && error.ends_with("b.tif"),
            "{error}"
        );
        let mut palette = image("p.png", &[1], SampleType::U8);
        palette.bands.has_palette = true;
        let error = of(&Bands::All, &[palette])
            .expect_err("a palette")
            .to_string();
        assert!(
            error.contains("palette") && error.ends_with("p.png"),
            "{error}"
        );
    }

    #[test]
    fn a_model_says_which_images_it_can_read() {
        let reading = |bands: &[u16], ranges: &[[f32; 2]]| BandReading {
            bands: bands.to_vec(),
            ranges: ranges.to_vec(),
        };
        let bytes = image("a", &[1, 2, 3], SampleType::U8).bands;
        let wide = image("a", &[1, 2, 3], SampleType::U16).bands;
        assert_eq!(reading(&[], &[]).fit(&wide).ok(), Some(None));
        assert_eq!(reading(&[2], &[]).fit(&bytes).ok(), Some(None));
        assert!(reading(&[2], &[]).fit(&wide).is_err());
        assert_eq!(reading(&[2], &[[0.0, 9.0]]).fit(&wide).ok(), Some(None));
        let note = reading(&[2], &[[0.0, 9.0]]).fit(&bytes).expect("a fit");
        assert!(note.expect("a note").contains("wider"));
        let error = reading(&[2, 4], &[])
            .fit(&bytes)
            .expect_err("too few")
            .to_string();
        assert!(
            error.contains("bands 1 to 3") && error.contains("bands 2, 4"),
            "{error}"
        );
    }

    #[test]
    fn readings_that_make_no_sense_are_known() {
        let sane = |bands: &[u16], ranges: &[[f32; 2]]| {
            let (bands, ranges) = (bands.to_vec(), ranges.to_vec());
            BandReading { bands, ranges }.is_sane()
        };
        assert!(sane(&[], &[]) && sane(&[4], &[[1.0, 2.0]]) && sane(&[], &[[0.0, 1.0]; 3]));
        assert!(!sane(&[0], &[]) && !sane(&[1], &[[2.0, 2.0]]) && !sane(&[1], &[[0.0, 1.0]; 2]));
        assert!(!sane(&[1], &[[f32::NAN, 1.0]]) && !sane(&[1; 65], &[]));
    }
}

use crate::geom::{Georef, ImagePoint, ImageSize};

/// Extent and place of a raster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageGround {
    /// Extent in pixels.
    pub size: ImageSize,
    /// Where it lies on the map, when that is known.
    pub georef: Option<Georef>,
}

/// How far grids may be apart to be the same, in pixels.
const SAME_WITHIN: f64 = 0.01;

/// Where a mask lies with regard to its image, by their georeferences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlaceRelation {
    /// Pixels lie on pixels, within a hundredth of one.
    SameGrid,
    /// Pixels are equal, but the mask's upper-left corner lies elsewhere.
    Shifted {
        /// To the right, in pixels of the image.
        dx: f64,
        /// Downwards, in pixels of the image.
        dy: f64,
    },
    /// Pixels have another size or are turned.
    OtherPixels {
        /// Width and height of a mask pixel in pixels of the image.
        scale: [f64; 2],
        /// How far its rows are turned from the image's, clockwise in degrees.
        turn: f64,
    },
    /// Coordinates of two systems.
    OtherSystem {
        /// EPSG code of the mask.
        mask: u32,
        /// EPSG code of the image.
        image: u32,
    },
    /// Only the image has a usable georeference.
    MaskHasNone,
    /// Only the mask has a usable georeference.
    ImageHasNone,
    /// Neither has a usable georeference.
    NeitherHas,
}

impl PlaceRelation {
    /// Compares the places; systems without a code are taken for the same.
    pub fn between(mask: &ImageGround, image: &ImageGround) -> Self {
        let (from, to) = match (mask.usable(), image.usable()) {
            (Some(from), Some(to)) => (from, to),
            (None, Some(_)) => return Self::MaskHasNone,
            (Some(_), None) => return Self::ImageHasNone,
            (None, None) => return Self::NeitherHas,
        };
        if let (Some(mask), Some(image)) = (from.epsg, to.epsg)
            && mask != image
        {
            return Self::OtherSystem { mask, image };
        }
        let far = ImagePoint::new(f64::INFINITY, f64::INFINITY);
        let moved = |at| to.image_from_map(from.map_from_image(at)).unwrap_or(far);
        let corners = mask.corners();
        let [first, ..] = corners.map(moved);
        let is_rigid = corners.into_iter().all(|corner| {
            let expected = ImagePoint::new(first.x + corner.x, first.y + corner.y);
            moved(corner).distance(expected) < SAME_WITHIN
        });
        if !is_rigid {
            let side = |at| moved(at).distance(first);
            let scale = [ImagePoint::new(1.0, 0.0), ImagePoint::new(0.0, 1.0)].map(side);
            let right = moved(ImagePoint::new(1.0, 0.0));
            let turn = (right.y - first.y).atan2(right.x - first.x).to_degrees();
            return Self::OtherPixels { scale, turn };
        }
        if first.x.hypot(first.y) < SAME_WITHIN {
            return Self::SameGrid;
        }
        Self::Shifted {
            dx: first.x,
            dy: first.y,
        }
    }

    /// Whether nothing speaks against laying pixel on pixel.
    pub const fn allows_pixel_on_pixel(self) -> bool {
        matches!(
            self,
            Self::SameGrid | Self::MaskHasNone | Self::ImageHasNone | Self::NeitherHas
        )
    }

    /// Whether both have a place on the map.
    pub const fn is_known(self) -> bool {
        !matches!(
            self,
            Self::MaskHasNone | Self::ImageHasNone | Self::NeitherHas
        )
    }
}

impl std::fmt::Display for PlaceRelation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SameGrid => f.write_str("It lies on the image's grid"),
            Self::Shifted { dx, dy } => {
                let (x, y) = (
                    amount(*dx, ["to the right", "to the left"]),
                    amount(*dy, ["downwards", "upwards"]),
                );
                let both: Vec<String> = [x, y].into_iter().flatten().collect();
                write!(
                    f,
                    "By its georeference it is shifted by {}",
                    both.join(" and ")
                )
            }
            Self::OtherPixels {
                scale: [width, height],
                turn,
            } => {
                let covers = "By its georeference a pixel of it covers";
                write!(f, "{covers} {width:.3} × {height:.3} pixels of the image")?;
                if turn.abs() >= 0.005 {
                    write!(f, ", turned by {turn:.2} degrees")?;
                }
                Ok(())
            }
            Self::OtherSystem { mask, image } => {
                write!(f, "It is in EPSG:{mask} and the image in EPSG:{image}")
            }
            Self::MaskHasNone => f.write_str("It has no georeference, the image has one"),
            Self::ImageHasNone => f.write_str("It has a georeference, the image has none"),
            Self::NeitherHas => f.write_str("Neither it nor the image has a georeference"),
        }
    }
}

/// A shift in words; `None` below what counts.
fn amount(pixels: f64, [ahead, back]: [&str; 2]) -> Option<String> {
    let way = if pixels > 0.0 { ahead } else { back };
    (pixels.abs() >= SAME_WITHIN / 2.0).then(|| format!("{:.2} pixels {way}", pixels.abs()))
}

/// A sentence that continues another.
pub(super) fn continued(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

impl ImageGround {
    /// The georeference, unless it maps the raster onto a line.
    pub(super) fn usable(&self) -> Option<&Georef> {
        let is_usable = |georef: &&Georef| georef.image_from_map((0.0, 0.0)).is_some();
        self.georef.as_ref().filter(is_usable)
    }

    /// The outer corners in pixels: upper left, upper right, lower right, lower left.
    pub(super) fn corners(&self) -> [ImagePoint; 4] {
        let (w, h) = (f64::from(self.size.width), f64::from(self.size.height));
        [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)].map(|(x, y)| ImagePoint::new(x, y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground(x: f64, y: f64, pixel: f64, epsg: Option<u32>) -> ImageGround {
        ImageGround {
            size: ImageSize::new(100, 50),
            georef: Some(Georef::north_up(x, y, pixel, epsg)),
        }
    }

    #[test]
    fn places_are_compared_in_pixels_of_the_image() {
        let image = ground(500_000.0, 200_000.0, 0.25, Some(2180));
        let none = ImageGround {
            georef: None,
            ..image.clone()
        };
        let flat = ImageGround {
            georef: Some(Georef::default()),
            ..image.clone()
        };
        let check = |mask: &ImageGround, expected| {
            assert_eq!(PlaceRelation::between(mask, &image), expected);
        };
        check(&image, PlaceRelation::SameGrid);
        check(
            &ground(500_000.002, 200_000.0, 0.25, Some(2180)),
            PlaceRelation::SameGrid,
        );
        check(
            &ground(500_001.0, 200_000.5, 0.25, None),
            PlaceRelation::Shifted { dx: 4.0, dy: -2.0 },
        );
        check(
            &ground(500_000.0, 200_000.0, 0.5, Some(2180)),
            PlaceRelation::OtherPixels {
                scale: [2.0, 2.0],
                turn: 0.0,
            },
        );
        let other = PlaceRelation::OtherSystem {
            mask: 32633,
            image: 2180,
        };
        check(&ground(0.0, 0.0, 0.25, Some(32633)), other);
        check(&none, PlaceRelation::MaskHasNone);
        check(&flat, PlaceRelation::MaskHasNone);
        assert_eq!(
            PlaceRelation::between(&image, &none),
            PlaceRelation::ImageHasNone
        );
        assert_eq!(
            PlaceRelation::between(&none, &none),
            PlaceRelation::NeitherHas
        );
    }

    #[test]
    fn shifts_are_said_in_words() {
        let said = PlaceRelation::Shifted { dx: 4.0, dy: -2.5 }.to_string();
        let expected = "By its georeference it is shifted by 4.00 pixels to the right and 2.50 \
                        pixels upwards";
        assert_eq!(said, expected);
    }
}

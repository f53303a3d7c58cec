use std::path::Path;

use super::align::align;
use super::ground::{ImageGround, PlaceRelation, continued};
use crate::exchange::{Crs, ExchangeError, Reprojection};
use crate::geom::{Georef, ImagePoint};
use crate::label::{Align, Mask};

/// The way between the grid of a mask file and that of an image.
#[derive(Clone, Debug)]
pub struct Alignment {
    way: Way,
    mask: ImageGround,
    image: ImageGround,
}

#[derive(Clone, Debug)]
enum Way {
    /// Pixel on pixel from the upper-left corner.
    Corner,
    /// Stretched.
    Stretch,
    /// Over the map.
    Map(Box<MapWay>),
}

#[derive(Clone, Debug)]
struct MapWay {
    mask: Georef,
    image: Georef,
    /// From the mask's system to the image's, and back; `None` when they are the same.
    moves: Option<[Reprojection; 2]>,
}

impl Alignment {
    /// The way that was decided; `path` is that of the mask file.
    ///
    /// # Errors
    /// [`ExchangeError::Unaligned`] when it was decided to refuse and the grids differ, or there is
    /// no such way, or it leads past the image.
    pub fn new(
        mask: &ImageGround,
        image: &ImageGround,
        decided: Align,
        path: &Path,
    ) -> Result<Self, ExchangeError> {
        let unaligned = |reason: String| ExchangeError::Unaligned {
            reason,
            path: path.to_owned(),
        };
        let way = match decided {
            Align::Refuse => {
                refuse_other_grids(mask, image).map_err(unaligned)?;
                Way::Corner
            }
            Align::CornerToCorner => Way::Corner,
            Align::Scale => Way::Stretch,
            Align::ByGeoreference => {
                Way::Map(Box::new(MapWay::new(mask, image).map_err(unaligned)?))
            }
        };
        let alignment = Self {
            way,
            mask: mask.clone(),
            image: image.clone(),
        };
        let is_empty = mask.size.is_empty() || image.size.is_empty();
        if !is_empty && !alignment.reaches_image() {
            return Err(unaligned(
                "it lies past the image; choose the one that belongs there, or lay it corner to \
                 corner or scaled"
                    .to_owned(),
            ));
        }
        Ok(alignment)
    }

    /// Where the file's outer corners lie, in level-0 pixels of the image: its upper left, upper
    /// right, lower right and lower left. `None` when one has no place there.
    pub fn outline(&self) -> Option<[ImagePoint; 4]> {
        let [a, b, c, d] = self.mask.corners().map(|at| self.image_from_mask(at));
        Some([a?, b?, c?, d?])
    }

    /// The place in the mask file of a place in the image, both in level-0 pixels.
    pub fn mask_from_image(&self, at: ImagePoint) -> Option<ImagePoint> {
        match &self.way {
            Way::Corner => Some(at),
            Way::Stretch => Some(stretched(at, &self.image, &self.mask)),
            Way::Map(map) => {
                let back = map.moves.as_ref().map(|[_, back]| back);
                moved(at, &map.image, &map.mask, back)
            }
        }
    }

    /// The place in the image of a place in the mask file, both in level-0 pixels.
    pub fn image_from_mask(&self, at: ImagePoint) -> Option<ImagePoint> {
        match &self.way {
            Way::Corner => Some(at),
            Way::Stretch => Some(stretched(at, &self.mask, &self.image)),
            Way::Map(map) => {
                let there = map.moves.as_ref().map(|[there, _]| there);
                moved(at, &map.mask, &map.image, there)
            }
        }
    }

    /// How far the result may be off, when that is more than a meter or two.
    pub fn note(&self) -> Option<&str> {
        match &self.way {
            Way::Map(map) => map.moves.as_ref()?[0].note(),
            Way::Corner | Way::Stretch => None,
        }
    }

    /// The mask on the image's grid, by nearest neighbor; unlabeled where the file does not reach.
    pub fn apply(&self, mask: Mask) -> Mask {
        let is_same = self.mask.size == self.image.size;
        match self.way {
            Way::Corner | Way::Stretch if is_same => mask,
            _ => align(&mask, self.image.size, &|at| self.mask_from_image(at)),
        }
    }

    /// Whether a pixel out of a few hundred of one lies on the other.
    fn reaches_image(&self) -> bool {
        let (mask, image) = (&self.mask, &self.image);
        let lands = |at: Option<ImagePoint>, on: &ImageGround| {
            at.and_then(|at| at.pixel_in(on.size)).is_some()
        };
        let there = |at: ImagePoint| lands(self.image_from_mask(at), image);
        let back = |at: ImagePoint| lands(self.mask_from_image(at), mask);
        probes(mask).any(there) || probes(image).any(back)
    }
}

/// Pixel centers spread over a raster, those at its corners among them.
fn probes(ground: &ImageGround) -> impl Iterator<Item = ImagePoint> + use<> {
    const STEPS: u32 = 16;
    let (w, h) = (
        f64::from(ground.size.width) - 1.0,
        f64::from(ground.size.height) - 1.0,
    );
    (0..=STEPS * STEPS + 2 * STEPS).map(move |n| {
        let (x, y) = (n % (STEPS + 1), n / (STEPS + 1));
        let at = |n: u32, side: f64| f64::from(n) / f64::from(STEPS) * side + 0.5;
        ImagePoint::new(at(x, w), at(y, h))
    })
}

impl MapWay {
    fn new(mask: &ImageGround, image: &ImageGround) -> Result<Self, String> {
        let missing = |whose: &str| {
            format!("{whose} has no usable georeference; lay it there corner to corner or scaled")
        };
        let from = mask.usable().ok_or_else(|| missing("it"))?;
        let to = image.usable().ok_or_else(|| missing("the image"))?;
        let moves = match (from.epsg, to.epsg) {
            (Some(from), Some(to)) if from != to => Some(reprojections(from, to)?),
            _ => None,
        };
        Ok(Self {
            mask: from.clone(),
            image: to.clone(),
            moves,
        })
    }
}

fn reprojections(from: u32, to: u32) -> Result<[Reprojection; 2], String> {
    let way = |from: u32, to: u32| {
        let reason = match Reprojection::new(&Crs::Epsg(from), &Crs::Epsg(to)) {
            Ok(Some(way)) => return Ok(way),
            Ok(None) => "they are the same".to_owned(),
            Err(ExchangeError::Reprojection { reason, .. }) => reason,
            Err(other) => other.to_string(),
        };
        Err(format!(
            "it is in EPSG:{from} and the image in EPSG:{to}, and {reason}. Bring it there first, \
             for example with: gdalwarp -r near -t_srs EPSG:{to} MASK moved.tif"
        ))
    };
    let there = way(from, to)?;
    let back = Reprojection::new(&Crs::Epsg(to), &Crs::Epsg(from));
    let back = back.ok().flatten();
    Ok([there, back.ok_or("the way back is not known")?])
}

fn refuse_other_grids(mask: &ImageGround, image: &ImageGround) -> Result<(), String> {
    let (found, expected) = (mask.size, image.size);
    if found != expected {
        return Err(format!(
            "it has {found} pixels but the image has {expected}; lay it there by georeference, \
             corner to corner or scaled"
        ));
    }
    let place = PlaceRelation::between(mask, image);
    if place.allows_pixel_on_pixel() {
        return Ok(());
    }
    Err(format!(
        "{}; lay it there by georeference or corner to corner",
        continued(&place.to_string())
    ))
}

fn stretched(at: ImagePoint, from: &ImageGround, to: &ImageGround) -> ImagePoint {
    let scale = |from: u32, to: u32| f64::from(to) / f64::from(from.max(1));
    ImagePoint::new(
        at.x * scale(from.size.width, to.size.width),
        at.y * scale(from.size.height, to.size.height),
    )
}

fn moved(
    at: ImagePoint,
    from: &Georef,
    to: &Georef,
    way: Option<&Reprojection>,
) -> Option<ImagePoint> {
    let (x, y) = from.map_from_image(at);
    let [x, y] = match way {
        Some(way) => way.point([x, y])?,
        None => [x, y],
    };
    to.image_from_map((x, y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    fn ground(size: u32, georef: Option<Georef>) -> ImageGround {
        ImageGround {
            size: ImageSize::new(size, size),
            georef,
        }
    }

    fn alignment(mask: &ImageGround, image: &ImageGround, how: Align) -> Result<Alignment, String> {
        let alignment = Alignment::new(mask, image, how, Path::new("mask.tif"));
        alignment.map_err(|error| error.to_string())
    }

    fn north(x: f64, y: f64, pixel: f64, epsg: u32) -> Option<Georef> {
        Some(Georef::north_up(x, y, pixel, Some(epsg)))
    }

    #[test]
    fn the_outline_lies_where_the_file_will() {
        let image = ground(100, north(500_000.0, 200_000.0, 0.5, 2180));
        let mask = ground(20, north(500_010.0, 199_995.0, 1.0, 2180));
        for (how, expected) in [
            (Align::ByGeoreference, [20.0, 10.0, 60.0, 50.0]),
            (Align::CornerToCorner, [0.0, 0.0, 20.0, 20.0]),
            (Align::Scale, [0.0, 0.0, 100.0, 100.0]),
        ] {
            let [a, _, c, _] = alignment(&mask, &image, how)
                .expect("a way")
                .outline()
                .expect("there");
            assert_eq!([a.x, a.y, c.x, c.y], expected);
        }
    }

    #[test]
    fn a_mask_in_another_system_lands_on_its_ground() {
        let image = ground(100, north(500_000.0, 5_650_000.0, 1.0, 32633));
        let way = Reprojection::new(&Crs::Epsg(32633), &Crs::Epsg(3035)).expect("known");
        let [x, y] = way
            .expect("another")
            .point([500_050.0, 5_649_950.0])
            .expect("there");
        let mask = ground(40, north(x - 10.0, y + 10.0, 0.5, 3035));
        let alignment = alignment(&mask, &image, Align::ByGeoreference).expect("a way");
        let middle = alignment
            .image_from_mask(ImagePoint::new(20.0, 20.0))
            .expect("there");
        assert!(
            middle.distance(ImagePoint::new(50.0, 50.0)) < 0.01,
            "{middle:?}"
        );
        let back = alignment.mask_from_image(middle).expect("there");
        assert!(back.distance(ImagePoint::new(20.0, 20.0)) < 0.01);
        let aligned = alignment.apply(Mask::filled(mask.size, 3));
        let covered = aligned.histogram()[3];
        assert!((360..=440).contains(&covered), "{covered} of about 400");
        assert_eq!((aligned.get(50, 50), aligned.get(20, 50)), (3, 255));
    }

    #[test]
    fn ways_that_lead_nowhere_are_refused() {
        let image = ground(100, north(500_000.0, 200_000.0, 0.5, 2180));
        for (mask, how, expected) in [
            (ground(50, None), Align::Refuse, "50 × 50 pixels"),
            (ground(50, None), Align::ByGeoreference, "it has no usable"),
            (
                ground(100, north(500_001.0, 200_000.0, 0.5, 2180)),
                Align::Refuse,
                "by its georeference it is shifted by 2.00",
            ),
            (
                ground(100, north(0.0, 0.0, 0.5, 2180)),
                Align::ByGeoreference,
                "past the image",
            ),
            (
                ground(100, north(0.0, 0.0, 0.5, 1)),
                Align::ByGeoreference,
                "gdalwarp",
            ),
        ] {
            let error = alignment(&mask, &image, how).expect_err("no way");
            assert!(
                error.contains(expected) && error.ends_with("mask.tif"),
                "{error}"
            );
        }
        alignment(&ground(100, None), &image, Align::Refuse).expect("pixel on pixel");
    }
}

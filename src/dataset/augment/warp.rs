use super::{Augmentation, DisplacementField, Kind, Turn, Vary};
use crate::dataset::MirroredWindow;

/// How one patch is laid over the ground.
#[derive(Clone, Debug)]
pub(super) struct Warp {
    /// Flips and quarter turns, which move whole pixels.
    pub(super) turn: Turn,
    /// All else that moves ground; `None`: pixels are read as they are.
    pub(super) bend: Option<Bend>,
}

/// Where the pixels of a patch come from: `matrix * offset + shift`, both offsets from the middle
/// of the patch in pixels, then the displacement there.
#[derive(Clone, Debug)]
pub(super) struct Bend {
    /// Rows of the matrix, turn included.
    pub(super) matrix: [[f64; 2]; 2],
    /// In pixels.
    pub(super) shift: [f64; 2],
    /// Smooth displacements.
    pub(super) field: Option<DisplacementField>,
}

impl Warp {
    /// The warp of a patch of `side` by `own`.
    pub(super) fn drawn(own: &Augmentation, side: u32, seed: u64) -> Self {
        let turn = Turn::by_chance(own.flip, own.quarter_turn, &mut Kind::Turn.rng(seed));
        let one =
            |vary: Option<Vary>, kind: Kind| vary.and_then(|vary| vary.drawn(&mut kind.rng(seed)));
        let rotation = one(own.rotation, Kind::Rotation);
        let scale = one(own.scale, Kind::Scale);
        let shear = one(own.shear, Kind::Shear);
        let shift = own.shift.and_then(|vary| {
            let mut rng = Kind::Shift.rng(seed);
            let across = vary.drawn(&mut rng)?;
            Some([across, vary.number(&mut rng)])
        });
        let field = own.elastic.and_then(|elastic| {
            let mut rng = Kind::Elastic.rng(seed);
            let most = Vary::new(elastic.probability, elastic.range).drawn(&mut rng)?;
            Some(DisplacementField::drawn(
                side,
                most,
                elastic.spacing,
                &mut rng,
            ))
        });
        let is_straight = rotation.is_none() && scale.is_none() && shear.is_none();
        if is_straight && shift.is_none() && field.is_none() {
            return Self { turn, bend: None };
        }
        let matrix = source_matrix(
            rotation.unwrap_or(0.0),
            scale.unwrap_or(1.0),
            shear.unwrap_or(0.0),
        );
        let bend = Bend {
            matrix: product(matrix, turn.matrix()),
            shift: shift
                .unwrap_or([0.0; 2])
                .map(|share| -share * f64::from(side)),
            field,
        };
        Self {
            turn,
            bend: Some(bend),
        }
    }
}

impl Bend {
    /// The window around all ground that the patch at `place` is made from, two pixels wider.
    pub(super) fn window(&self, place: MirroredWindow) -> MirroredWindow {
        let half = f64::from(place.side) / 2.0;
        let most = self.field.as_ref().map_or(0.0, DisplacementField::most);
        let span = |start: i64, row: [f64; 2], shift: f64| {
            let middle = start as f64 + half + shift;
            let reach = (row[0].abs() + row[1].abs()) * half + most;
            let low = (middle - reach).floor() as i64 - 2;
            (low, (middle + reach).ceil() as i64 + 2 - low)
        };
        let (x, width) = span(place.x, self.matrix[0], self.shift[0]);
        let (y, height) = span(place.y, self.matrix[1], self.shift[1]);
        let side = width.max(height) as u32;
        MirroredWindow { x, y, side }
    }
}

/// From an offset in the patch to one on the ground, for ground that is leant by `shear` degrees,
/// then made `scale` times as large, then turned by `rotation` degrees.
pub(super) fn source_matrix(rotation: f64, scale: f64, shear: f64) -> [[f64; 2]; 2] {
    let (sin, cos) = rotation.to_radians().sin_cos();
    let lean = shear.to_radians().tan();
    let back = [[cos / scale, sin / scale], [-sin / scale, cos / scale]];
    product([[1.0, -lean], [0.0, 1.0]], back)
}

fn product(a: [[f64; 2]; 2], b: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    a.map(|row| [0, 1].map(|col: usize| row[0] * b[0][col] + row[1] * b[1][col]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_asked_is_nothing_done() {
        let warp = Warp::drawn(&Augmentation::default(), 64, 1);
        assert_eq!(warp.turn, Turn::NONE);
        assert!(warp.bend.is_none());
    }

    #[test]
    fn kinds_do_not_disturb_each_other() {
        let always = |low, high| Some(Vary::new(1.0, [low, high]));
        let mut own = Augmentation {
            shift: always(-0.5, 0.5),
            ..Augmentation::default()
        };
        let shift = |own: &Augmentation| Warp::drawn(own, 64, 7).bend.expect("a bend").shift;
        let alone = shift(&own);
        own.rotation = always(-90.0, 90.0);
        assert_eq!(shift(&own), alone);
    }

    #[test]
    fn the_window_holds_what_is_read() {
        let bend = Bend {
            matrix: source_matrix(45.0, 0.5, 0.0),
            shift: [10.0, 0.0],
            field: None,
        };
        let place = MirroredWindow {
            x: 100,
            y: 100,
            side: 64,
        };
        // The corner of a turned square lies 32 * sqrt(2) / 0.5 = 90.5 pixels from the middle.
        let window = bend.window(place);
        assert_eq!((window.x, window.y, window.side), (49, 39, 186));
    }
}

use super::{CanvasFrame, PaneContent};
use crate::geom::TileKey;
use crate::label::MaskTile;
use crate::render::{
    ComparisonView, ImageTiles, Looked, MaskLook, MaskTiles, MaskView, PaneScene, SourceId,
    VerdictColors, paint_callback, palette,
};
use crate::session::{Layer, LayerKind, OpenImage, Review, Session};
use crate::train::Certainty;
use crate::ui::theme;
use crate::ui::view::{LevelCache, View};

/// What is right or of no interest is a faint veil; the others are told apart also by who sees no
/// red or no green (Okabe & Ito 2008).
pub const VERDICTS: VerdictColors = VerdictColors {
    agreed: [255, 255, 255, 64],
    found: [86, 180, 233, 110],
    invented: [213, 94, 0, 215],
    missed: [240, 228, 66, 215],
    different: [230, 159, 0, 200],
};

/// What is lit up over other masks, so that the ground below can be painted by sight.
const LIT: VerdictColors = VerdictColors {
    agreed: [0; 4],
    different: [226, 61, 148, 110],
    ..VERDICTS
};

/// Lies over ground of which a network is not certain.
pub const DOUBT: [u8; 3] = [220, 30, 40];

/// So much is left of the opacity of a prediction that is being replaced.
const FAINT: f32 = 0.4;

const fn colors_of(content: PaneContent) -> VerdictColors {
    if content.compares() { VERDICTS } else { LIT }
}

/// Draws the image and its masks into one canvas.
pub fn paint(
    ui: &egui::Ui,
    content: PaneContent,
    frame: CanvasFrame,
    session: &Session,
    view: &mut View,
) {
    ui.painter().rect_filled(frame.rect, 0.0, theme::CANVAS);
    let (Some(image), Some(camera)) = (session.image(), frame.aligned(view.camera)) else {
        return;
    };
    let (layers, compared) = (shown_layers(content, session), compared(content, session));
    let look = look_of(view);
    let looked = lit(content, session).unwrap_or(view.looked);
    let View {
        renderer,
        levels,
        feed,
        ..
    } = view;
    let Some(renderer) = renderer else { return };
    let lookups: Vec<_> = layers.iter().map(|layer| lookup(levels, layer)).collect();
    let masks = layers
        .iter()
        .zip(&lookups)
        .map(|(layer, tile)| MaskView {
            source: SourceId(layer.id.0),
            size: layer.mask.size(),
            tile: tile as &dyn Fn(TileKey) -> MaskTile,
            palette: palette_of(session, layer, content),
            look,
        })
        .collect();
    let lookups: Vec<_> = compared.iter().map(|layer| lookup(levels, layer)).collect();
    let tiles = |place: usize| MaskTiles {
        source: SourceId(compared[place].id.0),
        tile: &lookups[place],
    };
    let comparison = (!compared.is_empty()).then(|| ComparisonView {
        truth: tiles(0),
        predicted: tiles(1),
        size: compared[0].mask.size(),
        looked,
        colors: colors_of(content),
    });
    let scene = PaneScene {
        canvas: frame.size(),
        camera,
        image: image_tiles(image, session),
        masks,
        comparison,
    };
    let (draw, wants) = renderer.prepare(&scene);
    if let Some(feed) = feed {
        feed.want(&wants);
    }
    ui.painter().add(paint_callback(frame.rect, draw));
}

/// The image's tiles, once it is known how they are to be shown.
fn image_tiles(image: &OpenImage, session: &Session) -> Option<ImageTiles> {
    Some(ImageTiles {
        source: SourceId(image.id.0),
        shape: image.pyramid.shape(),
        shading: session.shading()?,
    })
}

const fn look_of(view: &View) -> MaskLook {
    if view.outlines {
        MaskLook::Outline
    } else {
        MaskLook::Fill
    }
}

/// The tiles of a layer by their keys.
fn lookup<'a>(levels: &'a LevelCache, layer: &'a Layer) -> impl Fn(TileKey) -> MaskTile + 'a {
    move |key| levels.tile(layer, key)
}

/// The two masks that a pane holds against each other, the first as the truth; else nothing.
fn compared(content: PaneContent, session: &Session) -> Vec<&Layer> {
    let first = match content {
        PaneContent::Errors | PaneContent::KeptErrors(_) => LayerKind::Label,
        PaneContent::Changed => LayerKind::Kept(session.contest().a()),
        // Who hides the masks wants to see the ground.
        _ if lit(content, session).is_some() && !shown_layers(content, session).is_empty() => {
            LayerKind::Label
        }
        _ => return Vec::new(),
    };
    let second = match content {
        PaneContent::KeptErrors(place) => LayerKind::Kept(place),
        _ => LayerKind::Prediction,
    };
    match [first, second].map(|kind| session.layer(kind)) {
        [Some(first), Some(prediction)] if first.mask.size() == prediction.mask.size() => {
            vec![first, prediction]
        }
        _ => Vec::new(),
    }
}

/// The cell of the confusion matrix that is walked through, in the panes where it lights up over
/// what they draw.
fn lit(content: PaneContent, session: &Session) -> Option<Looked> {
    use PaneContent::{Label, Prediction, Work};
    let [truth, predicted] = session.review().and_then(Review::cell)?;
    matches!(content, Work | Label | Prediction).then_some(Looked::Pair { truth, predicted })
}

/// The mask layers that a pane draws, first drawn first.
fn shown_layers(content: PaneContent, session: &Session) -> Vec<&Layer> {
    let kinds = content.layers(session).into_iter();
    let layers = kinds.filter_map(|kind| session.layer(kind));
    // Who asked for doubt alone wants to see it.
    let is_asked = matches!(content, PaneContent::Certainty(_));
    layers
        .filter(|layer| layer.is_visible || is_asked)
        .collect()
}

/// The colors of a layer in one kind of pane.
///
/// Background would only dim the image under it: it is clear in the working pane and faint in the
/// panes that compare.
fn palette_of(session: &Session, layer: &Layer, content: PaneContent) -> [[u8; 4]; 256] {
    let is_it = |kind| {
        session
            .layer(kind)
            .is_some_and(|known| known.id == layer.id)
    };
    let share = if is_it(LayerKind::Replaced) {
        FAINT
    } else {
        1.0
    };
    let opacity = layer.opacity * share;
    let background = match content {
        PaneContent::Work => 0.0,
        _ => opacity * 0.35,
    };
    if is_it(LayerKind::Origins) {
        return palette(&session.origins(), opacity, 0.0, |_| true);
    }
    let mut measures = Certainty::ALL.into_iter();
    if measures.any(|measure| is_it(LayerKind::Certainty(measure))) {
        return doubt_palette(opacity);
    }
    if is_it(LayerKind::Preview) {
        return palette(session.classes(), 1.0, 1.0, |_| true);
    }
    let is_visible = |class| session.is_class_visible(class);
    palette(session.classes(), opacity, background, is_visible)
}

/// Clear where a network is certain, red where it guesses between two classes or more.
fn doubt_palette(opacity: f32) -> [[u8; 4]; 256] {
    std::array::from_fn(|sure| match sure {
        255 => [0; 4],
        sure => {
            let doubt = (2.0 * (1.0 - sure as f32 / 254.0)).min(1.0);
            let [r, g, b] = DOUBT;
            [r, g, b, (doubt * opacity * 255.0) as u8]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Matrix = [[f64; 3]; 3];

    /// How linear red, green and blue are seen with all cones, without the long ones (protanopia)
    /// and without the middle ones (deuteranopia): Machado, Oliveira & Fernandes 2009, "A
    /// physiologically-based model for simulation of color vision deficiency", severity 1.
    const SIGHTS: [Matrix; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ];
    /// sRGB to CIE XYZ, each row for a white of 1.
    const XYZ: Matrix = [
        [0.433_950, 0.376_210, 0.189_840],
        [0.212_673, 0.715_152, 0.072_175],
        [0.017_757, 0.109_468, 0.872_775],
    ];
    /// Shade, meadow, bare soil, forest and a bright roof.
    const GROUNDS: [[u8; 3]; 5] = [
        [40, 45, 35],
        [110, 120, 80],
        [128, 128, 128],
        [60, 80, 50],
        [220, 215, 205],
    ];

    fn times(matrix: &Matrix, color: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| (0..3).map(|at| row[at] * color[at]).sum())
    }

    /// What is seen of a color over some ground, as CIE L*, a* and b*.
    fn seen(ink: [u8; 4], ground: [u8; 3], sight: &Matrix) -> [f64; 3] {
        let opacity = f64::from(ink[3]) / 255.0;
        let linear = |at: usize| {
            let mixed = f64::from(ink[at]) * opacity + f64::from(ground[at]) * (1.0 - opacity);
            match mixed / 255.0 {
                dark if dark <= 0.04045 => dark / 12.92,
                value => ((value + 0.055) / 1.055).powf(2.4),
            }
        };
        let color = times(sight, [0, 1, 2].map(linear)).map(|value| value.clamp(0.0, 1.0));
        let [x, y, z] = times(&XYZ, color).map(|value| match value {
            dark if dark <= 0.008_856 => 7.787 * dark + 16.0 / 116.0,
            value => value.cbrt(),
        });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// The least difference of two colors (CIE 1976) over any ground and in any sight; 2.3 is just
    /// noticed.
    fn apart(one: [u8; 4], other: [u8; 4]) -> f64 {
        let differences = GROUNDS.iter().flat_map(|&ground| {
            SIGHTS.iter().map(move |sight| {
                let [one, other] = [one, other].map(|color| seen(color, ground, sight));
                (0..3)
                    .map(|at| (one[at] - other[at]).powi(2))
                    .sum::<f64>()
                    .sqrt()
            })
        });
        differences.fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn verdicts_are_told_apart_without_red_or_green_and_agreement_is_faint_but_seen() {
        let VerdictColors {
            agreed,
            found,
            invented,
            missed,
            different,
        } = VERDICTS;
        let of_class = [agreed, found, invented, missed];
        for (at, one) in of_class.into_iter().enumerate() {
            for other in &of_class[..at] {
                let apart = apart(one, *other);
                assert!(apart > 12.0, "{one:?} {other:?}: {apart}");
            }
        }
        let of_all = apart(agreed, different);
        assert!(of_all > 30.0, "{of_all}");
        let bare = apart(agreed, [0; 4]);
        assert!(bare > 3.0, "{bare}");
        assert!(agreed[3] < found[3] && LIT.agreed[3] == 0);
    }
}

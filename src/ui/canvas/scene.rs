use super::{CanvasFrame, PaneContent};
use crate::geom::{PyramidShape, TileKey};
use crate::label::MaskTile;
use crate::render::{ImageTiles, MaskLook, MaskView, PaneScene, SourceId, paint_callback, palette};
use crate::session::{Layer, LayerKind, Session};
use crate::ui::theme;
use crate::ui::view::View;

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
    let layers = shown_layers(content, session);
    let look = if view.outlines {
        MaskLook::Outline
    } else {
        MaskLook::Fill
    };
    let View {
        renderer,
        levels,
        feed,
        ..
    } = view;
    let Some(renderer) = renderer else { return };
    let lookups: Vec<_> = layers
        .iter()
        .map(|layer| {
            let levels = &*levels;
            move |key: TileKey| levels.tile(layer, key)
        })
        .collect();
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
    let shape: PyramidShape = image.pyramid.shape();
    let scene = PaneScene {
        canvas: frame.size(),
        camera,
        image: Some(ImageTiles {
            source: SourceId(image.id.0),
            shape,
        }),
        masks,
    };
    let (draw, wants) = renderer.prepare(&scene);
    if let Some(feed) = feed {
        feed.want(&wants);
    }
    ui.painter().add(paint_callback(frame.rect, draw));
}

/// The mask layers that a pane draws, first drawn first.
fn shown_layers(content: PaneContent, session: &Session) -> Vec<&Layer> {
    let kinds = content.layers(session).into_iter();
    let layers = kinds.filter_map(|kind| session.layer(kind));
    layers.filter(|layer| layer.is_visible).collect()
}

/// The colors of a layer in one kind of pane.
///
/// Background would only dim the image under it: it is clear in the working pane and faint in the
/// panes that compare.
fn palette_of(session: &Session, layer: &Layer, content: PaneContent) -> [[u8; 4]; 256] {
    let background = match content {
        PaneContent::Work => 0.0,
        _ => layer.opacity * 0.35,
    };
    let is_it = |kind| {
        session
            .layer(kind)
            .is_some_and(|known| known.id == layer.id)
    };
    if is_it(LayerKind::Origins) {
        return palette(&session.origins(), layer.opacity, 0.0, |_| true);
    }
    if is_it(LayerKind::Certainty) {
        return doubt(layer.opacity);
    }
    if is_it(LayerKind::Preview) {
        return palette(session.classes(), 1.0, 1.0, |_| true);
    }
    let is_visible = |class| session.is_class_visible(class);
    palette(session.classes(), layer.opacity, background, is_visible)
}

/// Clear where a network is certain, red where it guesses between two classes or more.
fn doubt(opacity: f32) -> [[u8; 4]; 256] {
    std::array::from_fn(|sure| match sure {
        255 => [0; 4],
        sure => {
            let doubt = (2.0 * (1.0 - sure as f32 / 254.0)).min(1.0);
            [220, 30, 40, (doubt * opacity * 255.0) as u8]
        }
    })
}

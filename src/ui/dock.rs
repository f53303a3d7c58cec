use egui::{Stroke, Style, Ui, WidgetText};
use egui_tiles::{
    Behavior, Container, Linear, LinearDir, ResizeState, SimplificationOptions, Tile, TileId,
    Tiles, Tree, UiResponse,
};

use super::view::{CommandQueue, View};
use super::{panels, theme};
use crate::session::Session;

/// Between the upper and the lower panels, in points.
const GAP: f32 = 4.0;
/// So far from the middle of the gap it can be grabbed.
const GRAB: f32 = 6.0;

/// A panel that people can dock elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Layers with eye and opacity.
    Layers,
    /// Classes with color, key and area.
    Classes,
    /// Scores of the prediction against the label.
    Scores,
    /// How much ground each class covers.
    Area,
    /// The images of the open folder.
    Images,
    /// Recipe, curves and results.
    Train,
    /// Going on from a model with what was corrected.
    Improve,
}

impl Panel {
    const fn title(self) -> &'static str {
        match self {
            Self::Layers => "Layers",
            Self::Classes => "Classes",
            Self::Scores => "Scores",
            Self::Area => "Area",
            Self::Images => "Images",
            Self::Train => "Train",
            Self::Improve => "Improve",
        }
    }
}

/// The panels at the right: their order, sizes and tabs.
#[derive(Debug)]
pub struct Dock {
    tree: Option<Tree<Panel>>,
    train: TileId,
    improve: TileId,
}

impl Default for Dock {
    fn default() -> Self {
        let mut tiles = Tiles::default();
        let upper = [
            Panel::Classes,
            Panel::Layers,
            Panel::Scores,
            Panel::Area,
            Panel::Images,
        ];
        let upper: Vec<_> = upper
            .into_iter()
            .map(|panel| tiles.insert_pane(panel))
            .collect();
        let first = upper[0];
        let upper = tiles.insert_tab_tile(upper);
        if let Some(Tile::Container(Container::Tabs(tabs))) = tiles.get_mut(upper) {
            tabs.set_active(first);
        }
        let pane = tiles.insert_pane(Panel::Train);
        let improve = tiles.insert_pane(Panel::Improve);
        let train = tiles.insert_tab_tile(vec![pane, improve]);
        if let Some(Tile::Container(Container::Tabs(tabs))) = tiles.get_mut(train) {
            tabs.set_active(pane);
        }
        let mut linear = Linear::new(LinearDir::Vertical, vec![upper, train]);
        linear.shares.set_share(upper, 0.38);
        linear.shares.set_share(train, 0.62);
        let root = tiles.insert_container(linear);
        Self {
            tree: Some(Tree::new(egui::Id::unique("dock"), root, tiles)),
            train: pane,
            improve,
        }
    }
}

impl Dock {
    /// Brings the training panel to the front.
    pub fn show_training(&mut self) {
        self.show(self.train);
    }

    /// Brings the panel about improving a model to the front.
    pub fn show_improving(&mut self) {
        self.show(self.improve);
    }

    fn show(&mut self, panel: TileId) {
        if let Some(tree) = &mut self.tree {
            tree.make_active(|id, _| id == panel);
        }
    }
}

/// Lays out the docked panels.
pub fn dock_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    // The tree is lent out while its panels use the rest of the view.
    let Some(mut tree) = view.dock.tree.take() else {
        return;
    };
    ui.style_mut().interaction.resize_grab_radius_side = GRAB;
    tree.ui(
        &mut Panels {
            session,
            view,
            commands,
        },
        ui,
    );
    view.dock.tree = Some(tree);
}

struct Panels<'a> {
    session: &'a Session,
    view: &'a mut View,
    commands: &'a mut CommandQueue,
}

impl Behavior<Panel> for Panels<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile: TileId, panel: &mut Panel) -> UiResponse {
        egui::Frame::new().inner_margin(6.0).show(ui, |ui| {
            egui::ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| match panel {
                    Panel::Layers => {
                        panels::layers::layers_ui(ui, self.session, self.view, self.commands);
                    }
                    Panel::Classes => {
                        panels::classes::classes_ui(ui, self.session, self.view, self.commands);
                    }
                    Panel::Scores => {
                        panels::scores::scores_ui(ui, self.session, self.view, self.commands);
                    }
                    Panel::Area => {
                        panels::area::area_ui(ui, self.session, self.view, self.commands);
                    }
                    Panel::Images => {
                        panels::images::images_ui(ui, self.session, self.view, self.commands);
                    }
                    Panel::Train => {
                        panels::train::train_ui(ui, self.session, self.view, self.commands);
                    }
                    Panel::Improve => {
                        panels::improve::improve_ui(ui, self.session, self.view, self.commands);
                    }
                });
        });
        UiResponse::None
    }

    fn simplification_options(&self) -> SimplificationOptions {
        // A panel alone in its place keeps its title.
        SimplificationOptions {
            all_panes_must_have_tabs: true,
            ..Default::default()
        }
    }

    fn gap_width(&self, _style: &Style) -> f32 {
        GAP
    }

    fn resize_stroke(&self, style: &Style, state: ResizeState) -> Stroke {
        match state {
            ResizeState::Idle => style.visuals.widgets.noninteractive.bg_stroke,
            ResizeState::Hovering | ResizeState::Dragging => Stroke::new(GAP, theme::ACCENT),
        }
    }

    fn tab_title_for_pane(&mut self, panel: &Panel) -> WidgetText {
        panel.title().into()
    }
}

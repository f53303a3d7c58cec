use std::path::PathBuf;

use egui::{ComboBox, DragValue, Grid, ScrollArea, Ui, Window};

use super::dialogs::FileWish;
use super::theme;
use super::view::View;
use crate::exchange::{Edge, Generalize, MAX_TILE_SIDE, TilePlan, TileShapes, TileShares};
use crate::session::{ExportOrder, LayerKind, Session};
use crate::ui::text;

/// What a label can become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    GeoPackage,
    GeoJson,
    GeoTiff,
    Png,
    RgbPng,
    BinaryPng,
    Coco,
    Yolo,
    Tiles,
}

impl Form {
    const ALL: [Self; 9] = [
        Self::GeoPackage,
        Self::GeoJson,
        Self::GeoTiff,
        Self::Png,
        Self::RgbPng,
        Self::BinaryPng,
        Self::Coco,
        Self::Yolo,
        Self::Tiles,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::GeoPackage => "GeoPackage polygons",
            Self::GeoJson => "GeoJSON polygons",
            Self::GeoTiff => "GeoTIFF mask",
            Self::Png => "PNG mask of class indices",
            Self::RgbPng => "PNG mask of class colors",
            Self::BinaryPng => "PNG mask, 0 and 255",
            Self::Coco => "COCO instances",
            Self::Yolo => "YOLO segments",
            Self::Tiles => "Tiles of image and mask",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::GeoPackage | Self::GeoJson => {
                "One polygon a region, with class, name, pixels and m². Opens in QGIS."
            }
            Self::GeoTiff => "With colors, names and the place on the map, also for QGIS and GDAL.",
            Self::Png => "The number is the class, 255 is unlabeled; colors as a palette.",
            Self::RgbPng => "The class colors themselves; the class table goes beside it.",
            Self::BinaryPng => "Class 0 becomes 0, class 1 becomes 255: for labels of two classes.",
            Self::Coco => "Polygons and run lengths of this image, for detection tools.",
            Self::Yolo => "One line a region, for Ultralytics.",
            Self::Tiles => "Files of one size in folders train, val and test, for other trainers.",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::GeoPackage => ".gpkg",
            Self::GeoJson => ".geojson",
            Self::GeoTiff => "_export.tif",
            Self::Png => "_export.png",
            Self::RgbPng => ".rgb.png",
            Self::BinaryPng => ".binary.png",
            Self::Coco => ".coco.json",
            Self::Yolo => ".yolo.txt",
            Self::Tiles => "_tiles",
        }
    }
}

/// What is being put together for an export.
#[derive(Clone, Debug)]
pub struct ExportSheet {
    /// Whether the window is shown.
    pub is_open: bool,
    form: Form,
    generalize: Generalize,
    plan: TilePlan,
    shares: TileShares,
    min_labeled: f64,
    /// By place in [`SHAPES`].
    shapes: [bool; 2],
}

/// How tiles can be labeled besides by masks.
const SHAPES: [(TileShapes, &str); 2] = [
    (TileShapes::Yolo, "YOLO segments"),
    (TileShapes::Coco, "COCO annotations"),
];

impl Default for ExportSheet {
    fn default() -> Self {
        Self {
            is_open: false,
            form: Form::default(),
            generalize: Generalize::default(),
            plan: TilePlan {
                side: 512,
                overlap: 0,
                edge: Edge::default(),
            },
            shares: TileShares {
                validation: 0.1,
                test: 0.0,
                seed: 1,
            },
            min_labeled: 0.0,
            shapes: [false; 2],
        }
    }
}

impl ExportSheet {
    /// The command's order for what was put together.
    pub fn order(&self, path: PathBuf) -> ExportOrder {
        if self.form == Form::Tiles {
            let shapes = SHAPES.into_iter().zip(self.shapes);
            let shapes = shapes.filter(|(_, is_wanted)| *is_wanted);
            return ExportOrder::Tiles {
                folder: path,
                plan: self.plan,
                shares: self.shares,
                min_labeled: self.min_labeled,
                shapes: shapes.map(|((shapes, _), _)| shapes).collect(),
            };
        }
        let is_exact = self.generalize == Generalize::default();
        ExportOrder::File {
            path,
            generalize: (!is_exact).then(|| self.generalize.clone()),
        }
    }

    /// Where the export goes when nobody says: beside the image.
    pub fn suggested_path(&self, session: &Session) -> String {
        let path = session.beside_image(self.form.ending());
        path.map_or_else(String::new, |path| path.display().to_string())
    }
}

/// The export window: what the label becomes, and how.
pub fn export_ui(ui: &Ui, session: &Session, view: &mut View) {
    if session.layer(LayerKind::Label).is_none() {
        view.export.is_open = false;
    }
    let sheet = &mut view.export;
    let (mut is_open, mut is_chosen) = (sheet.is_open, false);
    Window::new("Export the label")
        .open(&mut is_open)
        .collapsible(false)
        .resizable(false)
        .default_pos([80.0, 60.0])
        .show(ui.ctx(), |ui| {
            ui.set_width(340.0);
            ui.horizontal(|ui| {
                let label = ui.label("As");
                ComboBox::from_id_salt("export form")
                    .selected_text(sheet.form.name())
                    .width(240.0)
                    .show_ui(ui, |ui| {
                        for form in Form::ALL {
                            ui.selectable_value(&mut sheet.form, form, form.name());
                        }
                    })
                    .response
                    .labelled_by(label.id);
            });
            ui.weak(sheet.form.help());
            ui.add_space(theme::GRID);
            match sheet.form {
                Form::GeoPackage | Form::GeoJson => polygons_ui(ui, session, sheet),
                Form::Tiles => tiles_ui(ui, sheet),
                _ => {}
            }
            ui.add_space(theme::GRID);
            is_chosen = ui.button("Choose where…").clicked();
        });
    sheet.is_open = is_open && !is_chosen;
    if is_chosen {
        let is_folder = sheet.form == Form::Tiles;
        view.wish(if is_folder {
            FileWish::ExportTiles
        } else {
            FileWish::Export
        });
    }
}

fn polygons_ui(ui: &mut Ui, session: &Session, sheet: &mut ExportSheet) {
    let options = &mut sheet.generalize;
    Grid::new("polygon options").num_columns(2).show(ui, |ui| {
        let label = ui.label("Simplify by at most");
        let tolerance = DragValue::new(&mut options.tolerance_px).range(0.0..=20.0);
        ui.add(tolerance.speed(0.05).suffix(" px"))
            .labelled_by(label.id)
            .on_hover_text("0 keeps borders exact; shared borders stay shared, so no slivers");
        ui.end_row();
        let label = ui.label("Smallest region");
        ui.horizontal(|ui| {
            let smallest = DragValue::new(&mut options.min_pixels).range(0..=1_000_000);
            ui.add(smallest.suffix(" px")).labelled_by(label.id);
            ui.weak(session.square_meters(options.min_pixels));
        });
        ui.end_row();
    });
    ui.label("Square the corners of");
    ScrollArea::vertical().max_height(190.0).show(ui, |ui| {
        for class in session.shown_classes() {
            let mut is_squared = options.squared.contains(&class.index);
            if ui.checkbox(&mut is_squared, &class.name).changed() {
                options.squared.retain(|&known| known != class.index);
                if is_squared {
                    options.squared.push(class.index);
                }
            }
        }
    });
    if *options == Generalize::default() {
        ui.weak("Borders are exact to the pixel.");
    }
}

fn tiles_ui(ui: &mut Ui, sheet: &mut ExportSheet) {
    let ExportSheet {
        plan,
        shares,
        min_labeled,
        shapes,
        ..
    } = sheet;
    Grid::new("tile options").num_columns(2).show(ui, |ui| {
        let label = ui.label("Side");
        let side = DragValue::new(&mut plan.side).range(16..=MAX_TILE_SIDE);
        ui.add(side.suffix(" px")).labelled_by(label.id);
        ui.end_row();
        let label = ui.label("Overlap");
        let overlap = DragValue::new(&mut plan.overlap).range(0..=plan.side - 1);
        ui.add(overlap.suffix(" px")).labelled_by(label.id);
        ui.end_row();
        let label = ui.label("At the edges");
        ComboBox::from_id_salt("edge")
            .selected_text(edge_name(plan.edge))
            .show_ui(ui, |ui| {
                for edge in [Edge::Pad, Edge::Shift, Edge::Drop] {
                    ui.selectable_value(&mut plan.edge, edge, edge_name(edge));
                }
            })
            .response
            .labelled_by(label.id);
        ui.end_row();
        for (name, share) in [
            ("For validation", &mut shares.validation),
            ("For tests", &mut shares.test),
            ("Labeled at least", min_labeled),
        ] {
            let label = ui.label(name);
            let mut percent = *share * 100.0;
            let value = DragValue::new(&mut percent).range(0.0..=100.0).speed(0.5);
            if ui.add(value.suffix(" %")).labelled_by(label.id).changed() {
                *share = percent / 100.0;
            }
            ui.end_row();
        }
        ui.label("Besides masks");
        ui.vertical(|ui| {
            for ((_, name), is_wanted) in SHAPES.iter().zip(shapes) {
                ui.checkbox(is_wanted, *name);
            }
        });
        ui.end_row();
        let label = ui.label("Seed");
        ui.add(DragValue::new(&mut shares.seed))
            .labelled_by(label.id);
        ui.end_row();
    });
    let side = u64::from(plan.side);
    ui.weak(format!(
        "Parts are chosen by blocks of ground; a tile has {} pixels.",
        text::grouped(side * side)
    ));
}

const fn edge_name(edge: Edge) -> &'static str {
    match edge {
        Edge::Pad => "Filled with black",
        Edge::Shift => "Moved back inside",
        Edge::Drop => "Left out",
    }
}

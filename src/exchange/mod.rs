//! Labels from and for other programs: class regions as polygons, polygons and lines as classes,
//! COCO and YOLO files, styles and names for QGIS and GDAL, lists of classes, tiles.
//!
//! This layer knows formats and coordinate systems. What pixels and classes are is `label`'s
//! subject.

mod burn_in;
mod burn_plan;
mod chains;
mod class_list;
mod class_values;
mod coco;
mod code_page;
mod crs_names;
mod datum;
mod dbf_read;
mod error;
mod export;
mod figures;
mod geojson_read;
mod geojson_write;
mod gpkg_read;
mod gpkg_write;
mod import;
mod keyhole;
mod map_place;
mod open;
mod pam;
mod pixel_ground;
mod place;
mod polygonize;
mod qml;
mod read;
mod records;
mod registry;
mod registry_csv;
mod registry_geojson;
mod reproject;
mod rows;
mod shp_read;
mod simplify;
mod sweep;
#[cfg(test)]
mod test_masks;
mod text_file;
mod tiles;
mod vector;
mod whole_file;
mod wkb;
mod wkt;
mod xml;
mod yolo;
mod yolo_names;

pub use burn_in::{Burned, burn_in};
pub use burn_plan::{BurnPlan, LineWidth};
pub use class_list::{ClassList, read_class_list, write_class_list};
pub use coco::{CocoFile, CocoForm, CocoImage, CocoMask, CocoWriter, read_coco};
pub use crs_names::crs_name;
pub use error::ExchangeError;
pub use export::{ExportForm, ExportWork, Exported, export};
pub use figures::{PlacedFigures, place_figures};
pub use geojson_read::read_geojson;
pub use geojson_write::write_geojson;
pub use gpkg_read::geopackage_layers;
pub use gpkg_write::write_geopackage;
pub use import::{
    Alignment, Answer, Choice, ImageGround, MaskAudit, PlaceRelation, Question, align, audit_mask,
    find_table, load_mask_as,
};
pub use map_place::MapPlace;
pub use pam::{pam_path, read_pam, write_pam};
pub use pixel_ground::pixel_meters;
pub use polygonize::{Region, polygonize};
pub use qml::{qml_path, write_qml};
pub use read::read_vectors;
pub use records::quoted;
pub use registry::{RegistryFrame, write_registry};
pub use registry_csv::write_registry_csv;
pub use registry_geojson::write_registry_geojson;
pub use reproject::{Reprojection, meters_per_unit};
pub use simplify::{Generalize, generalize, generalize_mask};
pub use text_file::{read_first_line, read_text};
pub use tiles::{
    Edge, MAX_TILE_SIDE, Part, SplitTiles, Tile, TilePlan, TileReport, TileShapes, TileShares,
    TileWork, split_tiles, write_tiles,
};
pub use vector::{Crs, Geometry, Shape, VectorLayer};
pub use yolo::{YoloFolders, YoloMask, read_yolo, write_yolo, write_yolo_data, yolo_path};
pub use yolo_names::read_yolo_names;

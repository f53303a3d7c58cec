//! Labels from and for other programs: polygons of class regions and polygons as classes, COCO and
//! YOLO files, styles and names for QGIS and GDAL, lists of classes, tiles.
//!
//! This layer knows formats. What pixels and classes are is `label`'s subject.

mod chains;
mod class_list;
mod coco;
mod error;
mod geojson_read;
mod geojson_write;
mod keyhole;
mod open;
mod pam;
mod polygonize;
mod qml;
mod records;
mod rows;
mod sweep;
#[cfg(test)]
mod test_masks;
mod text_file;
mod tiles;
mod xml;
mod yolo;
mod yolo_names;

pub use class_list::{ClassList, read_class_list, write_class_list};
pub use coco::{CocoFile, CocoForm, CocoImage, CocoMask, CocoWriter, read_coco};
pub use error::ExchangeError;
pub use geojson_read::{Shape, VectorLayer, read_geojson};
pub use geojson_write::write_geojson;
pub use pam::{pam_path, read_pam, write_pam};
pub use polygonize::{Region, polygonize};
pub use qml::{qml_path, write_qml};
pub use tiles::{
    Edge, MAX_TILE_SIDE, Part, SplitTiles, Tile, TilePlan, TileReport, TileShares, TileWork,
    split_tiles, write_tiles,
};
pub use yolo::{YoloFolders, YoloMask, read_yolo, write_yolo, write_yolo_data, yolo_path};
pub use yolo_names::read_yolo_names;

use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, params};

use super::Region;
use super::gpkg_read::geopackage_layers;
use super::pixel_ground::{middle_of, pixel_area, ring_area};
use crate::disk::{PendingFile, ReplaceError};
use crate::geom::{Georef, ImagePoint};
use crate::label::ClassTable;

/// `GPKG`.
const APPLICATION_ID: i32 = 0x4750_4b47;
/// Version 1.3 of the standard.
const USER_VERSION: i32 = 10_300;
/// "Undefined Cartesian", for pixels and for maps without a code.
const UNDEFINED: i64 = -1;

/// The tables that the standard asks for (OGC 12-128r17, annex C), and the one with the polygons.
const SCHEMA: &str = "
    CREATE TABLE gpkg_spatial_ref_sys (
        srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
        organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
    CREATE TABLE gpkg_contents (
        table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
        description TEXT DEFAULT '',
        last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
        min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
        CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
    CREATE TABLE gpkg_geometry_columns (
        table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
        srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
        CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
        CONSTRAINT uk_gc_table_name UNIQUE (table_name),
        CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
        CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
    CREATE TABLE regions (
        fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom POLYGON, class SMALLINT, name TEXT,
        pixels INTEGER, area_m2 DOUBLE);
";

/// WGS 84 as longitude and latitude.
const WGS_84: &str = "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,\
    298.257223563,AUTHORITY[\"EPSG\",\"7030\"]],AUTHORITY[\"EPSG\",\"6326\"]],\
    PRIMEM[\"Greenwich\",0,AUTHORITY[\"EPSG\",\"8901\"]],UNIT[\"degree\",0.0174532925199433,\
    AUTHORITY[\"EPSG\",\"9122\"]],AUTHORITY[\"EPSG\",\"4326\"]]";

/// Writes regions as a `GeoPackage` 1.3 with one layer `regions`, one polygon feature each, whole or
/// not at all; the length of the file in bytes.
///
/// Coordinates are the map's, easting first, or without a georeference level-0 pixels with y down.
/// Outer rings run counterclockwise when the second coordinate is taken to point up. Attributes are
/// `class`, the index; `name`; `pixels`, their number; and `area_m2` on the same terms as in
/// [`write_geojson`](super::write_geojson). `written_at` is noted as the time of the
/// last change.
///
/// # Errors
/// [`ReplaceError`] when the disk refuses or a coordinate is not finite; the old file is then
/// untouched.
pub fn write_geopackage<C: Copy + Into<f64>>(
    path: &Path,
    regions: &[Region<C>],
    classes: &ClassTable,
    georef: Option<&Georef>,
    written_at: SystemTime,
) -> Result<u64, ReplaceError> {
    let write = || {
        refuse_other_layers(path)?;
        let pending = PendingFile::create(path)?;
        let mut db = Connection::open(pending.draft_path()).map_err(io::Error::other)?;
        let mut layer = Layer::new(classes, georef, written_at);
        layer.pixel_area = pixel_area(georef, middle_of(regions));
        layer.fill(&mut db, regions)?;
        db.close().map_err(|(_, error)| io::Error::other(error))?;
        let bytes = pending.draft_path().metadata()?.len();
        pending.commit()?;
        Ok(bytes)
    };
    write().map_err(|source| ReplaceError {
        path: path.to_owned(),
        source,
    })
}

/// A `GeoPackage` that holds layers of other hands must not be replaced.
fn refuse_other_layers(path: &Path) -> io::Result<()> {
    let Ok(layers) = geopackage_layers(path) else {
        return Ok(());
    };
    let names = layers.iter().map(String::as_str);
    let others: Vec<&str> = names.filter(|&name| name != "regions").collect();
    if others.is_empty() {
        return Ok(());
    }
    let others = others.join(", ");
    let reason =
        format!("it has other layers ({others}), which would be lost; choose another name");
    Err(io::Error::new(io::ErrorKind::AlreadyExists, reason))
}

struct Layer<'a> {
    georef: Option<&'a Georef>,
    names: Vec<String>,
    srs_id: i64,
    /// Whether rings are to run the other way than in [`Region`].
    is_mirrored: bool,
    /// In m².
    pixel_area: Option<f64>,
    written_at: SystemTime,
    bounds: Option<[f64; 4]>,
}

impl<'a> Layer<'a> {
    fn new(classes: &ClassTable, georef: Option<&'a Georef>, written_at: SystemTime) -> Self {
        let affine = georef.map_or([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], |georef| {
            georef.map_from_image
        });
        let [a, b, _, d, e, _] = affine;
        let epsg = georef.and_then(|georef| georef.epsg);
        Self {
            georef,
            names: (0..=u8::MAX).map(|index| classes.name_of(index)).collect(),
            srs_id: epsg.map_or(UNDEFINED, i64::from),
            is_mirrored: a * e - b * d > 0.0,
            pixel_area: None,
            written_at,
            bounds: None,
        }
    }

    fn fill<C: Copy + Into<f64>>(
        &mut self,
        db: &mut Connection,
        regions: &[Region<C>],
    ) -> io::Result<()> {
        // The draft is of no use until it is whole, and is flushed then: no journal is needed.
        db.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            .and_then(|()| db.pragma_update(None, "application_id", APPLICATION_ID))
            .and_then(|()| db.pragma_update(None, "user_version", USER_VERSION))
            .map_err(io::Error::other)?;
        let transaction = db.transaction().map_err(io::Error::other)?;
        transaction
            .execute_batch(SCHEMA)
            .and_then(|()| self.add_systems(&transaction))
            .map_err(io::Error::other)?;
        self.add_regions(&transaction, regions)?;
        self.add_contents(&transaction)
            .and_then(|()| transaction.commit())
            .map_err(io::Error::other)
    }

    /// The three systems that the standard asks for and the image's.
    fn add_systems(&self, db: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut insert = db.prepare(
            "INSERT OR IGNORE INTO gpkg_spatial_ref_sys \
             (srs_name, srs_id, organization, organization_coordsys_id, definition) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let undefined = "undefined";
        insert.execute(params![
            "Undefined Cartesian SRS",
            -1,
            "NONE",
            -1,
            undefined
        ])?;
        insert.execute(params!["Undefined geographic SRS", 0, "NONE", 0, undefined])?;
        insert.execute(params!["WGS 84 geodetic", 4326, "EPSG", 4326, WGS_84])?;
        if self.srs_id > 0 {
            let known = u16::try_from(self.srs_id)
                .ok()
                .and_then(crs_definitions::from_code);
            let definition = known.map_or(undefined, |known| known.wkt);
            let name = definition.split('"').nth(1);
            let name = name.map_or_else(|| format!("EPSG:{}", self.srs_id), str::to_owned);
            insert.execute(params![name, self.srs_id, "EPSG", self.srs_id, definition])?;
        }
        Ok(())
    }

    fn add_regions<C: Copy + Into<f64>>(
        &mut self,
        db: &Transaction<'_>,
        regions: &[Region<C>],
    ) -> io::Result<()> {
        let query = "INSERT INTO regions (geom, class, name, pixels, area_m2) \
                     VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut insert = db.prepare(query).map_err(io::Error::other)?;
        let mut blob = Vec::new();
        for region in regions {
            self.encode(region, &mut blob)?;
            let area = self.pixel_area.map(|area| ring_area(region) * area);
            let name = &self.names[usize::from(region.class)];
            insert
                .execute(params![
                    blob,
                    region.class,
                    name,
                    region.pixels as i64,
                    area
                ])
                .map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// The geometry with a header that has its bounds (OGC 12-128r17, 2.1.3), little-endian.
    fn encode<C: Copy + Into<f64>>(
        &mut self,
        region: &Region<C>,
        blob: &mut Vec<u8>,
    ) -> io::Result<()> {
        blob.clear();
        blob.extend(b"GP\0\x03");
        blob.extend((self.srs_id as i32).to_le_bytes());
        let header = blob.len();
        blob.extend([0; 32]);
        blob.extend([1, 3, 0, 0, 0]);
        blob.extend((region.rings.len() as u32).to_le_bytes());
        let mut bounds = [
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        for ring in &region.rings {
            let count = ring.len();
            blob.extend((count as u32 + 1).to_le_bytes());
            for step in 0..=count {
                let index = if self.is_mirrored { count - step } else { step } % count;
                let [x, y] = self.place(ring[index])?;
                blob.extend(x.to_le_bytes());
                blob.extend(y.to_le_bytes());
                let [left, right, bottom, top] = bounds;
                bounds = [left.min(x), right.max(x), bottom.min(y), top.max(y)];
            }
        }
        let bytes = bounds.map(f64::to_le_bytes);
        blob[header..header + 32].copy_from_slice(bytes.as_flattened());
        let [left, right, bottom, top] = bounds;
        let all = self.bounds.unwrap_or([left, bottom, right, top]);
        self.bounds = Some([
            all[0].min(left),
            all[1].min(bottom),
            all[2].max(right),
            all[3].max(top),
        ]);
        Ok(())
    }

    fn place(&self, (x, y): (impl Into<f64>, impl Into<f64>)) -> io::Result<[f64; 2]> {
        let at = ImagePoint::new(x.into(), y.into());
        let (x, y) = self
            .georef
            .map_or((at.x, at.y), |georef| georef.map_from_image(at));
        if x.is_finite() && y.is_finite() {
            return Ok([x, y]);
        }
        Err(io::Error::other("the georeference gives no coordinates"))
    }

    fn add_contents(&self, db: &Transaction<'_>) -> rusqlite::Result<()> {
        let since_1970 = self
            .written_at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let bounds = self.bounds.map_or([None; 4], |bounds| bounds.map(Some));
        db.execute(
            "INSERT INTO gpkg_contents \
             (table_name, data_type, identifier, last_change, min_x, min_y, max_x, max_y, srs_id) \
             VALUES ('regions', 'features', 'regions', \
                     strftime('%Y-%m-%dT%H:%M:%fZ', ?1, 'unixepoch'), ?2, ?3, ?4, ?5, ?6)",
            params![
                since_1970.as_secs() as i64,
                bounds[0],
                bounds[1],
                bounds[2],
                bounds[3],
                self.srs_id
            ],
        )?;
        let query = "INSERT INTO gpkg_geometry_columns \
                     (table_name, column_name, geometry_type_name, srs_id, z, m) \
                     VALUES ('regions', 'geom', 'POLYGON', ?1, 0, 0)";
        db.execute(query, [self.srs_id]).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::gpkg_read::read_geopackage;
    use super::super::test_masks::any_case;
    use super::super::{BurnPlan, Crs, ExchangeError, burn_in, geopackage_layers, polygonize};
    use super::*;
    use crate::label::{Class, UNLABELED};

    fn written(
        regions: &[Region],
        georef: Option<&Georef>,
    ) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("label.gpkg");
        let classes = ClassTable::new(None, vec![Class::new(1, "road \"A\"", [0; 3])]);
        let classes = classes.expect("valid");
        let bytes = write_geopackage(&path, regions, &classes, georef, UNIX_EPOCH);
        assert_eq!(
            bytes.expect("written"),
            path.metadata().expect("there").len()
        );
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        (folder, path)
    }

    fn region() -> Region {
        let outer = vec![(0, 0), (0, 3), (3, 3), (3, 0)];
        let hole = vec![(1, 1), (2, 1), (2, 2), (1, 2)];
        Region {
            class: 1,
            pixels: 8,
            rings: vec![outer, hole],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let georef = Georef::north_up(500_000.0, 250_000.0, 0.25, Some(2180));
        let (_folder, path) = written(&[region()], Some(&georef));
        let layer = read_geopackage(&path, Some("regions")).expect("our own");
        assert_eq!((layer.shapes.len(), layer.epsg()), (1, Some(2180)));
        let properties = serde_json::json!({
            "fid": 1, "class": 1, "name": "road \"A\"", "pixels": 8, "area_m2": 0.5,
        });
        let found = serde_json::Value::Object((*layer.shapes[0].properties).clone());
        assert_eq!(found, properties);
        let bounds = [500_000.0, 249_999.25, 500_000.75, 250_000.0];
        assert_eq!(layer.bounds(), Some(bounds));
    }

    #[test]
    fn the_tables_are_those_of_the_standard() {
        let (_folder, path) = written(&[region()], None);
        let db = Connection::open(&path).expect("a database");
        let text =
            |query: &str| -> String { db.query_row(query, [], |row| row.get(0)).expect("a row") };
        assert_eq!(
            text("SELECT group_concat(srs_id) FROM gpkg_spatial_ref_sys"),
            "-1,0,4326"
        );
        let contents = "SELECT srs_id || ' ' || max_x || ' ' || max_y || ' ' || last_change \
                        FROM gpkg_contents";
        assert_eq!(text(contents), "-1 3.0 3.0 1970-01-01T00:00:00.000Z");
        assert_eq!(text("PRAGMA integrity_check"), "ok");
        let bytes = fs::read(&path).expect("a file");
        assert_eq!(bytes[68..72], *b"GPKG");
        assert_eq!(bytes[60..64], 10_300_u32.to_be_bytes());
        let layer = read_geopackage(&path, None).expect("our own");
        assert_eq!(layer.crs, None);
        assert!(!layer.shapes[0].properties.contains_key("area_m2"));
    }

    #[test]
    fn a_broken_georeference_leaves_the_old_file() {
        let georef = Georef::north_up(f64::NAN, 0.0, 1.0, None);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("label.gpkg");
        crate::disk::replace_file(&path, b"old").expect("written");
        let table = ClassTable::default();
        let failed = write_geopackage(&path, &[region()], &table, Some(&georef), UNIX_EPOCH);
        assert!(
            failed
                .expect_err("not finite")
                .to_string()
                .contains("georeference")
        );
        assert_eq!(fs::read(&path).expect("there"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn layers_are_chosen_by_name() {
        let (_folder, path) = written(&[region()], None);
        let db = Connection::open(&path).expect("a database");
        db.execute_batch(
            "CREATE TABLE \"my \"\"roads\" (id INTEGER PRIMARY KEY, shape BLOB, w REAL,
                 slow TEXT AS (hex(zeroblob(100000000))));
             INSERT INTO \"my \"\"roads\" SELECT 1, geom, 2.5 FROM regions;
             CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)
                 SELECT i, NULL AS geom FROM n;
             INSERT INTO gpkg_contents (table_name, data_type) VALUES
                 ('my \"roads', 'features'), ('endless', 'features'), ('gone', 'features');
             INSERT INTO gpkg_geometry_columns VALUES ('my \"roads', 'SHAPE', 'POLYGON', 4326, 0, 0),
                 ('endless', 'geom', 'POLYGON', 0, 0, 0), ('gone', 'geom', 'POLYGON', 0, 0, 0);",
        )
        .expect("tables");
        assert_eq!(
            geopackage_layers(&path).expect("layers"),
            ["regions", "my \"roads"]
        );
        let roads = read_geopackage(&path, Some("my \"roads")).expect("a layer");
        assert_eq!((roads.crs, roads.shapes.len()), (Some(Crs::Epsg(4326)), 1));
        let keys: Vec<_> = roads.shapes[0]
            .properties
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, ["id", "w"]);
        for (layer, expected) in [(None, "different"), (Some("endless"), "no layer “endless”")]
        {
            let error = read_geopackage(&path, layer).expect_err("not chosen");
            assert!(matches!(error, ExchangeError::Layer { .. }), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_file_gives_the_same_mask(case in any_case()) {
            let georef = Georef::north_up(638_127.25, 487_350.5, 0.25, Some(2180));
            let keep = |class: u8| class != UNLABELED;
            let area = case.mask.size().bounds();
            let regions = polygonize(&case.mask, area, &keep, &|| false).expect("not stopped");
            let (_folder, path) = written(&regions, Some(&georef));
            let layer = read_geopackage(&path, None).expect("our own");
            let plan = BurnPlan {
                values: (0..u8::MAX).map(|class| (class.to_string(), class)).collect(),
                ..BurnPlan::by_attribute("class")
            };
            let burned = burn_in(&layer, &plan, case.mask.size(), Some(&georef)).expect("burned");
            prop_assert!(burned.mask == case.mask);
        }

        #[test]
        fn damaged_files_do_no_harm(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
            length: prop::sample::Index,
            cuts: bool,
        ) {
            let (_folder, path) = written(&vec![region(); 200], None);
            let mut bytes = fs::read(&path).expect("written");
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if cuts {
                bytes.truncate(length.index(bytes.len()));
            }
            crate::disk::replace_file(&path, &bytes).expect("written");
            let shapes = read_geopackage(&path, None).map_or(0, |layer| layer.shapes.len());
            prop_assert!(shapes <= 200);
        }
    }
}

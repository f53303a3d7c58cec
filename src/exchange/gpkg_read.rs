use std::path::Path;
use std::time::Duration;

use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row};
use serde_json::{Map, Number, Value};

use super::vector::MAX_ATTRIBUTES;
use super::wkb::parts_of_blob;
use super::wkt::crs_of_wkt;
use super::{Crs, ExchangeError, VectorLayer};

/// How long is waited for another program that writes the file.
const BUSY: Duration = Duration::from_secs(5);
/// The longest text or geometry that is read, in bytes.
const MAX_VALUE_BYTES: i32 = 1 << 28;
/// Names of columns are repeated with each feature.
const MAX_NAME_BYTES: usize = 256;

/// A table of features.
struct Table {
    name: String,
    geometry_column: String,
    crs: Option<Crs>,
}

/// The names of the layers of a `GeoPackage`.
///
/// # Errors
/// [`ExchangeError`] when it is none, or damaged.
pub fn geopackage_layers(path: &Path) -> Result<Vec<String>, ExchangeError> {
    let tables = open(path).and_then(|db| tables_of(&db));
    let tables = tables.map_err(|problem| problem.told(path))?;
    Ok(tables.into_iter().map(|table| table.name).collect())
}

/// Reads one layer of a `GeoPackage` (OGC 12-128), or all of them.
///
/// # Errors
/// [`ExchangeError`] when it is none, or damaged, or has no such layer, or layers in different
/// coordinate systems of which none is chosen.
pub(super) fn read_geopackage(
    path: &Path,
    layer: Option<&str>,
) -> Result<VectorLayer, ExchangeError> {
    let db = open(path).map_err(|problem| problem.told(path))?;
    let tables = tables_of(&db).map_err(|problem| problem.told(path))?;
    let chosen = chosen(&tables, layer).map_err(|reason| ExchangeError::Layer {
        reason,
        layers: tables
            .iter()
            .map(|table| table.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        path: path.to_owned(),
    })?;
    let mut layer = VectorLayer {
        crs: chosen.first().and_then(|table| table.crs.clone()),
        ..VectorLayer::default()
    };
    let mut attributes = 0;
    for table in chosen {
        add_table(&db, table, &mut layer, &mut attributes).map_err(|problem| problem.told(path))?;
    }
    Ok(layer)
}

/// What is wrong, before the path is said.
enum Problem {
    Database(rusqlite::Error),
    Contents(String),
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Problem {
    fn told(self, path: &Path) -> ExchangeError {
        ExchangeError::Malformed {
            reason: match self {
                Self::Database(error) => format!("the database does not give them ({error})"),
                Self::Contents(reason) => reason,
            },
            path: path.to_owned(),
        }
    }
}

/// Opens the file for reading, with what its schema says taken as a stranger's word.
fn open(path: &Path) -> Result<Connection, Problem> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    check(&db, "sqlite_schema")?;
    Ok(db)
}

/// Refuses a table whose pages are damaged: pages that refer to each other in a ring would give
/// rows without end.
fn check(db: &Connection, table: &str) -> Result<(), Problem> {
    let query = format!("PRAGMA quick_check({})", quoted(table));
    let verdict: String = db.query_row(&query, [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    let verdict = verdict.lines().next().unwrap_or_default();
    Err(Problem::Contents(format!(
        "the file is damaged ({verdict})"
    )))
}

/// A name as SQL takes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn chosen<'a>(tables: &'a [Table], wanted: Option<&str>) -> Result<Vec<&'a Table>, String> {
    if let Some(wanted) = wanted {
        let table = tables.iter().find(|table| table.name == wanted);
        return match table {
            Some(table) => Ok(vec![table]),
            None => Err(format!("The file has no layer “{wanted}”")),
        };
    }
    if tables.windows(2).any(|pair| pair[0].crs != pair[1].crs) {
        return Err("The layers of the file are in different coordinate systems".to_owned());
    }
    Ok(tables.iter().collect())
}

/// The tables of features. Views are left out: what they compute may take forever.
fn tables_of(db: &Connection) -> Result<Vec<Table>, Problem> {
    for table in [
        "gpkg_contents",
        "gpkg_geometry_columns",
        "gpkg_spatial_ref_sys",
    ] {
        if !is_table(db, table)? {
            let reason = format!("it is no GeoPackage, for it has no table “{table}”");
            return Err(Problem::Contents(reason));
        }
        check(db, table)?;
    }
    let mut statement = db.prepare(
        "SELECT contents.table_name, columns.column_name, columns.srs_id \
         FROM gpkg_contents AS contents \
         JOIN gpkg_geometry_columns AS columns ON columns.table_name = contents.table_name \
         WHERE contents.data_type = 'features'",
    )?;
    let mut rows = statement.query([])?;
    let mut tables = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if is_table(db, &name)? {
            tables.push(Table {
                name,
                geometry_column: row.get(1)?,
                crs: crs_of(db, row.get(2)?)?,
            });
        }
    }
    if tables.is_empty() {
        let reason = "the GeoPackage has no table of features".to_owned();
        return Err(Problem::Contents(reason));
    }
    Ok(tables)
}

/// Whether there is a plain table of this name: neither a view nor a virtual one.
fn is_table(db: &Connection, name: &str) -> Result<bool, Problem> {
    let query = "SELECT 1 FROM sqlite_schema \
                 WHERE type = 'table' AND lower(name) = lower(?1) AND rootpage > 0";
    Ok(db
        .query_row(query, [name], |_| Ok(()))
        .optional()?
        .is_some())
}

fn crs_of(db: &Connection, srs_id: i64) -> Result<Option<Crs>, Problem> {
    if srs_id <= 0 {
        // Undefined by the standard.
        return Ok(None);
    }
    let query = "SELECT organization, organization_coordsys_id, definition \
                 FROM gpkg_spatial_ref_sys WHERE srs_id = ?1";
    let found = db.query_row(query, [srs_id], |row| {
        let code = u32::try_from(row.get::<_, i64>(1)?).ok();
        let is_epsg = row.get::<_, String>(0)?.eq_ignore_ascii_case("EPSG");
        let code = code.filter(|_| is_epsg).map(Crs::Epsg);
        Ok(code.or(crs_of_wkt(&row.get::<_, String>(2)?)))
    });
    Ok(found.optional()?.flatten())
}

fn add_table(
    db: &Connection,
    table: &Table,
    layer: &mut VectorLayer,
    attributes: &mut u64,
) -> Result<(), Problem> {
    check(db, &table.name)?;
    let names = columns_of(db, table)?;
    if names.iter().any(|name| name.len() > MAX_NAME_BYTES) {
        return Err(Problem::Contents("a column's name is too long".to_owned()));
    }
    let is_geometry = |name: &String| name.eq_ignore_ascii_case(&table.geometry_column);
    let geometry_column = names.iter().position(is_geometry).ok_or_else(|| {
        let column = &table.geometry_column;
        Problem::Contents(format!(
            "the table “{}” has no column “{column}”",
            table.name
        ))
    })?;
    let columns: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let query = format!("SELECT {} FROM {}", columns.join(", "), quoted(&table.name));
    let mut statement = db.prepare(&query)?;
    let mut rows = statement.query([])?;
    let mut number = 0_u64;
    while let Some(row) = rows.next()? {
        number += 1;
        let parts = match row.get_ref(geometry_column)? {
            ValueRef::Blob(blob) => parts_of_blob(blob).map_err(|reason| {
                Problem::Contents(format!("row {number} of “{}”: {reason}", table.name))
            })?,
            _ => Vec::new(),
        };
        let properties = properties_of(row, &names)?;
        *attributes += properties.len() as u64;
        if *attributes > MAX_ATTRIBUTES {
            let reason = "it has more than a hundred million attributes".to_owned();
            return Err(Problem::Contents(reason));
        }
        layer.add(parts, properties);
    }
    Ok(())
}

/// The columns that are stored. Computed ones are left out: what they compute may take forever.
fn columns_of(db: &Connection, table: &Table) -> Result<Vec<String>, Problem> {
    let mut statement = db.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0")?;
    let names = statement.query_map([&table.name], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// All columns with numbers and texts.
fn properties_of(row: &Row<'_>, names: &[String]) -> Result<Map<String, Value>, Problem> {
    let mut properties = Map::new();
    for (index, name) in names.iter().enumerate() {
        let value = match row.get_ref(index)? {
            ValueRef::Integer(value) => Value::from(value),
            ValueRef::Real(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
            ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
            ValueRef::Null | ValueRef::Blob(_) => continue,
        };
        properties.insert(name.clone(), value);
    }
    Ok(properties)
}

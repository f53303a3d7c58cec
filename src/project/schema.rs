use rusqlite::Connection;

/// `OBru`: tells a project from any other SQLite file.
pub(super) const APPLICATION_ID: i32 = 0x4f42_7275;

/// Counts changes of the tables; a file of a later version is refused.
pub(super) const VERSION: i32 = 3;

/// Tables of a new project. All numbers that name a state are marks of the label's history.
const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE image (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,     -- below the project's folder where possible, with /
    status TEXT NOT NULL DEFAULT 'new',
    score REAL
);

CREATE TABLE layer (
    id INTEGER PRIMARY KEY,
    image INTEGER NOT NULL UNIQUE REFERENCES image(id),
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    source TEXT,                   -- the mask file it came from or was saved to,
    source_bytes INTEGER,          -- which had this size
    source_time INTEGER,           -- and this time (ns since 1970) then
    needs_source INTEGER NOT NULL, -- 1: ground without tiles is that of the mask file
    base_mark INTEGER NOT NULL,    -- the state before the oldest edit
    cursor INTEGER NOT NULL,       -- the state that the tiles are in
    next_mark INTEGER NOT NULL,    -- the first mark that was never used
    saved INTEGER                  -- the state that the mask file is in
);

CREATE TABLE tile (
    layer INTEGER NOT NULL,
    col INTEGER NOT NULL,
    row INTEGER NOT NULL,
    data BLOB NOT NULL,
    crc INTEGER NOT NULL,          -- crc32c of the numbers before and the data
    PRIMARY KEY (layer, row, col)
);

CREATE TABLE edit (
    layer INTEGER NOT NULL,
    mark INTEGER NOT NULL,         -- the state it leads to
    time_ms INTEGER NOT NULL,      -- since 1970, UTC
    data BLOB NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (layer, mark)
);
";

/// What version 2 has besides: who made a label, coverage and bookmarks.
const SINCE_2: &str = "
ALTER TABLE tile ADD COLUMN origin BLOB; -- NULL: all came from a file; part of the crc otherwise

-- Models whose predictions were accepted, in the order of their numbers as origins.
CREATE TABLE model (place INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- Cells of the coverage grid that somebody said something about.
CREATE TABLE cell (
    image INTEGER NOT NULL,
    col INTEGER NOT NULL,
    row INTEGER NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (image, row, col)
) WITHOUT ROWID;

CREATE TABLE bookmark (
    image INTEGER NOT NULL,
    name TEXT NOT NULL,
    x REAL NOT NULL,               -- level-0 pixels
    y REAL NOT NULL,
    scale REAL NOT NULL,           -- screen points a level-0 pixel
    PRIMARY KEY (image, name)
) WITHOUT ROWID;
";

/// What version 3 has besides: points of a map that somebody looks at.
const SINCE_3: &str = "
CREATE TABLE map_check (
    image INTEGER PRIMARY KEY,
    data TEXT NOT NULL             -- JSON: strata and points with what was seen
);
";

/// Makes the tables of a new project in one transaction.
pub(super) fn create(db: &mut Connection) -> rusqlite::Result<()> {
    // Takes effect only before the first table is made.
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    let transaction = db.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute_batch(SINCE_2)?;
    transaction.execute_batch(SINCE_3)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Brings a project of an earlier version to this one, all or nothing.
pub(super) fn migrate(db: &mut Connection, from: i32) -> rusqlite::Result<()> {
    if from >= VERSION {
        return Ok(());
    }
    let transaction = db.transaction()?;
    if from < 2 {
        transaction.execute_batch(SINCE_2)?;
    }
    if from < 3 {
        transaction.execute_batch(SINCE_3)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// What every connection that writes is set to: a commit that returned is on the disk.
pub(super) fn make_durable(db: &Connection) -> rusqlite::Result<()> {
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    tracing::debug!("the project file's journal is {mode}");
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")
}

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Records of one length by number: in memory while there is room, then in a file without a name,
/// which the system removes when the program lets go of it, however it ends.
///
/// What is not kept any more, or cannot be read back, is as if it had never been kept.
#[derive(Debug)]
pub(super) struct Store {
    record_bytes: usize,
    most_in_memory: u64,
    most_on_disk: u64,
    places: HashMap<u64, Place>,
    folder: PathBuf,
    disk: Disk,
}

#[derive(Debug)]
enum Place {
    Memory(Box<[u8]>),
    /// The record's number in the file.
    Disk(u64),
}

#[derive(Debug)]
enum Disk {
    /// Nothing was written yet.
    Unused,
    /// A file of so many records.
    Open(File, u64),
    /// The disk refused; it is not asked again.
    Refused,
}

impl Store {
    /// An empty store for records of `record_bytes` (at least 1) bytes each, which takes no more
    /// than `memory_bytes` and, in a file in `folder`, `disk_bytes`.
    pub(super) fn new(
        record_bytes: usize,
        memory_bytes: u64,
        disk_bytes: u64,
        folder: &Path,
    ) -> Self {
        let record = record_bytes.max(1) as u64;
        Self {
            record_bytes,
            most_in_memory: memory_bytes / record,
            most_on_disk: disk_bytes / record,
            places: HashMap::new(),
            folder: folder.to_owned(),
            disk: Disk::Unused,
        }
    }

    /// Records that fit.
    pub(super) const fn capacity(&self) -> u64 {
        self.most_in_memory.saturating_add(self.most_on_disk)
    }

    /// Bytes in memory and on the disk of so many records, as far as they fit.
    pub(super) fn shared_out(&self, records: u64) -> [u64; 2] {
        let in_memory = records.min(self.most_in_memory);
        let on_disk = (records - in_memory).min(self.most_on_disk);
        [in_memory, on_disk].map(|records| records * self.record_bytes as u64)
    }

    /// Bytes of the records in memory.
    #[cfg(test)]
    pub(super) fn bytes_in_memory(&self) -> u64 {
        self.in_memory() * self.record_bytes as u64
    }

    /// Bytes of the file.
    #[cfg(test)]
    pub(super) fn bytes_on_disk(&self) -> u64 {
        self.on_disk() * self.record_bytes as u64
    }

    /// Records that are kept.
    pub(super) fn len(&self) -> u64 {
        self.places.len() as u64
    }

    fn in_memory(&self) -> u64 {
        self.len() - self.on_disk()
    }

    const fn on_disk(&self) -> u64 {
        match &self.disk {
            Disk::Open(_, records) => *records,
            Disk::Unused | Disk::Refused => 0,
        }
    }

    /// The record of `number`, if it is kept.
    pub(super) fn read(&mut self, number: u64) -> Option<Box<[u8]>> {
        let at = match self.places.get(&number)? {
            Place::Memory(record) => return Some(record.clone()),
            Place::Disk(at) => *at,
        };
        let Disk::Open(file, _) = &mut self.disk else {
            return None;
        };
        let mut record = vec![0; self.record_bytes].into_boxed_slice();
        match read_at(file, at * self.record_bytes as u64, &mut record) {
            Ok(()) => Some(record),
            Err(error) => {
                tracing::warn!("Kept features cannot be read back ({error}); they are made anew");
                None
            }
        }
    }

    /// Keeps a record of the right length under `number`, if there is room; one that is kept stays.
    pub(super) fn keep(&mut self, number: u64, record: &[u8]) {
        if record.len() != self.record_bytes || self.places.contains_key(&number) {
            return;
        }
        if self.in_memory() < self.most_in_memory {
            self.places.insert(number, Place::Memory(record.into()));
        } else if self.on_disk() < self.most_on_disk {
            match self.append(record) {
                Ok(Some(at)) => {
                    self.places.insert(number, Place::Disk(at));
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(
                        "Features cannot be kept on the disk ({error}), so they are made anew each \
                         time: {}",
                        self.folder.display()
                    );
                    self.places
                        .retain(|_, place| matches!(place, Place::Memory(_)));
                    self.disk = Disk::Refused;
                }
            }
        }
    }

    /// Writes behind what there is and says which record it was; none when the disk refused before.
    fn append(&mut self, record: &[u8]) -> io::Result<Option<u64>> {
        if matches!(self.disk, Disk::Unused) {
            self.disk = Disk::Open(tempfile::tempfile_in(&self.folder)?, 0);
        }
        let Disk::Open(file, records) = &mut self.disk else {
            return Ok(None);
        };
        let at = *records;
        file.seek(SeekFrom::Start(at * record.len() as u64))?;
        file.write_all(record)?;
        *records += 1;
        Ok(Some(at))
    }
}

fn read_at(file: &mut File, at: u64, record: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64) -> Vec<u8> {
        (0..10).map(|at| (number * 31 + at) as u8).collect()
    }

    #[test]
    fn records_come_back_from_memory_and_from_the_disk_within_their_bounds() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::new(10, 39, 50, folder.path());
        assert_eq!(store.capacity(), 8);
        for (records, expected) in [(2, [20, 0]), (5, [30, 20]), (99, [30, 50])] {
            assert_eq!(store.shared_out(records), expected);
        }
        for number in 0..12 {
            assert!(store.read(number).is_none());
            store.keep(number, &record(number));
            store.keep(number, &record(99));
        }
        assert_eq!((store.bytes_in_memory(), store.bytes_on_disk()), (30, 50));
        for number in (0..12).rev() {
            let expected = (number < 8).then(|| record(number).into_boxed_slice());
            assert_eq!(store.read(number), expected, "{number}");
        }
        store.keep(50, &[1, 2]);
        assert!(store.read(50).is_none());
    }

    #[test]
    fn the_file_has_no_name_that_could_be_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::new(10, 0, 1000, folder.path());
        store.keep(1, &record(1));
        assert_eq!(store.read(1).as_deref(), Some(&record(1)[..]));
        if cfg!(unix) {
            let entries = std::fs::read_dir(folder.path()).expect("a folder");
            assert_eq!(entries.count(), 0);
        }
    }

    #[test]
    fn a_disk_that_refuses_costs_time_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::new(10, 10, 1000, &folder.path().join("is not there"));
        for number in 0..3 {
            store.keep(number, &record(number));
        }
        assert_eq!(store.read(0).as_deref(), Some(&record(0)[..]));
        assert!(store.read(1).is_none() && store.read(2).is_none());
    }
}

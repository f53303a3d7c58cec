use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::bounded::read_bounded;
use crate::disk::{replace_file, utc_of};
use crate::nn::simd_bits;
use crate::train::TrainError;

/// Name of the file in a run folder.
pub(super) const ENVIRONMENT_FILE: &str = "environment.json";

/// Where and on what a run was made. What a file leaves out is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// Version of the program.
    pub program_version: String,
    /// The library that computed, with its version.
    pub engine: String,
    /// The operating system and its processor, like `linux x86_64`.
    pub system: String,
    /// Processors that the program may use.
    pub num_cpus: usize,
    /// How wide the processor's registers are that sums are made in; 0: unknown. The last bits of
    /// sums depend on it.
    pub simd_bits: usize,
    /// The name of the device that computed.
    pub device: String,
    /// The device's driver with its version; empty for a processor.
    pub driver: String,
    /// A number of the images and labels: another for other data.
    pub data_fingerprint: String,
    /// When the run began (ISO 8601, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began: Option<String>,
}

/// A file of this program is far smaller.
const MOST_BYTES: u64 = 1 << 20;

/// What tensors are computed with; a test holds it against the manifest.
const ENGINE: &str = "burn 0.22.1";

impl Environment {
    /// This program on this system; `num_cpus`, the device with its driver and the data are said by
    /// whoever knows them.
    pub fn of_program(
        num_cpus: usize,
        [device, driver]: [&str; 2],
        data_fingerprint: &str,
    ) -> Self {
        Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: ENGINE.to_owned(),
            driver: driver.to_owned(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            num_cpus,
            simd_bits: simd_bits(),
            device: device.to_owned(),
            data_fingerprint: data_fingerprint.to_owned(),
            began: None,
        }
    }

    /// The same for a run that begins at `time`.
    #[must_use]
    pub fn beginning(mut self, time: Option<SystemTime>) -> Self {
        self.began = time.map(utc_of);
        self
    }

    /// Where the run in `folder` began, as far as that can be read.
    pub(in crate::train) fn of_run(folder: &Path) -> Option<Self> {
        let bytes = read_bounded(&folder.join(ENVIRONMENT_FILE), MOST_BYTES).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// What it means that a run that began here goes on with registers of `simd_bits`, for the
    /// user; `None` where they are as wide, or it is not known how wide they were.
    pub(in crate::train) fn other_sums(&self, simd_bits: usize) -> Option<String> {
        let before = self.simd_bits;
        (before != 0 && before != simd_bits).then(|| {
            format!(
                "The run began on a processor that adds up numbers in registers of {before} bits, \
                 this one has {simd_bits}: sums differ in their last bits, so it will not end to \
                 the last bit as it would have there, but as well"
            )
        })
    }

    /// Writes `environment.json` into the run folder, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let mut text = serde_json::to_string_pretty(self).expect("words and numbers become JSON");
        text.push('\n');
        Ok(replace_file(
            &folder.join(ENVIRONMENT_FILE),
            text.as_bytes(),
        )?)
    }

    /// Names and values in the order to read them; what is unknown is left out.
    pub(in crate::train) fn lines(&self) -> Vec<(&'static str, String)> {
        let cpus = if self.num_cpus == 0 {
            String::new()
        } else {
            self.num_cpus.to_string()
        };
        let simd = match self.simd_bits {
            0 => String::new(),
            bits => format!("{bits} bits"),
        };
        let lines = [
            ("Program", self.program_version.clone()),
            ("Engine", self.engine.clone()),
            ("System", self.system.clone()),
            ("Processors", cpus),
            ("SIMD width", simd),
            ("Device", self.device.clone()),
            ("Driver", self.driver.clone()),
            ("Data fingerprint", self.data_fingerprint.clone()),
            ("Began", self.began.clone().unwrap_or_default()),
        ];
        lines
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn an_environment_survives_its_file_and_older_ones_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let written = Environment::of_program(8, ["cpu", ""], "1a2b").beginning(Some(UNIX_EPOCH));
        assert_eq!(written.began.as_deref(), Some("1970-01-01T00:00:00.000Z"));
        written.save(folder.path()).expect("written");
        assert_eq!(Environment::of_run(folder.path()).as_ref(), Some(&written));
        let text = std::fs::read_to_string(folder.path().join(ENVIRONMENT_FILE)).expect("written");
        assert_eq!(
            serde_json::from_str::<Environment>(&text).ok(),
            Some(written)
        );
        let older: Environment = serde_json::from_str("{\"device\": \"gpu\"}").expect("a part");
        assert_eq!(older.lines(), [("Device", "gpu".to_owned())]);
        assert_eq!(Environment::of_run(&folder.path().join("none")), None);
    }

    #[test]
    fn registers_of_another_width_are_told() {
        let of_width = |simd_bits| Environment {
            simd_bits,
            ..Environment::default()
        };
        assert_eq!(of_width(256).other_sums(256), None);
        // Runs of earlier versions do not say.
        assert_eq!(of_width(0).other_sums(512), None);
        let words = of_width(512).other_sums(256).expect("a change");
        assert!(words.contains("of 512 bits, this one has 256"), "{words}");
    }

    #[test]
    fn the_engine_is_that_of_the_manifest() {
        let manifest = include_str!("../../../Cargo.toml");
        let (name, version) = ENGINE.split_once(' ').expect("a name and a version");
        let line = format!("{name} = {{ version = \"={version}\"");
        assert!(manifest.contains(&line), "{line}");
    }
}

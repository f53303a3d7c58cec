//! How much memory there is and how much was used, where the system says so.

use std::fs;

/// Bytes of main memory that can still be had: what the system offers, or what is left of the limit
/// of this process's group. `None` where neither is known.
pub(super) fn available_bytes() -> Option<u64> {
    let text = |path: &str| fs::read_to_string(path).ok();
    let free = text("/proc/meminfo").and_then(|text| kilobytes(&text, "MemAvailable"));
    let group = || {
        let limit = text("/sys/fs/cgroup/memory.max")?.trim().parse::<u64>();
        let used = text("/sys/fs/cgroup/memory.current")?.trim().parse::<u64>();
        let stat = text("/sys/fs/cgroup/memory.stat")?;
        Some(left_of(limit.ok()?, used.ok()?, &stat))
    };
    [free, group()].into_iter().flatten().min()
}

/// Bytes of main memory that there are, or that this process's group may take.
pub(super) fn total_bytes() -> Option<u64> {
    let text = |path: &str| fs::read_to_string(path).ok();
    let there = text("/proc/meminfo").and_then(|text| kilobytes(&text, "MemTotal"));
    let limit = || {
        text("/sys/fs/cgroup/memory.max")?
            .trim()
            .parse::<u64>()
            .ok()
    };
    [there, limit()].into_iter().flatten().min()
}

/// The most bytes of main memory that this process ever held; `None` where that is not known.
pub(super) fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    kilobytes(&status, "VmHWM")
}

/// What this process held of main memory before something that takes more.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemoryBefore {
    held: u64,
    peak: u64,
}

impl MemoryBefore {
    /// What it holds now; `None` where that is not known.
    pub(super) fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        Some(Self {
            held: kilobytes(&status, "VmRSS")?,
            peak: kilobytes(&status, "VmHWM")?,
        })
    }

    /// How much more it held at most since, when its peak is `peak` now; `None` where it had held
    /// as much before.
    pub(super) fn rise_to(self, peak: u64) -> Option<u64> {
        (peak > self.peak).then(|| peak.saturating_sub(self.held))
    }
}

/// The value of the line `name: … kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let of_line = |line: &str| {
        let value = line.strip_prefix(name)?.strip_prefix(':')?;
        let number = value.trim().strip_suffix("kB")?;
        number.trim_end().parse::<u64>().ok()?.checked_mul(1024)
    };
    text.lines().find_map(of_line)
}

/// What a group may still take; pages of files that nobody reads are given back when asked for.
fn left_of(limit: u64, used: u64, stat: &str) -> u64 {
    let of_files = stat
        .lines()
        .find_map(|line| line.strip_prefix("inactive_file ")?.parse().ok());
    limit.saturating_sub(used.saturating_sub(of_files.unwrap_or(0)))
}

/// An amount of memory as people say it.
pub(super) fn in_words(bytes: u64) -> String {
    const MIB: f64 = 1_048_576.0;
    let mib = bytes as f64 / MIB;
    match mib {
        ..1.0 => format!("{} KiB", bytes.div_ceil(1024)),
        ..1000.0 => format!("{mib:.0} MiB"),
        _ => format!("{:.1} GiB", mib / 1024.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_tables_are_read() {
        let text = "MemFree:  5 kB\nMemAvailable:    2048 kB\nVmHWMX: 1 kB\nVmHWM:\t12 kB\n";
        assert_eq!(kilobytes(text, "MemAvailable"), Some(2 << 20));
        assert_eq!(kilobytes(text, "VmHWM"), Some(12 << 10));
        assert_eq!(kilobytes(text, "Mem"), None);
        assert_eq!(kilobytes("VmHWM: many kB", "VmHWM"), None);
    }

    #[test]
    fn only_a_new_peak_says_what_was_taken() {
        let before = MemoryBefore { held: 40, peak: 60 };
        assert_eq!(before.rise_to(60), None);
        assert_eq!(before.rise_to(70), Some(30));
    }

    #[test]
    fn files_in_memory_are_not_in_the_way() {
        assert_eq!(left_of(100, 80, "anon 50\ninactive_file 30\n"), 50);
        assert_eq!(left_of(100, 180, ""), 0);
    }

    #[test]
    fn amounts_have_units() {
        let cases = [
            (1, "1 KiB"),
            (5 << 20, "5 MiB"),
            (1000 << 20, "1.0 GiB"),
            (9 << 30, "9.0 GiB"),
        ];
        for (bytes, words) in cases {
            assert_eq!(in_words(bytes), words);
        }
    }
}

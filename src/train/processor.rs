//! What the processor is called and how much of it there is.

use std::fs;
use std::sync::LazyLock;

use super::memory::{in_words, total_bytes};

/// The processor as a device is called: `CPU (AMD EPYC 9B14, 2 cores, 7.8 GiB)`; what the system
/// does not say is left out.
pub(super) fn processor_name() -> String {
    static MODEL: LazyLock<Option<String>> = LazyLock::new(model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    named(MODEL.as_deref(), cores, total_bytes())
}

fn named(model: Option<&str>, cores: usize, bytes: Option<u64>) -> String {
    let noun = if cores == 1 { "core" } else { "cores" };
    let cores = format!("{cores} {noun}");
    let facts = [model.map(str::to_owned), Some(cores), bytes.map(in_words)];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    format!("CPU ({})", facts.join(", "))
}

/// What the maker calls the processor.
fn model() -> Option<String> {
    let told = fs::read_to_string("/proc/cpuinfo").ok();
    let told = told.as_deref().and_then(model_in).map(str::to_owned);
    let name = told.or_else(model_by_itself)?;
    let name: Vec<&str> = name.split_whitespace().collect();
    (!name.is_empty()).then(|| name.join(" "))
}

/// The name in the text of `/proc/cpuinfo`.
fn model_in(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start().strip_prefix(':')?.trim())
}

/// What the processor says of itself.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn model_by_itself() -> Option<String> {
    let brand = raw_cpuid::CpuId::new().get_processor_brand_string()?;
    Some(brand.as_str().to_owned())
}

/// Others do not.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
const fn model_by_itself() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_what_is_known() {
        let model = Some("AMD EPYC 9B14");
        assert_eq!(
            named(model, 2, Some(8 << 30)),
            "CPU (AMD EPYC 9B14, 2 cores, 8.0 GiB)"
        );
        assert_eq!(named(None, 1, None), "CPU (1 core)");
        assert!(processor_name().starts_with("CPU ("));
    }

    #[test]
    fn the_system_s_table_is_read() {
        let text = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: Some  CPU @ 2 GHz\n";
        assert_eq!(model_in(text), Some("Some  CPU @ 2 GHz"));
        assert_eq!(model_in("Hardware : BCM2711\n"), None);
    }
}

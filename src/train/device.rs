use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::adapters::{Adapter, AdapterReport, list_adapters};
use super::processor::processor_name;
use super::self_test::{Workload, agrees_with_cpu};
use crate::job::fenced;

/// Where to compute, as the user said it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum DeviceChoice {
    /// A graphics card that computes right, else the CPU.
    #[default]
    Auto,
    /// A graphics card, or an error.
    Gpu,
    /// The CPU.
    Cpu,
    /// The adapter whose name contains this, whatever it is, or an error.
    Named(String),
}

impl FromStr for DeviceChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "" | "auto" => Self::Auto,
            "gpu" => Self::Gpu,
            "cpu" => Self::Cpu,
            _ => Self::Named(text.trim().to_owned()),
        })
    }
}

impl From<String> for DeviceChoice {
    fn from(text: String) -> Self {
        let Ok(choice) = text.parse();
        choice
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
            Self::Named(name) => name,
        })
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

/// What there is to compute on; `doctor` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceReport {
    /// All graphics adapters, software ones included.
    pub adapters: Vec<AdapterReport>,
    /// Threads that the CPU computes with.
    pub cpu_threads: usize,
    /// The device that `auto` takes.
    pub chosen: String,
    /// Why, in a sentence for the user.
    pub reason: String,
}

/// The device to compute on and why.
#[derive(Clone, Debug)]
pub(super) struct ChosenDevice {
    pub(super) device: Device,
    pub(super) name: String,
    /// The driver's name and version; empty for the processor.
    pub(super) driver: String,
    pub(super) reason: String,
}

impl ChosenDevice {
    /// Whether it computes in main memory.
    pub(super) fn is_cpu(&self) -> bool {
        self.device == Device::flex()
    }
}

/// Burn opens an adapter once in a process; whoever comes later gets the same device.
static OPENED: Mutex<Vec<Opened>> = Mutex::new(Vec::new());

struct Opened {
    adapter: Adapter,
    device: Device,
    /// What the device was tested with and computed right.
    passed: Vec<Workload>,
}

/// GPU work sent ahead in one go; small, so that the window's own drawing is not held up.
const TASKS_AHEAD: usize = 16;

/// Picks the device for `workload` as `choice` says.
///
/// # Errors
/// [`TrainError::Device`] when a graphics card or a named adapter is asked for and cannot be had.
pub(super) fn choose(
    choice: &DeviceChoice,
    workload: &Workload,
) -> Result<ChosenDevice, TrainError> {
    if *choice == DeviceChoice::Cpu {
        return Ok(cpu("The CPU was asked for".to_owned()));
    }
    let adapters = fenced(list_adapters).unwrap_or_default();
    choose_among(choice, &adapters, |adapter| opened(adapter, workload))
}

/// The rule without the hardware: `open` tries an adapter.
fn choose_among(
    choice: &DeviceChoice,
    adapters: &[Adapter],
    mut open: impl FnMut(&Adapter) -> Result<Device, String>,
) -> Result<ChosenDevice, TrainError> {
    let wanted = |adapter: &&Adapter| match choice {
        DeviceChoice::Named(name) => adapter
            .report
            .name
            .to_lowercase()
            .contains(&name.to_lowercase()),
        _ => adapter.is_hardware(),
    };
    let mut failures = Vec::new();
    for adapter in adapters.iter().filter(wanted) {
        let name = &adapter.report.name;
        match open(adapter) {
            Ok(device) => {
                let reason = format!("{name} computes the same as the CPU in a short test");
                return Ok(ChosenDevice {
                    device,
                    name: name.clone(),
                    driver: adapter.report.driver.clone(),
                    reason,
                });
            }
            Err(why) => failures.push(format!("{name} cannot be used: {why}")),
        }
    }
    let why = if failures.is_empty() {
        none_found(choice, adapters)
    } else {
        failures.join("; ")
    };
    match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(cpu(format!("{why}, so the CPU is used"))),
        DeviceChoice::Gpu | DeviceChoice::Named(_) => Err(TrainError::Device(format!(
            "{why}; choose another device, for example cpu"
        ))),
    }
}

fn none_found(choice: &DeviceChoice, adapters: &[Adapter]) -> String {
    let names: Vec<&str> = adapters
        .iter()
        .map(|adapter| adapter.report.name.as_str())
        .collect();
    match choice {
        DeviceChoice::Named(name) if names.is_empty() => {
            format!("There is no graphics adapter, so none is named \"{name}\"")
        }
        DeviceChoice::Named(name) => {
            format!(
                "No graphics adapter is named \"{name}\"; there are {}",
                names.join(", ")
            )
        }
        _ if names.is_empty() => "There is no graphics card".to_owned(),
        _ => format!(
            "There is no graphics card, only a software adapter ({})",
            names.join(", ")
        ),
    }
}

/// The processor itself.
pub(super) fn cpu(reason: String) -> ChosenDevice {
    ChosenDevice {
        device: Device::flex(),
        name: processor_name(),
        driver: String::new(),
        reason,
    }
}

fn opened(adapter: &Adapter, workload: &Workload) -> Result<Device, String> {
    let mut all = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = all.iter().position(|opened| opened.adapter == *adapter);
    let at = known.unwrap_or(all.len());
    if known.is_none() {
        let device = open(adapter)?;
        all.push(Opened {
            adapter: adapter.clone(),
            device,
            passed: Vec::new(),
        });
    }
    let opened = &mut all[at];
    if !opened.passed.contains(workload) {
        fenced(|| agrees_with_cpu(&opened.device, workload))??;
        opened.passed.push(workload.clone());
    }
    Ok(opened.device.clone())
}

fn open(adapter: &Adapter) -> Result<Device, String> {
    let options = Device::wgpu_options()
        .device_kind(adapter.kind.clone())
        .graphics_api(adapter.api)
        .tasks_max(TASKS_AHEAD);
    fenced(|| options.init())?.map_err(|error| error.to_string())
}

/// What there is to compute on.
///
/// # Errors
/// Never on account of missing hardware.
pub(super) fn report(workload: &Workload) -> Result<DeviceReport, TrainError> {
    let adapters = fenced(list_adapters).unwrap_or_default();
    let chosen = choose_among(&DeviceChoice::Auto, &adapters, |adapter| {
        opened(adapter, workload)
    })?;
    Ok(DeviceReport {
        adapters: adapters.into_iter().map(|adapter| adapter.report).collect(),
        cpu_threads: rayon::current_num_threads(),
        chosen: chosen.name,
        reason: chosen.reason,
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::DeviceKind;
    use burn::tensor::wgpu::WgpuBackend;

    use super::super::adapters::AdapterKind;
    use super::*;

    fn adapter(name: &str, kind: AdapterKind) -> Adapter {
        Adapter {
            report: AdapterReport {
                name: name.to_owned(),
                kind,
                api: "vulkan".to_owned(),
                driver: String::new(),
            },
            kind: DeviceKind::DiscreteGpu(0),
            api: WgpuBackend::Vulkan,
        }
    }

    /// The name of what is chosen and the reason, or the error; adapters named "bad…" fail.
    fn chosen(choice: &str, adapters: &[Adapter]) -> Result<(String, String), String> {
        let choice = choice.parse().expect("any text is a choice");
        let open = |adapter: &Adapter| {
            let is_bad = adapter.report.name.starts_with("bad");
            if is_bad {
                Err("its loss differs from the CPU's".to_owned())
            } else {
                Ok(Device::flex())
            }
        };
        choose_among(&choice, adapters, open)
            .map(|chosen| (chosen.name, chosen.reason))
            .map_err(|error| error.to_string())
    }

    fn is_cpu(name: &str) -> bool {
        name.starts_with("CPU (")
    }

    #[test]
    fn a_card_that_computes_right_is_taken() {
        let adapters = [
            adapter("bad card", AdapterKind::Discrete),
            adapter("card", AdapterKind::Integrated),
        ];
        assert_eq!(chosen("auto", &adapters).expect("a device").0, "card");
        assert_eq!(chosen("gpu", &adapters).expect("a device").0, "card");
        assert_eq!(chosen("CARD", &adapters[1..]).expect("a device").0, "card");
    }

    #[test]
    fn software_is_never_taken_silently() {
        let adapters = [adapter("llvmpipe (LLVM 15)", AdapterKind::Software)];
        let (name, reason) = chosen("auto", &adapters).expect("a device");
        assert!(is_cpu(&name), "{name}");
        assert!(
            reason.contains("llvmpipe") && reason.contains("so the CPU is used"),
            "{reason}"
        );
        assert!(chosen("gpu", &adapters).is_err());
        assert_eq!(
            chosen("llvmpipe", &adapters).expect("a device").0,
            "llvmpipe (LLVM 15)"
        );
    }

    #[test]
    fn the_cpu_stands_in_with_a_reason() {
        assert!(is_cpu(&chosen("auto", &[]).expect("a device").0));
        let (_, reason) =
            chosen("auto", &[adapter("bad card", AdapterKind::Discrete)]).expect("CPU");
        assert!(
            reason.contains("bad card cannot be used: its loss"),
            "{reason}"
        );
        let error =
            chosen("titan", &[adapter("card", AdapterKind::Discrete)]).expect_err("no titan");
        assert!(error.contains("titan") && error.contains("card"), "{error}");
    }

    #[test]
    fn choices_survive_a_file() {
        for text in ["auto", "gpu", "cpu", "NVIDIA H200"] {
            let choice: DeviceChoice = text.parse().expect("any text is a choice");
            assert_eq!(choice.to_string(), text);
        }
    }
}

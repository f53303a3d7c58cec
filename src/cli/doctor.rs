use serde_json::json;

use super::args::DoctorArgs;
use crate::job::{JobEvent, Waker};
use crate::render::list_adapters;
use crate::train::{DeviceReport, Engine};

/// Says which adapters there are, and which device training would use and why.
pub fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let adapters = list_adapters();
    let training = training_device()?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if args.json {
        let report = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "cores": cores,
            "adapters": adapters,
            "training": training,
        });
        say!("{report}");
        return Ok(());
    }
    say!("Orthobrush {}, {cores} cores", env!("CARGO_PKG_VERSION"));
    if adapters.is_empty() {
        say!("No graphics adapter: the window needs a Vulkan driver (see the README)");
    }
    for adapter in &adapters {
        say!(
            "Adapter: {} ({}, {}), textures to {} px, buffers to {} MiB. {}",
            adapter.name,
            adapter.kind,
            adapter.backend,
            adapter.max_texture_side,
            adapter.max_storage_binding_bytes >> 20,
            adapter.driver
        );
    }
    say!("Training uses: {}. {}", training.chosen, training.reason);
    Ok(())
}

fn training_device() -> anyhow::Result<DeviceReport> {
    let engine = Engine::start()?;
    let job = engine.devices(Waker::none());
    let mut report = None;
    loop {
        match job.next_within(std::time::Duration::from_mins(10)) {
            Some(JobEvent::Said(found)) => report = Some(found),
            Some(JobEvent::Failed(why)) => anyhow::bail!(why),
            Some(JobEvent::Finished | JobEvent::Cancelled) => break,
            None => anyhow::bail!("The devices did not answer within ten minutes"),
        }
    }
    report.ok_or_else(|| anyhow::anyhow!("The devices gave no answer"))
}

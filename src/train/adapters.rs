use burn::cubecl::future::block_on;
use burn::tensor::DeviceKind;
use burn::tensor::wgpu::{WgpuBackend, wgpu};
use serde::Serialize;

/// What kind of thing a graphics adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdapterKind {
    /// A card of its own.
    Discrete,
    /// Part of the processor.
    Integrated,
    /// A card lent to a virtual machine.
    Virtual,
    /// A program that pretends to be a card; slower than computing on the processor directly, and
    /// known to give wrong sums.
    Software,
    /// The driver does not say.
    Other,
}

/// One graphics adapter, as `doctor` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdapterReport {
    /// The adapter's name.
    pub name: String,
    /// What kind of thing it is.
    pub kind: AdapterKind,
    /// The graphics interface it was found through, for example `vulkan`.
    pub api: String,
    /// The driver's name and version.
    pub driver: String,
}

/// An adapter and how to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Adapter {
    pub(super) report: AdapterReport,
    pub(super) kind: DeviceKind,
    pub(super) api: WgpuBackend,
}

impl Adapter {
    /// Whether real hardware does the work.
    pub(super) fn is_hardware(&self) -> bool {
        self.report.kind != AdapterKind::Software
    }
}

/// All adapters, best kind first. Opens none of them.
pub(super) fn list_adapters() -> Vec<Adapter> {
    let apis = [
        (WgpuBackend::Metal, wgpu::Backends::METAL),
        (WgpuBackend::Vulkan, wgpu::Backends::VULKAN),
        (WgpuBackend::Dx12, wgpu::Backends::DX12),
    ];
    let mut adapters: Vec<Adapter> = Vec::new();
    for (api, backends) in apis {
        for adapter in adapters_of(api, backends) {
            // One card may be reachable through two interfaces; the first one serves.
            if !adapters
                .iter()
                .any(|known| known.report.name == adapter.report.name && known.api != api)
            {
                adapters.push(adapter);
            }
        }
    }
    adapters.sort_by_key(|adapter| match adapter.report.kind {
        AdapterKind::Discrete => 0,
        AdapterKind::Integrated => 1,
        AdapterKind::Virtual => 2,
        AdapterKind::Other => 3,
        AdapterKind::Software => 4,
    });
    adapters
}

fn adapters_of(api: WgpuBackend, backends: wgpu::Backends) -> Vec<Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let infos: Vec<wgpu::AdapterInfo> = block_on(instance.enumerate_adapters(backends))
        .iter()
        .map(wgpu::Adapter::get_info)
        .collect();
    numbered(infos.iter().map(|info| info.device_type))
        .into_iter()
        .zip(&infos)
        .filter_map(|(device, info)| {
            let (kind, device) = device?;
            let report = AdapterReport {
                name: info.name.clone(),
                kind,
                api: info.backend.to_str().to_owned(),
                driver: format!("{} {}", info.driver, info.driver_info)
                    .trim()
                    .to_owned(),
            };
            Some(Adapter {
                report,
                kind: device,
                api,
            })
        })
        .collect()
}

/// Burn counts the adapters of each kind for itself. It cannot name those of unknown kind.
fn numbered(
    kinds: impl Iterator<Item = wgpu::DeviceType>,
) -> Vec<Option<(AdapterKind, DeviceKind)>> {
    let (mut discrete, mut integrated, mut virtual_) = (0.., 0.., 0..);
    let next = |counter: &mut std::ops::RangeFrom<usize>| counter.next().unwrap_or_default();
    kinds
        .map(|kind| match kind {
            wgpu::DeviceType::DiscreteGpu => Some((
                AdapterKind::Discrete,
                DeviceKind::DiscreteGpu(next(&mut discrete)),
            )),
            wgpu::DeviceType::IntegratedGpu => Some((
                AdapterKind::Integrated,
                DeviceKind::IntegratedGpu(next(&mut integrated)),
            )),
            wgpu::DeviceType::VirtualGpu => Some((
                AdapterKind::Virtual,
                DeviceKind::VirtualGpu(next(&mut virtual_)),
            )),
            wgpu::DeviceType::Cpu => Some((AdapterKind::Software, DeviceKind::Cpu)),
            wgpu::DeviceType::Other => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted_for_itself() {
        use wgpu::DeviceType::{Cpu, DiscreteGpu, IntegratedGpu, Other};
        let kinds = [IntegratedGpu, DiscreteGpu, Other, DiscreteGpu, Cpu];
        let devices: Vec<Option<DeviceKind>> = numbered(kinds.into_iter())
            .into_iter()
            .map(|found| Some(found?.1))
            .collect();
        assert_eq!(
            devices,
            [
                Some(DeviceKind::IntegratedGpu(0)),
                Some(DeviceKind::DiscreteGpu(0)),
                None,
                Some(DeviceKind::DiscreteGpu(1)),
                Some(DeviceKind::Cpu),
            ]
        );
    }
}

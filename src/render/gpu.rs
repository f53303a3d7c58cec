use egui_wgpu::RenderState;

use crate::geom::ImageSize;

/// No graphics device could be used.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// The system offers no adapter, not even a software one.
    #[error(
        "No graphics adapter was found. Install a Vulkan driver; a machine without a GPU can use \
         software Vulkan (Debian: apt install mesa-vulkan-drivers libvulkan1)"
    )]
    NoAdapter,
    /// An adapter is there and gives no device.
    #[error("The graphics adapter {name} gave no device ({reason}). Update its driver")]
    NoDevice {
        /// The adapter's own name.
        name: String,
        /// What the driver said.
        reason: String,
    },
    /// The device draws no picture of this size.
    #[error(
        "A picture of {size} pixels is more than the graphics adapter {name} draws at once, which \
         is {most_side} to a side and {most_bytes} bytes; choose a smaller size"
    )]
    TooLarge {
        /// What was asked for.
        size: ImageSize,
        /// The adapter's own name.
        name: String,
        /// Columns or rows at most.
        most_side: u32,
        /// Bytes of RGBA8 at most.
        most_bytes: u64,
    },
    /// The picture could not be read back.
    #[error("The picture could not be read back from the graphics device ({0})")]
    ReadBack(String),
}

/// What is known of an adapter without opening it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AdapterSummary {
    /// The adapter's own name.
    pub name: String,
    /// Discrete, integrated, virtual, software or other.
    pub kind: String,
    /// Vulkan, Metal, Dx12 or Gl.
    pub backend: String,
    /// The driver's name and version.
    pub driver: String,
    /// Largest side of a 2-D texture, in pixels.
    pub max_texture_side: u32,
    /// Largest storage buffer one shader may bind, in bytes.
    pub max_storage_binding_bytes: u64,
}

impl AdapterSummary {
    fn of(adapter: &wgpu::Adapter) -> Self {
        let info = adapter.get_info();
        let limits = adapter.limits();
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other => "other",
        };
        Self {
            name: info.name,
            kind: kind.to_owned(),
            backend: format!("{:?}", info.backend),
            driver: format!("{} {}", info.driver, info.driver_info)
                .trim()
                .to_owned(),
            max_texture_side: limits.max_texture_dimension_2d,
            max_storage_binding_bytes: limits.max_storage_buffer_binding_size,
        }
    }

    /// Whether the CPU does the drawing.
    pub fn is_software(&self) -> bool {
        self.kind == "software"
    }
}

/// All adapters of this machine.
pub fn list_adapters() -> Vec<AdapterSummary> {
    let instance = new_instance();
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    adapters.iter().map(AdapterSummary::of).collect()
}

/// A graphics device to draw with: the window's own, or one without a window.
#[derive(Clone, Debug)]
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) target_format: wgpu::TextureFormat,
    summary: AdapterSummary,
}

impl Gpu {
    /// The device that a window draws with.
    pub fn of_window(state: &RenderState) -> Self {
        Self {
            device: state.device.clone(),
            queue: state.queue.clone(),
            target_format: state.target_format,
            summary: AdapterSummary::of(&state.adapter),
        }
    }

    /// A device without a window, for pictures made from the command line.
    ///
    /// # Errors
    /// [`GpuError`] when there is no adapter or it gives no device.
    pub fn headless() -> Result<Self, GpuError> {
        pollster::block_on(async {
            let adapter = new_instance()
                .request_adapter(&wgpu::RequestAdapterOptions::default())
                .await
                .map_err(|_no_reason_worth_showing| GpuError::NoAdapter)?;
            let summary = AdapterSummary::of(&adapter);
            let (device, queue) = adapter
                .request_device(&wgpu::DeviceDescriptor::default())
                .await
                .map_err(|error| GpuError::NoDevice {
                    name: summary.name.clone(),
                    reason: error.to_string(),
                })?;
            let target_format = wgpu::TextureFormat::Rgba8Unorm;
            Ok(Self {
                device,
                queue,
                target_format,
                summary,
            })
        })
    }

    /// What is known of the adapter behind the device.
    pub const fn summary(&self) -> &AdapterSummary {
        &self.summary
    }

    /// Checks that a picture of `size` pixels can be drawn and read back.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] when it cannot.
    pub fn check_picture(&self, size: ImageSize) -> Result<(), GpuError> {
        let limits = self.device.limits();
        let (most_side, most_bytes) = (limits.max_texture_dimension_2d, limits.max_buffer_size);
        let is_within = size.width.max(size.height) <= most_side
            && padded_row(size.width) * u64::from(size.height) <= most_bytes;
        if is_within {
            return Ok(());
        }
        Err(GpuError::TooLarge {
            size,
            name: self.summary.name.clone(),
            most_side,
            most_bytes,
        })
    }

    /// The pixel format that this device's pictures have.
    pub const fn target_format(&self) -> wgpu::TextureFormat {
        self.target_format
    }

    /// The raw device and queue, for those who draw widgets without a window.
    pub const fn raw(&self) -> (&wgpu::Device, &wgpu::Queue) {
        (&self.device, &self.queue)
    }
}

/// Bytes of a row of RGBA8 as it is read back.
pub(super) fn padded_row(width: u32) -> u64 {
    (u64::from(width) * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT.into())
}

fn new_instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env())
}

use std::path::PathBuf;

use super::Stage;
use crate::geom::ImageSize;
use crate::render::Gpu;
use crate::session::{Command, LayerKind};
use crate::ui::PaneLayout;

/// Frames after everything is there: layout settles, toasts and animations come to rest.
const LAST_FRAMES: usize = 4;

/// What the window shows when it is drawn without a display.
#[derive(Clone, Debug)]
pub struct Screenshot {
    /// The image or folder; the welcome screen without.
    pub open: Option<PathBuf>,
    /// A label to open.
    pub label: Option<PathBuf>,
    /// A prediction to open.
    pub prediction: Option<PathBuf>,
    /// How many panes there are.
    pub layout: PaneLayout,
    /// Extent of the window in pixels.
    pub size: ImageSize,
}

impl Screenshot {
    /// Draws the whole window: RGBA8, row by row.
    ///
    /// # Errors
    /// When a file cannot be opened, there is no graphics device, or the picture is not complete
    /// after two minutes.
    pub fn take(&self) -> anyhow::Result<Vec<u8>> {
        let gpu = Gpu::headless()?;
        gpu.check_picture(self.size)?;
        let mut stage = Stage::new(gpu, self.open.clone(), self.size);
        stage.app_mut().view_mut().layout = self.layout;
        stage.settle()?;
        let masks = [
            (LayerKind::Label, &self.label),
            (LayerKind::Prediction, &self.prediction),
        ];
        for (layer, path) in masks {
            if let Some(path) = path.clone() {
                stage
                    .app_mut()
                    .perform(vec![Command::OpenMask { layer, path }]);
                stage.settle()?;
            }
        }
        for _ in 0..LAST_FRAMES {
            stage.frame();
        }
        stage.picture()
    }
}

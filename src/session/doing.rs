use super::{ImageId, JobId};

/// What is being done for the open image or its list, each at most once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doing {
    /// The image that was asked for last; one that was asked for before it comes too late.
    pub opening: Option<ImageId>,
    /// Finds out what a change would do.
    pub previewing: Option<JobId>,
    /// Finds superpixels.
    pub preparing: Option<JobId>,
    /// Selects.
    pub selecting: Option<JobId>,
    /// Saves all labels of the list.
    pub saving_all: Option<JobId>,
    /// Changes the whole label; painting waits for it.
    pub operation: Option<JobId>,
}

/// Why a loss cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LossError {
    /// A number of the loss is outside what works.
    #[error("The loss does not work: {0}")]
    Unusable(String),
    /// Numbers could not be read back from the device.
    #[error("The device stopped answering ({0}); train on the CPU or use smaller patches")]
    Unreadable(String),
}

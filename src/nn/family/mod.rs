//! The families of networks, one file each; see [`Family`] for how to add one.

mod aspp;
mod auxiliary;
mod deeplab;
mod encoder_unet;
mod fcn;
mod fpn;
mod pspnet;
mod segmenter;
mod table;
mod unet;

pub use auxiliary::Auxiliary;
pub use deeplab::DeepLab;
pub use encoder_unet::EncoderUNet;
pub use fcn::Fcn;
pub use fpn::Fpn;
pub use pspnet::PspNet;
pub use segmenter::{Parted, Segmenter};
pub use table::{Family, Network};
pub use unet::UNet;

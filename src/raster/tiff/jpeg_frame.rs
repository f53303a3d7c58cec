use crate::geom::ImageSize;
use crate::raster::error::Fault;

/// What the frame header of a JPEG stream says, and how its first scan begins; read without a
/// decoder, before anything is allocated.
pub(in crate::raster) struct JpegFrame {
    /// The second byte of its marker.
    marker: u8,
    /// Bits of a sample.
    depth: u8,
    pub(in crate::raster) size: ImageSize,
    /// Samples of all components.
    samples: u64,
    components: u8,
    /// Components of the first scan.
    first_scan: u8,
}

impl JpegFrame {
    /// The frame of a stream that begins so; `None` where none is found.
    pub(in crate::raster) fn of(stream: &[u8]) -> Option<Self> {
        let mut rest = stream.strip_prefix(&[0xFF, 0xD8])?;
        let mut frame = None;
        loop {
            let first = rest.iter().position(|&byte| byte == 0xFF)?;
            rest = &rest[first..];
            let name = rest.iter().position(|&byte| byte != 0xFF)?;
            let marker = rest[name];
            rest = &rest[name + 1..];
            if matches!(marker, 0x00 | 0x01 | 0xD0..=0xD8) {
                continue;
            }
            let len = usize::from(u16::from_be_bytes(*rest.first_chunk::<2>()?));
            let body = rest.get(2..len)?;
            match marker {
                // Tables of codes, which are numbered like frames.
                0xC4 | 0xC8 | 0xCC => {}
                0xC0..=0xCF => frame = Some(Self::of_header(marker, body)?),
                0xDA => {
                    let first_scan = *body.first()?;
                    return frame.map(|frame| Self {
                        first_scan,
                        ..frame
                    });
                }
                _ => {}
            }
            // Nothing behind a frame that is not read matters.
            if frame
                .as_ref()
                .is_some_and(|frame| frame.refused().is_some())
            {
                return frame;
            }
            rest = &rest[len..];
        }
    }

    fn of_header(marker: u8, body: &[u8]) -> Option<Self> {
        let &[depth, y0, y1, x0, x1, components] = body.first_chunk::<6>()?;
        let [height, width] = [[y0, y1], [x0, x1]].map(|pair| u32::from(u16::from_be_bytes(pair)));
        let size = ImageSize::new(width, height);
        let parts = body[6..].as_chunks::<3>().0;
        let factors = parts
            .iter()
            .map(|part| (u64::from(part[1] >> 4), u64::from(part[1] & 15)));
        let most_across = factors.clone().map(|(across, _)| across).max()?;
        let most_down = factors.clone().map(|(_, down)| down).max()?;
        let sum: u64 = factors.map(|(across, down)| across * down).sum();
        Some(Self {
            marker,
            depth,
            size,
            samples: size.num_pixels() * sum / (most_across * most_down).max(1),
            components,
            first_scan: components,
        })
    }

    /// What kind of a frame this is, if it is none that is read here.
    fn refused(&self) -> Option<&'static str> {
        match self.marker {
            0xC3 => Some("A lossless JPEG"),
            0xC5..=0xC7 => Some("A hierarchical JPEG"),
            0xC9..=0xCF => Some("A JPEG with arithmetic coding"),
            _ if self.depth == 12 => Some("A JPEG of 12 bits"),
            _ => None,
        }
    }

    /// Fails for a sound stream of a kind that is not read here.
    pub(super) fn check_kind(&self) -> Result<(), Fault> {
        self.refused()
            .map_or(Ok(()), |what| Err(Fault::unsupported(what)))
    }

    /// Whether scans bring the picture bit by bit.
    const fn is_progressive(&self) -> bool {
        self.marker == 0xC2
    }

    /// Bytes that the samples take at least: each block of 8 × 8 has a code of its mean and, where
    /// no later scan brings it, one that says that there is nothing else.
    pub(in crate::raster) const fn least_bytes(&self) -> u64 {
        let codes = if self.is_progressive() { 1 } else { 2 };
        self.samples / 64 * codes / 8
    }

    /// Bytes of what is kept of all blocks until the last scan is read; 0 where one scan has all.
    pub(in crate::raster) const fn kept_bytes(&self) -> u64 {
        if self.is_progressive() || self.first_scan != self.components {
            2 * self.samples
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::tiff::jpeg::{JpegColors, decode_jpeg};

    fn stream(is_progressive: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
        encoder.set_progressive(is_progressive);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
        let colors = jpeg_encoder::ColorType::Rgb;
        encoder.encode(&[90; 32 * 16 * 3], 32, 16, colors).unwrap();
        bytes
    }

    #[test]
    fn a_frame_tells_what_its_blocks_take() {
        let frame = JpegFrame::of(&stream(false)).unwrap();
        assert_eq!(frame.size, ImageSize::new(32, 16));
        // Two blocks of each kind of color beside eight of light.
        assert_eq!((frame.samples, frame.kept_bytes()), (12 * 64, 0));
        assert_eq!(frame.least_bytes(), 3);
        let frame = JpegFrame::of(&stream(true)).unwrap();
        assert_eq!(frame.kept_bytes(), 2 * 12 * 64);
        assert_eq!(frame.least_bytes(), 1);
        assert!(JpegFrame::of(&stream(true)[..40]).is_none());
    }

    #[test]
    fn kinds_that_are_not_read_are_no_damage() {
        let sound = stream(false);
        let at = sound
            .windows(4)
            .position(|marker| marker == [0xFF, 0xC0, 0, 17])
            .unwrap();
        for (marker, expected) in [
            (0xC9, "arithmetic"),
            (0xCA, "arithmetic"),
            (0xCB, "arithmetic"),
            (0xCE, "arithmetic"),
            (0xC3, "lossless"),
        ] {
            let mut other = sound.clone();
            other[at + 1] = marker;
            let Err(fault) = decode_jpeg(&other, JpegColors::Rgb, |_| Ok(())) else {
                panic!("{marker:x} was read");
            };
            let told = fault.on_read(std::path::Path::new("a.tif")).to_string();
            assert!(told.contains(expected), "{told}");
            assert!(told.contains("gdal_translate"), "{told}");
            assert!(!told.contains("damaged"), "{told}");
        }
        assert!(decode_jpeg(&sound, JpegColors::Rgb, |_| Ok(())).is_ok());
    }
}

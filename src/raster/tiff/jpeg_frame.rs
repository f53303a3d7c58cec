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
    pub(super) parts: Vec<Part>,
    /// Components of the first scan.
    first_scan: usize,
    /// Where the codes of the first scan begin.
    pub(super) scan_at: usize,
}

/// A component.
pub(super) struct Part {
    pub(super) id: u8,
    /// Blocks across and down of it in a group of blocks of all components.
    factors: [u32; 2],
}

impl Part {
    /// Blocks of it in a group of all components.
    pub(super) fn blocks(&self) -> u64 {
        let [across, down] = self.factors.map(u64::from);
        across * down
    }
}

/// The marked parts of a JPEG stream: the second byte of the marker, the body, and where what
/// follows begins. Behind a scan that is the first marker in its data or behind them.
pub(super) fn segments(stream: &[u8]) -> impl Iterator<Item = (u8, &[u8], usize)> {
    let mut at = 2;
    std::iter::from_fn(move || {
        let found = segment_at(stream, at)?;
        at = found.2;
        Some(found)
    })
}

/// The first marked part from here on, as of [`segments`].
pub(super) fn segment_at(stream: &[u8], mut at: usize) -> Option<(u8, &[u8], usize)> {
    loop {
        let first = stream.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
        let fill = stream[at + first..].iter().position(|&byte| byte != 0xFF)?;
        let marker = stream[at + first + fill];
        at += first + fill + 1;
        match marker {
            0x00 | 0x01 | 0xD0..=0xD8 => {}
            // The end of the image; what follows may be another.
            0xD9 => return None,
            _ => {
                let len = usize::from(u16::from_be_bytes(*stream[at..].first_chunk::<2>()?));
                let body = stream[at..].get(2..len)?;
                return Some((marker, body, at + len));
            }
        }
    }
}

impl JpegFrame {
    /// The frame of a stream that begins so; `None` where none is found.
    pub(in crate::raster) fn of(stream: &[u8]) -> Option<Self> {
        stream.strip_prefix(&[0xFF, 0xD8])?;
        let mut frame: Option<Self> = None;
        for (marker, body, end) in segments(stream) {
            match marker {
                // Tables of codes, which are numbered like frames.
                0xC4 | 0xC8 | 0xCC => {}
                0xC0..=0xCF => frame = Some(Self::of_header(marker, body)?),
                0xDA => {
                    let first_scan = usize::from(*body.first()?);
                    return frame.map(|frame| Self {
                        first_scan,
                        scan_at: end,
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
        }
        None
    }

    fn of_header(marker: u8, body: &[u8]) -> Option<Self> {
        let &[depth, y0, y1, x0, x1, _] = body.first_chunk::<6>()?;
        let [height, width] = [[y0, y1], [x0, x1]].map(|pair| u32::from(u16::from_be_bytes(pair)));
        let parts = body[6..].as_chunks::<3>().0.iter();
        let parts: Vec<Part> = parts
            .map(|&[id, factors, _]| Part {
                id,
                factors: [factors >> 4, factors & 15].map(u32::from),
            })
            .collect();
        (!parts.is_empty()).then(|| Self {
            marker,
            depth,
            size: ImageSize::new(width, height),
            first_scan: parts.len(),
            parts,
            scan_at: 0,
        })
    }

    /// The most blocks across and down that a component has in a group.
    fn most_factors(&self) -> [u32; 2] {
        [0, 1].map(|axis| {
            let factors = self.parts.iter().map(|part| part.factors[axis]);
            factors.max().unwrap_or(0).max(1)
        })
    }

    /// Groups of blocks of all components.
    pub(super) fn units(&self) -> u64 {
        let [across, down] = self.most_factors();
        let columns = self.size.width.div_ceil(8 * across);
        let rows = self.size.height.div_ceil(8 * down);
        u64::from(columns) * u64::from(rows)
    }

    /// Blocks of a component that comes alone.
    pub(super) fn blocks_of(&self, part: &Part) -> u64 {
        let [across, down] = self.most_factors();
        let columns = (self.size.width * part.factors[0]).div_ceil(8 * across);
        let rows = (self.size.height * part.factors[1]).div_ceil(8 * down);
        u64::from(columns) * u64::from(rows)
    }

    /// Samples of all components.
    fn samples(&self) -> u64 {
        let [across, down] = self.most_factors().map(u64::from);
        let sum: u64 = self.parts.iter().map(Part::blocks).sum();
        self.size.num_pixels() * sum / (across * down)
    }

    /// What kind of a frame this is, if it is none that is read here.
    fn refused(&self) -> Option<&'static str> {
        let mut samplings: Vec<[u32; 2]> = self.parts.iter().map(|part| part.factors).collect();
        samplings.sort_unstable();
        samplings.dedup();
        match self.marker {
            // Nothing was found that gets them right.
            _ if self.comes_apart() && samplings.len() > 2 => {
                Some("A JPEG of three samplings in scans of their own")
            }
            _ if self.is_odd() && !matches!(self.parts.len(), 1 | 3) => {
                Some("A JPEG of inks in scans of their own or of odd sampling")
            }
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
    pub(super) const fn is_progressive(&self) -> bool {
        self.marker == 0xC2
    }

    /// Whether components come in scans of their own that bring them whole.
    fn comes_apart(&self) -> bool {
        !self.is_progressive() && self.first_scan != self.parts.len()
    }

    /// Whether components come in scans of their own that bring them whole, or have sampling factors
    /// of which the faster decoder knows nothing.
    pub(super) fn is_odd(&self) -> bool {
        let most = self.most_factors();
        let is_power = |factor: &u32| factor.is_power_of_two();
        let factors = self.parts.iter().flat_map(|part| &part.factors);
        self.comes_apart() || self.parts[0].factors != most || !factors.clone().all(is_power)
    }

    /// Bytes that the samples take at least: each block of 8 × 8 has a code of its mean and, where
    /// no later scan brings it, one that says that there is nothing else.
    pub(in crate::raster) fn least_bytes(&self) -> u64 {
        let codes = if self.is_progressive() { 1 } else { 2 };
        self.samples() / 64 * codes / 8
    }

    /// Bytes of what is kept of all blocks until the last scan is read; 0 where one scan has all.
    pub(in crate::raster) fn kept_bytes(&self) -> u64 {
        if self.is_progressive() || self.first_scan != self.parts.len() {
            2 * self.samples()
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
        assert_eq!((frame.samples(), frame.kept_bytes()), (12 * 64, 0));
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
            let Err(fault) = decode_jpeg(other, JpegColors::Rgb, |_| Ok(())) else {
                panic!("{marker:x} was read");
            };
            let told = fault.on_read(std::path::Path::new("a.tif")).to_string();
            assert!(told.contains(expected), "{told}");
            assert!(told.contains("gdal_translate"), "{told}");
            assert!(!told.contains("damaged"), "{told}");
        }
        assert!(decode_jpeg(sound, JpegColors::Rgb, |_| Ok(())).is_ok());
    }
}

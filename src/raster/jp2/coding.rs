use super::fields::Fields;
use crate::raster::error::Fault;

/// The most code blocks of a tile; each takes some hundred bytes while it is decoded.
const MAX_CODE_BLOCKS: u64 = 1 << 21;
/// The most precincts of a tile.
const MAX_PRECINCTS: u64 = 1 << 20;
/// The most packets of a tile: one for each precinct and quality layer.
const MAX_PACKETS: u64 = 1 << 24;
/// The most halvings that the standard knows.
const MAX_LEVELS: u8 = 32;
/// Side of a precinct, as a power of two, where the file states none.
const USUAL_PRECINCT: u8 = 15;

/// How one component is cut and packed (COD and COC segments).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coding {
    /// How often it can be halved.
    pub levels: u8,
    /// Whether the wavelet loses nothing.
    pub is_reversible: bool,
    /// Sides of a code block, as powers of two.
    block: (u8, u8),
    /// Sides of a precinct of each resolution, the smallest first, as powers of two.
    precincts: Vec<(u8, u8)>,
}

/// What holds for all components (COD segment).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodingDefault {
    pub layers: u16,
    pub coding: Coding,
}

impl CodingDefault {
    /// Reads the content of a COD segment.
    pub fn read(content: &[u8]) -> Result<Self, Fault> {
        let parse = || {
            let mut fields = Fields::of(content);
            let style = fields.byte()?;
            fields.byte()?;
            let layers = fields.short()?;
            fields.byte()?;
            Some((layers, Coding::read(&mut fields, style)?))
        };
        let (layers, coding) = parse().ok_or_else(|| broken("COD"))?;
        Ok(Self { layers, coding })
    }
}

/// Reads the content of a COC segment: the component, from 0, and how it is packed.
pub fn read_component_coding(content: &[u8], components: usize) -> Result<(usize, Coding), Fault> {
    let parse = || {
        let mut fields = Fields::of(content);
        let component = if components < 257 {
            usize::from(fields.byte()?)
        } else {
            usize::from(fields.short()?)
        };
        let style = fields.byte()?;
        let coding = Coding::read(&mut fields, style)?;
        (component < components).then_some((component, coding))
    };
    parse().ok_or_else(|| broken("COC"))
}

fn broken(segment: &str) -> Fault {
    Fault::damaged(format!("its {segment} segment makes no sense"))
}

impl Coding {
    fn read(fields: &mut Fields<'_>, style: u8) -> Option<Self> {
        let levels = fields.byte()?;
        let block = (fields.byte()?, fields.byte()?);
        fields.byte()?;
        let is_reversible = fields.byte()? == 1;
        // Sides of 4 to 1,024, with 4,096 samples at most.
        let is_usual = block.0 <= 8 && block.1 <= 8 && block.0 + block.1 <= 8;
        if levels > MAX_LEVELS || !is_usual {
            return None;
        }
        let mut precinct = |resolution: u8| {
            let sides = if style & 1 == 0 {
                (USUAL_PRECINCT, USUAL_PRECINCT)
            } else {
                let packed = fields.byte()?;
                (packed & 15, packed >> 4)
            };
            // Above the smallest resolution a precinct is halved among three bands.
            let is_empty = resolution > 0 && (sides.0 == 0 || sides.1 == 0);
            (!is_empty).then_some(sides)
        };
        Some(Self {
            levels,
            is_reversible,
            block: (block.0 + 2, block.1 + 2),
            precincts: (0..=levels).map(&mut precinct).collect::<Option<_>>()?,
        })
    }

    /// At most how many precincts and code blocks a tile of `width` × `height` has.
    fn pieces(&self, width: u32, height: u32) -> (u64, u64) {
        let (mut precincts, mut blocks) = (0_u64, 0_u64);
        for (resolution, &(px, py)) in self.precincts.iter().enumerate() {
            let shift = u32::from(self.levels) - resolution as u32;
            let halved = |side: u32| u64::from(side).checked_shr(shift).unwrap_or(0) + 1;
            let cols = halved(width).div_ceil(1 << px) + 1;
            let rows = halved(height).div_ceil(1 << py) + 1;
            precincts = precincts.saturating_add(cols.saturating_mul(rows));
            let below = u8::from(resolution > 0);
            let across = |side: u32, cell: u8, precinct: u8, parts: u64| {
                let cell = 1 << cell.min(precinct - below);
                (halved(side) >> below).div_ceil(cell) + parts
            };
            let bands = 1 + 2 * u64::from(below);
            let found = across(width, self.block.0, px, cols).saturating_mul(across(
                height,
                self.block.1,
                py,
                rows,
            ));
            blocks = blocks.saturating_add(found.saturating_mul(bands));
        }
        (precincts, blocks)
    }
}

/// Refuses tiles that fall into more pieces than memory is to be spent on.
pub fn check_pieces(codings: &[Coding], layers: u16, tile: (u32, u32)) -> Result<(), Fault> {
    let (mut precincts, mut blocks) = (0_u64, 0_u64);
    for coding in codings {
        let (more_precincts, more_blocks) = coding.pieces(tile.0, tile.1);
        precincts = precincts.saturating_add(more_precincts);
        blocks = blocks.saturating_add(more_blocks);
    }
    let is_within = precincts <= MAX_PRECINCTS
        && blocks <= MAX_CODE_BLOCKS
        && precincts.saturating_mul(u64::from(layers)) <= MAX_PACKETS;
    if is_within {
        Ok(())
    } else {
        Err(Fault::unsupported(format!(
            "A JPEG 2000 tile of {} × {} pixels and {blocks} code blocks",
            tile.0, tile.1
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_and_its_exception_are_read() {
        let usual = [0, 0, 0, 1, 1, 5, 4, 4, 0, 1];
        let read = CodingDefault::read(&usual).expect("COD");
        assert_eq!((read.layers, read.coding.levels), (1, 5));
        assert!(read.coding.is_reversible);
        let own = [2, 1, 1, 4, 4, 0, 0, 0x76, 0x88];
        let (component, coding) = read_component_coding(&own, 3).expect("COC");
        assert_eq!((component, coding.levels), (2, 1));
        assert_eq!(coding.precincts, [(6, 7), (8, 8)]);
        assert!(read_component_coding(&own, 2).is_err());
        for len in 0..usual.len() {
            assert!(CodingDefault::read(&usual[..len]).is_err());
        }
    }

    #[test]
    fn usual_tiles_pass_and_dust_does_not() {
        let usual = CodingDefault::read(&[0, 0, 0, 1, 1, 5, 4, 4, 0, 1]).expect("COD");
        let codings = vec![usual.coding.clone(); 3];
        check_pieces(&codings, 20, (1_024, 1_024)).expect("a tile");
        check_pieces(&codings, 1, (40_000, 40_000)).expect("an image without tiles");
        assert!(check_pieces(&codings, 1, (1 << 31, 1 << 31)).is_err());
        let dust = CodingDefault::read(&[1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0x00, 0x11]).expect("COD");
        assert!(check_pieces(&[dust.coding], 1, (4_096, 4_096)).is_err());
        let layered = [
            1, 0, 0, 1, 1, 5, 4, 4, 0, 1, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77,
        ];
        let layered = [CodingDefault::read(&layered).expect("COD").coding];
        check_pieces(&layered, 20, (10_000, 10_000)).expect("20 layers");
        assert!(check_pieces(&layered, u16::MAX, (10_000, 10_000)).is_err());
    }
}

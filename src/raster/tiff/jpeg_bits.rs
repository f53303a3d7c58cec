//! Codes and bits of JPEG scans (ITU-T T.81, annex C and F.2.2).

/// Bits of the longest code.
const LONGEST: u32 = 16;

/// For each 16 bits the length of the code that they begin with, 0 for none, and its symbol.
pub(super) struct Codes(Vec<(u8, u8)>);

/// Tables of codes, those of means first.
#[derive(Default)]
pub(super) struct Tables([[Option<Codes>; 4]; 2]);

impl Tables {
    /// That of means (0) or of the rest (1) with this number.
    pub(super) fn find(&self, class: usize, number: u8) -> Option<&Codes> {
        self.0[class].get(usize::from(number))?.as_ref()
    }
}

/// Puts the tables of a segment in their places; `None` where it is cut off.
pub(super) fn read_codes(mut body: &[u8], tables: &mut Tables) -> Option<()> {
    while let Some((&name, rest)) = body.split_first() {
        let counts = rest.first_chunk::<16>()?;
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let symbols = rest.get(16..16 + total)?;
        let class = tables.0.get_mut(usize::from(name >> 4))?;
        *class.get_mut(usize::from(name & 15))? = Some(Codes::of(*counts, symbols));
        body = &rest[16 + total..];
    }
    Some(())
}

impl Codes {
    /// Codes of one length follow each other.
    fn of(counts: [u8; 16], symbols: &[u8]) -> Self {
        let mut codes = Vec::with_capacity(1 << LONGEST);
        let mut symbols = symbols.iter();
        for (len, count) in (1_u8..).zip(counts) {
            for &symbol in symbols.by_ref().take(usize::from(count)) {
                let filled = codes.len() + (1 << (LONGEST - u32::from(len)));
                codes.resize(filled.min(1 << LONGEST), (len, symbol));
            }
        }
        codes.resize(1 << LONGEST, (0, 0));
        Self(codes)
    }
}

/// The bits of a scan.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// Bits that were read and not taken, the next one the highest.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) const fn of(data: &'a [u8]) -> Self {
        Self {
            data,
            held: 0,
            count: 0,
        }
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let (byte, rest) = match *self.data {
                [0xFF, 0x00, ref rest @ ..] => (0xFF, rest),
                [0xFF, ..] | [] => return,
                [byte, ref rest @ ..] => (byte, rest),
            };
            self.data = rest;
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next symbol; `None` at the end, and where no code is.
    pub(super) fn symbol(&mut self, codes: &Codes) -> Option<u8> {
        if self.count < LONGEST {
            self.fill();
        }
        let (len, symbol) = codes.0[(self.held >> 48) as usize];
        self.take(u32::from(len)).filter(|_| len > 0)?;
        Some(symbol)
    }

    /// The next bits, at most 16, as a number; `None` at the end.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        if self.count < count {
            self.fill();
        }
        self.count = self.count.checked_sub(count)?;
        let taken = self.held.checked_shr(64 - count).unwrap_or(0);
        self.held <<= count;
        Some(taken as u32)
    }

    /// Goes on behind the next marker, which must be one to begin anew at.
    pub(super) fn restart(&mut self) -> Option<()> {
        while let [0xFF, 0xFF, ..] = *self.data {
            self.data = &self.data[1..];
        }
        let [0xFF, 0xD0..=0xD7, ref rest @ ..] = *self.data else {
            return None;
        };
        *self = Self::of(rest);
        Some(())
    }

    /// Bytes that were not looked at.
    pub(super) const fn left(&self) -> usize {
        self.data.len()
    }
}

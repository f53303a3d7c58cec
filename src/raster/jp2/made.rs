//! Small files for tests, packed by `opj_compress` 2.5.0 (without comments).

/// 40 × 24 pixels of three bands as in [`rgb_pixel`], without loss: tiles of 16 × 16 that begin
/// before the image, which begins at (3, 5); two halvings.
const RGB: &str = "\
    ff4fff51002f00000000002b0000001d00000003000000050000001000000010000000010000000200030701 \
    01070101070101ff52000c00000001010202020001ff5c000a4040484850484850ff90000a0000000000a400 \
    01ff93cfb434082c6f5d4a1a6838314ec3e5efc7d4180e32cdb0aa5964d6397b2c23cfb4340be7f6ea0f63de \
    e4e4f342360fc011c0f902c0088001779f07a023dfbb1021c01141f38400029f04f8045fc01141f38400029f \
    04f7383fc03a3407c244009c116a5794a7c7128bf12d8e91e2b5142f41d76a8e7fc03a1c07c228116a9f153b \
    f92f1fc07c21c0f90400116a9d153bf934ccf7d41fff90000a0001000000bc0001ff93cfb43006af487fcb8b \
    ad7f8b931a27cfb4300fb046cf74d19d1231223e5bdf80701c5ce87f1c13059e8b4cb899030bc07c22c0f902 \
    4008c0095bbb4c7f07a0213b1021cfc07c21c1f3840009667f04f8045fc0f901c1f3840009672c04f7383fc0 \
    3a3e03f08df844801380116a581f32933f128bf12f3c9b11a3a4650ecc77728c58bbc03a1e03f08bf8430011 \
    6aaf153bf92f1f14538fc07c21e07e411f9018116ab1153bf934ccf7d41f14542aff90000a00020000009800 \
    01ff93c7d40e06a7ca0a6baf07cfb4200174101e5ab4c03fdf80400478c6122945243fc07c22c0f901c008c0 \
    093759a53f076c5710217fc07c2241f38300093748b704ebbfc0f90241f3830009374c0604f61fc03a2c07c2 \
    44009811692acdef1286f11ec0e039a70ecc74eebe43c03a1c07c2281169df1536f9203fc07c21c0f9038011 \
    69e71536f93e5973dfff90000a0003000000830001ff93c7d4160693eaf950c0e9535dae7fdf80600e57f265 \
    0ca74ab4408b8ca3df806809118e6a1edc6506b2dd9a426fa07c8160046007a7096ebf0619bfc01140f90200 \
    029f04ef29bfc01141f38400029f04f709ebc03a4c0114008c116963bd623f5bd383302a0ecc77c03a18116a \
    9fc07c2180116a9dff90000a0004000000900001ff93cfb43019696880c262143d98cdd4dfcfb4300be774c7 \
    3f20d553fcf48287df80700e5a556daa2eab86f7a7adacf13fc07c21c0f902c008c009582f07a7040e3f0dbd \
    a5c07c21c0f9020009667f04ef29bfc0f901c1f3840009672c04f709ebc03a4d00628011800c17cdac661929 \
    1a850ecf142f41c03a18116aafc07c2180116ab1ff90000a00050000007c0001ff93cfb41c0d74de006cac3f \
    c7d40c0dbc6e33c55fcfb41c0f99fc164b9857c07c2240f902401d0c0937652f07a1ed7f1aa6dfc07c2240f9 \
    0180093748b704c7dfc0f90241f3830009374c0604f397c03a3c011c008c0c17ac3279a5e32740b7142f41c0 \
    3a181169dfc07c21801169e7ffd9";

/// 20 × 12 samples of 16 bits as in [`wide_sample`], without loss or tiles; one halving.
const WIDE: &str = "\
    ff4fff5100290000000000140000000c0000000000000000000000140000000c000000000000000000010f01 \
    01ff52000c00000001000103030001ff5c00074080888890ff90000a0000000000910001ff93cffc31a81150 \
    549c225c800c08285ac056d4f6943c378fcbc978bab6ed157ecb3f471adbefa73f95f0079287f287d7bf6133 \
    4446471930538ffe6ba39b7c9da06595979bf9b1db95ff7dd1206b8ec6a13abe93889c45918c2eff46caaab4 \
    dac8560100000000000407f529468a3fc01f984c000f902040e071dac349ccf6314acfefbfffd9";

/// A bare codestream of colors.
pub fn rgb_file() -> Vec<u8> {
    bytes(RGB)
}

/// A bare codestream of wide samples.
pub fn wide_file() -> Vec<u8> {
    bytes(WIDE)
}

/// [`rgb_file`] as one of 12 bits: since only the middle of the range moves, samples are larger by
/// 1,920, or smaller by 128 with a sign.
pub fn deep_file(is_signed: bool) -> Vec<u8> {
    let mut file = rgb_file();
    // Behind SOC, SIZ, its length, the capabilities, eight numbers and the count.
    let components = &mut file[42..51];
    for component in components.chunks_mut(3) {
        component[0] = if is_signed { 0x8B } else { 0x0B };
    }
    file
}

/// A pixel of [`rgb_file`].
pub fn rgb_pixel(x: u32, y: u32) -> [u8; 3] {
    [x * 6, y * 10, (x + y) * 3 + 20].map(|value| value as u8)
}

/// A sample of [`wide_file`].
pub fn wide_sample(x: u32, y: u32) -> u16 {
    (1_000 + x * 300 + y * 11) as u16
}

/// A codestream in boxes, with the content of its header box.
pub fn boxed_file(header: &[u8], codestream: &[u8]) -> Vec<u8> {
    let signature = boxed(*b"jP  ", &[0x0D, 0x0A, 0x87, 0x0A]);
    [
        signature,
        boxed(*b"jp2h", header),
        boxed(*b"jp2c", codestream),
    ]
    .concat()
}

/// A box.
pub fn boxed(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let len = content.len() as u32 + 8;
    [&len.to_be_bytes()[..], &name, content].concat()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |pair: &[char]| {
        let digit = |digit: char| digit.to_digit(16).expect("a digit") as u8;
        digit(pair[0]) * 16 + digit(pair[1])
    };
    digits.chunks_exact(2).map(byte).collect()
}

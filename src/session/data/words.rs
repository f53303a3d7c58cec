use std::path::Path;

use super::super::prediction_words::{Words, quoted};
use crate::dataset::Corrections;
use crate::label::Encoding;

/// The command line that looks at a data set with what is corrected of it; the same options go
/// with `train --data` and `search`.
pub fn inspect_command(folder: &Path, corrections: &Corrections) -> String {
    let mut words = Words::default();
    let folder = quoted(&folder.display().to_string());
    words.say("dataset inspect").say(&folder);
    let Corrections {
        encoding,
        threshold,
        classes,
        ignored,
        off_palette,
        images,
        masks,
        image_suffix,
        mask_suffix,
        voids_are_nodata,
    } = corrections;
    if let Some(encoding) = name_of(*encoding) {
        words.say("--mask-encoding").say(encoding);
    }
    if let Some(threshold) = threshold {
        words.say(&format!("--mask-threshold {threshold}"));
    }
    if let Some(ignored) = ignored {
        let indices: Vec<String> = ignored.iter().map(u8::to_string).collect();
        let none = || "none".to_owned();
        let indices = (!indices.is_empty()).then(|| indices.join(","));
        words
            .say("--ignore-classes")
            .say(&indices.unwrap_or_else(none));
    }
    if let Some(off_palette) = off_palette {
        words.say(&format!("--off-palette {off_palette}"));
    }
    for (option, path) in [
        ("--classes", classes),
        ("--image-folder", images),
        ("--mask-folder", masks),
    ] {
        if let Some(path) = path {
            words.path(option, path);
        }
    }
    for (option, text) in [
        ("--image-suffix", image_suffix),
        ("--mask-suffix", mask_suffix),
    ] {
        if let Some(text) = text {
            words.say(option).say(&quoted(text));
        }
    }
    if *voids_are_nodata {
        words.say("--voids-are-nodata");
    }
    words.told()
}

const fn name_of(encoding: Encoding) -> Option<&'static str> {
    match encoding {
        Encoding::Auto => None,
        Encoding::Index => Some("index"),
        Encoding::Binary => Some("binary"),
        Encoding::Rgb => Some("rgb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_of_what_is_not_corrected() {
        let line = inspect_command(Path::new("/my data"), &Corrections::default());
        assert_eq!(line, "orthobrush dataset inspect '/my data'");
        let corrections = Corrections {
            ignored: Some(Vec::new()),
            mask_suffix: Some("*_mask.png".to_owned()),
            ..Corrections::default()
        };
        assert_eq!(
            inspect_command(Path::new("/d"), &corrections),
            "orthobrush dataset inspect /d --ignore-classes none --mask-suffix '*_mask.png'"
        );
    }
}

use std::path::Path;

use super::tiff::{from_centers, is_usable};

/// A world file is six short lines; more is something else.
const MOST_BYTES: u64 = 4_096;

/// The transform of the world file beside `image`, from outer corners (not pixel centers).
///
/// Tried are the three-letter form (`.tfw`), the long form (`.tifw`) and `.wld`, in small and
/// capital letters.
pub(super) fn read_world_file(image: &Path) -> Option<[f64; 6]> {
    let extension = image.extension()?.to_str()?.to_ascii_lowercase();
    let mut names = vec![format!("{extension}w"), "wld".to_owned()];
    if let (Some(first), Some(last)) = (extension.chars().next(), extension.chars().last()) {
        names.insert(0, format!("{first}{last}w"));
    }
    let names = names
        .iter()
        .flat_map(|name| [name.clone(), name.to_ascii_uppercase()]);
    let text = names
        .map(|name| image.with_extension(name))
        .find_map(|path| {
            let is_small = path
                .metadata()
                .is_ok_and(|file| file.is_file() && file.len() <= MOST_BYTES);
            is_small
                .then(|| std::fs::read_to_string(&path).ok())
                .flatten()
        })?;
    parse(&text)
}

fn parse(text: &str) -> Option<[f64; 6]> {
    let numbers = text
        .split_whitespace()
        .map(|word| word.replace(',', ".").parse::<f64>());
    let numbers: Vec<f64> = numbers.take(6).collect::<Result<_, _>>().ok()?;
    // The file lists the columns' effects first, and the center of the upper-left pixel.
    let in_order = [0, 2, 4, 1, 3, 5].map(|index: usize| numbers.get(index).copied());
    let transform = in_order.map(|number| number.unwrap_or(f64::NAN));
    is_usable(&transform).then(|| from_centers(transform))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_moves_from_the_center_to_the_corner() {
        let found = parse("0.25\n0\n0\n-0.25\n500000.125\n249999.875\n");
        assert_eq!(found, Some([0.25, 0.0, 500_000.0, 0.0, -0.25, 250_000.0]));
    }

    #[test]
    fn other_texts_are_no_world_files() {
        for text in [
            "",
            "1 2 3",
            "0\n0\n0\n0\n1\n1",
            "1 0 0 nan 1 1",
            "hello world of six whole words",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_is_found_beside_the_image() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("ortho.tif");
        assert_eq!(read_world_file(&image), None);
        crate::disk::replace_file(&folder.path().join("ortho.tfw"), b"2\n0\n0\n-2\n1\n-1\n")
            .unwrap();
        assert_eq!(
            read_world_file(&image),
            Some([2.0, 0.0, 0.0, 0.0, -2.0, 0.0])
        );
    }
}

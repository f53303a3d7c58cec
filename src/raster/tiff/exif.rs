use super::directory::Directories;
use super::tag;
use crate::raster::turned::Orientation;

/// What EXIF data, which are a TIFF file without pixels, say of turning; upright where they are
/// damaged.
pub(in crate::raster) fn exif_orientation(exif: Vec<u8>) -> Orientation {
    let stated = Directories::read(&exif)
        .and_then(|directories| directories.all[0].number(&exif, tag::ORIENTATION));
    Orientation::from_code(stated.ok().flatten().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_a_camera_was_held_is_read_and_damage_is_upright() {
        // One entry: tag 274, SHORT, one value, 6.
        let exif = [
            &b"MM\0\x2A\0\0\0\x08\0\x01"[..],
            &[1, 18, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0],
            &[0; 4],
        ]
        .concat();
        assert_eq!(exif_orientation(exif.clone()), Orientation::from_code(6));
        for len in 0..exif.len() - 6 {
            assert!(exif_orientation(exif[..len].to_vec()).is_upright(), "{len}");
        }
    }
}

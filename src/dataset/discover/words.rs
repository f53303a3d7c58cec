use crate::exchange::Part;

/// What the files of a folder are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Image,
    Mask,
}

/// What the name of one folder says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) part: Option<Part>,
    pub(super) role: Option<Role>,
    /// The words that say neither, joined by `_`.
    pub(super) rest: String,
}

const IMAGE_WORDS: [&str; 13] = [
    "image",
    "images",
    "img",
    "imgs",
    "jpegimages",
    "photo",
    "photos",
    "picture",
    "pictures",
    "frames",
    "stills",
    "bild",
    "bilder",
];
const MASK_WORDS: [&str; 24] = [
    "mask",
    "masks",
    "label",
    "labels",
    "labeled",
    "labelled",
    "lbl",
    "gt",
    "gts",
    "groundtruth",
    "truth",
    "annot",
    "annots",
    "ann",
    "annotation",
    "annotations",
    "seg",
    "segmentation",
    "segmentations",
    "segmentationclass",
    "target",
    "targets",
    "maske",
    "masken",
];
/// Longer words first: a name may begin with one, as `trainannot` does.
const PART_WORDS: [(&str, Part); 12] = [
    ("training", Part::Train),
    ("train", Part::Train),
    ("validation", Part::Validation),
    ("valid", Part::Validation),
    ("val", Part::Validation),
    ("dev", Part::Validation),
    ("testing", Part::Test),
    ("test", Part::Test),
    ("holdout", Part::Test),
    ("hold_out", Part::Test),
    ("tr", Part::Train),
    ("ts", Part::Test),
];
/// Words that tell nothing of the files.
const EMPTY_WORDS: [&str; 10] = [
    "data", "dir", "folder", "set", "the", "png", "tif", "jpg", "ground", "class",
];

/// Understands the name of a folder, for example `Train Images` or `valannot`.
pub(super) fn understand(name: &str) -> Step {
    let words = words_of(name);
    let is_collection = words.iter().any(|word| word == "data" || word == "dataset");
    let mut step = Step {
        part: None,
        role: None,
        rest: String::new(),
    };
    let mut rest: Vec<&str> = Vec::new();
    let says_part = words.iter().any(|word| meaning(word).0.is_some());
    for word in &words {
        let (part, role) = match word.as_str() {
            // `x_train` and `y_train`; alone these letters tell nothing.
            "x" if says_part => (None, Some(Role::Image)),
            "y" if says_part => (None, Some(Role::Mask)),
            word => meaning(word),
        };
        step.part = step.part.or(part);
        step.role = step.role.max(role);
        if part.is_none() && role.is_none() && !EMPTY_WORDS.contains(&word.as_str()) {
            rest.push(word);
        }
    }
    // `seg-data` and `AerialImageDataset` hold images and masks.
    if is_collection {
        step.role = None;
    }
    step.rest = rest.join("_");
    step
}

/// The part that a word alone says, as the name of a list or in a column of a table.
pub(super) fn part_of(word: &str) -> Option<Part> {
    let mut parts = PART_WORDS.into_iter();
    Some(parts.find(|(name, _)| word.eq_ignore_ascii_case(name))?.1)
}

fn meaning(word: &str) -> (Option<Part>, Option<Role>) {
    for (name, part) in PART_WORDS {
        match word.strip_prefix(name) {
            Some("") => return (Some(part), None),
            Some(rest) if name.len() > 2 && role_of(rest).is_some() => {
                return (Some(part), role_of(rest));
            }
            _ => {}
        }
    }
    (None, role_of(word))
}

fn role_of(word: &str) -> Option<Role> {
    if MASK_WORDS.contains(&word) {
        Some(Role::Mask)
    } else if IMAGE_WORDS.contains(&word) {
        Some(Role::Image)
    } else {
        None
    }
}

/// The words of a name in lower case: split at signs and where a capital follows a small letter.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let is_new = !letter.is_alphanumeric() || (before.is_lowercase() && letter.is_uppercase());
        if is_new {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Where a folder stands in a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// How many of the steps lead to the data set's own folder.
    pub(super) root: usize,
    /// What is the same in the folders of images and of their masks.
    pub(super) key: String,
    pub(super) part: Option<Part>,
    pub(super) role: Option<Role>,
}

/// The place that the names of the folders on the way tell.
///
/// The deepest folder that names images or masks decides: `images/aachen` holds images of `aachen`.
pub(super) fn place(steps: &[String]) -> Place {
    let understood: Vec<Step> = steps.iter().map(|step| understand(step)).collect();
    let deciding = understood.iter().rposition(|step| step.role.is_some());
    let is_said = |(at, step): (usize, &Step)| step.part.is_some() || deciding == Some(at);
    let first_said = understood.iter().enumerate().position(is_said);
    let mut key = Vec::new();
    for (at, step) in understood.iter().enumerate() {
        if !is_said((at, step)) {
            key.push(steps[at].as_str());
        } else if !step.rest.is_empty() {
            key.push(&step.rest);
        }
    }
    Place {
        root: first_said.unwrap_or(steps.len()),
        key: key.join("/"),
        part: understood.iter().rev().find_map(|step| step.part),
        role: deciding.and_then(|at| understood[at].role),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_are_understood() {
        let (train, val, test) = (Some(Part::Train), Some(Part::Validation), Some(Part::Test));
        let (image, mask) = (Some(Role::Image), Some(Role::Mask));
        for (name, part, role, rest) in [
            ("images", None, image, ""),
            ("groundtruth", None, mask, ""),
            ("ground_truth", None, mask, ""),
            ("trainannot", train, mask, ""),
            ("Train Images", train, image, ""),
            ("Train Masks", train, mask, ""),
            ("Train data", train, None, ""),
            ("test_labels", test, mask, ""),
            ("valid", val, None, ""),
            ("training_data", train, None, ""),
            ("img_dir", None, image, ""),
            ("ann_dir", None, mask, ""),
            ("images_png", None, image, ""),
            ("masks_2020", None, mask, "2020"),
            ("label images", None, mask, ""),
            ("seg-data", None, None, ""),
            ("AerialImageDataset", None, None, ""),
            ("JPEGImages", None, image, ""),
            ("SegmentationClass", None, mask, ""),
            ("tiff", None, None, "tiff"),
            ("value", None, None, "value"),
            ("x_train", train, image, ""),
            ("y_val", val, mask, ""),
            ("x", None, None, "x"),
            ("Bilder", None, image, ""),
            ("Masken", None, mask, ""),
            ("701_StillsRaw_full", None, image, "701_raw_full"),
            ("LabeledApproved_full", None, mask, "approved_full"),
        ] {
            let step = understand(name);
            assert_eq!((step.part, step.role), (part, role), "{name}: {step:?}");
            if name != "AerialImageDataset" {
                assert_eq!(step.rest, rest, "{name}");
            }
        }
    }

    #[track_caller]
    fn check(path: &str, root: usize, key: &str, part: Option<Part>, role: Option<Role>) {
        let steps: Vec<String> = path.split('/').map(str::to_owned).collect();
        let key = key.to_owned();
        assert_eq!(
            place(&steps),
            Place {
                root,
                key,
                part,
                role
            }
        );
    }

    #[test]
    fn images_and_masks_that_belong_together_have_one_key() {
        let train = Some(Part::Train);
        let (image, mask) = (Some(Role::Image), Some(Role::Mask));
        check("train", 0, "", train, None);
        check("trainannot", 0, "", train, mask);
        check("tiff/train_labels", 1, "tiff", train, mask);
        check("images/aachen", 0, "aachen", None, image);
        check("Train/Urban/masks_png", 0, "Urban", train, mask);
        check(
            "sagemaker/seg-data/train/images",
            2,
            "sagemaker/seg-data",
            train,
            image,
        );
        check("Data/Train data/Train Masks", 1, "Data", train, mask);
        check(
            "AerialImageDataset/train/gt",
            1,
            "AerialImageDataset",
            train,
            mask,
        );
        check("img_dir/train", 0, "", train, image);
        check("orthos", 1, "orthos", None, None);
    }
}

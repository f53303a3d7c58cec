use super::Recipe;
use super::memory::in_words;
use crate::nn::NormKind;

/// How the steps of a recipe are computed when their patches do not fit into the memory at once:
/// in pieces whose gradients are added up, so that each step learns from as many patches as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Patches that are computed at once.
    pub piece: usize,
    /// Pieces of a step.
    pub pieces: usize,
    /// About how much memory a piece takes.
    pub bytes: u64,
    /// About how much memory the whole step would take.
    pub whole_bytes: u64,
    /// How much there is.
    pub available_bytes: u64,
}

/// Fewer patches mean statistics of a batch that say little about the others.
pub(super) const FEW_PATCHES: usize = 8;

/// How to compute the steps of `recipe` in `available_bytes`; `None` when they fit as they are.
///
/// Pieces are halved until they fit; whether one patch alone does, [`Fit::is_enough`] says.
pub fn fitting(recipe: &Recipe, available_bytes: u64) -> Option<Fit> {
    let fits = |piece: usize| recipe.bytes_of(piece) <= available_bytes;
    if fits(recipe.batch) {
        return None;
    }
    let mut piece = recipe.batch;
    while piece > 1 && !fits(piece) {
        piece = halved(piece);
    }
    Some(Fit {
        piece,
        pieces: recipe.batch.div_ceil(piece),
        bytes: recipe.bytes_of(piece),
        whole_bytes: recipe.estimated_bytes(),
        available_bytes,
    })
}

/// The larger half of a piece of more than one patch.
pub(super) const fn halved(piece: usize) -> usize {
    piece.div_ceil(2)
}

impl Fit {
    /// Whether one piece fits.
    pub const fn is_enough(&self) -> bool {
        self.bytes <= self.available_bytes
    }

    /// What is done, with its numbers and with what may help, in sentences.
    pub fn in_words(&self, recipe: &Recipe) -> String {
        let pieces = pieces_in_words(recipe, self.piece);
        format!("{}: {pieces}", self.shortage(recipe))
    }

    /// How much a step takes and how much there is.
    pub fn shortage(&self, recipe: &Recipe) -> String {
        let whole = in_words(self.whole_bytes);
        let free = in_words(self.available_bytes);
        let patches = recipe.batch;
        format!("A step of {patches} patches takes about {whole} and {free} are free")
    }
}

/// That steps are computed in pieces, what it means, and what suits it.
pub(super) fn pieces_in_words(recipe: &Recipe, piece: usize) -> String {
    let pieces = recipe.batch.div_ceil(piece.max(1));
    let patches = if piece == 1 { "patch" } else { "patches" };
    let mut words = format!(
        "{piece} {patches} are computed at once, {pieces} times for each step, and their gradients \
         are added up, so that it learns from {} patches as before (as with batch = {piece} and \
         updates.accumulate = {})",
        recipe.batch,
        u64::from(recipe.updates.accumulate) * pieces as u64
    );
    let is_measured = recipe.model.norm == NormKind::Batch;
    if is_measured && piece < FEW_PATCHES {
        words.push_str(
            ". Batch normalization sees only those at once; model.norm = \"group\" does not depend \
             on their number",
        );
    }
    words
}

/// Whether what a device said when it failed is about memory.
pub(super) fn names_memory(text: &str) -> bool {
    const SIGNS: [&str; 9] = [
        "out of memory",
        "outofmemory",
        "out_of_memory",
        "not enough memory",
        "insufficient memory",
        "memory allocation",
        "failed to allocate",
        "allocation failed",
        "can't allocate",
    ];
    let text = text.to_lowercase();
    SIGNS.iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(batch: usize) -> Recipe {
        Recipe {
            batch,
            ..Recipe::default()
        }
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let recipe = recipe(8);
        assert_eq!(fitting(&recipe, recipe.estimated_bytes()), None);
        assert_eq!(fitting(&recipe, u64::MAX), None);
    }

    #[test]
    fn pieces_are_halved_until_they_fit() {
        let one = recipe(1).estimated_bytes();
        // (batch, patches that fit, expected piece, pieces)
        let cases = [
            (8, 7, 4, 2),
            (8, 4, 4, 2),
            (8, 3, 2, 4),
            (8, 1, 1, 8),
            (5, 4, 3, 2),
            (5, 2, 2, 3),
            (512, 10, 8, 64),
        ];
        for (batch, room, piece, pieces) in cases {
            let fit = fitting(&recipe(batch), one * room).expect("it does not fit whole");
            assert_eq!(
                (fit.piece, fit.pieces),
                (piece, pieces),
                "{batch} in {room}"
            );
            assert!(fit.is_enough());
        }
    }

    #[test]
    fn a_single_patch_may_be_too_much() {
        for batch in [1, 8] {
            let fit = fitting(&recipe(batch), 1000).expect("nothing fits");
            assert_eq!(fit.piece, 1);
            assert!(!fit.is_enough());
        }
    }

    #[test]
    fn the_words_have_numbers_and_advice() {
        let mut recipe = recipe(8);
        let fit = fitting(&recipe, recipe.bytes_of(2)).expect("it does not fit whole");
        let words = fit.in_words(&recipe);
        for part in [
            "8 patches takes about 240 MiB",
            "60 MiB are free",
            "2 patches",
            "4 times",
        ] {
            assert!(words.contains(part), "{words}");
        }
        assert!(words.contains("group"), "{words}");
        recipe.model.norm = NormKind::Group;
        assert!(!fit.in_words(&recipe).contains("group"));
    }

    #[test]
    fn failures_of_memory_are_told_from_others() {
        for text in [
            "wgpu error: Out of Memory",
            "CUDA_ERROR_OUT_OF_MEMORY",
            "memory allocation of 8 bytes failed",
            "Failed to allocate a buffer",
        ] {
            assert!(names_memory(text), "{text}");
        }
        for text in ["Device lost", "the memory of a mask cannot be read", ""] {
            assert!(!names_memory(text), "{text}");
        }
    }
}

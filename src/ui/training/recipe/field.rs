use super::tree::Tree;

/// A field of a recipe: where it is, what it is called, and what it may be.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its path in the file.
    pub path: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it does, in a line.
    pub help: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// The word that another field must be for this one to exist.
    pub only: Option<(&'static str, &'static [&'static str])>,
    /// The word that another field must be for this one to do anything.
    pub used: Option<(&'static str, &'static [&'static str])>,
    /// What it says where it may be nothing and is.
    pub unset: &'static str,
}

/// What a field may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number.
    Whole(u64, u64),
    /// A number.
    Real(f64, f64),
    /// One of some words: as in the file, and as people read them.
    Word(&'static [(&'static str, &'static str)]),
    /// Bands of an image: words, or a list of numbers.
    Bands,
    /// Any text.
    Text,
    /// Yes or no.
    Flag,
    /// A whole number or nothing, and what it usually is.
    MaybeWhole(u64, u64, u64),
    /// A number or nothing, and what it usually is.
    MaybeReal(f64, f64, f64),
    /// One of some words or a number of a range, and what that usually is.
    WordOrReal(&'static [(&'static str, &'static str)], (f64, f64), f64),
}

impl Field {
    /// A whole number.
    pub const fn whole(path: &'static str, words: [&'static str; 2], range: (u64, u64)) -> Self {
        Self::of(path, words, Kind::Whole(range.0, range.1))
    }

    /// A number.
    pub const fn real(path: &'static str, words: [&'static str; 2], range: (f64, f64)) -> Self {
        Self::of(path, words, Kind::Real(range.0, range.1))
    }

    /// One of some words.
    pub const fn word(
        path: &'static str,
        words: [&'static str; 2],
        choices: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self::of(path, words, Kind::Word(choices))
    }

    /// A field: its path, its title and help, and what it may be.
    pub const fn of(path: &'static str, [title, help]: [&'static str; 2], kind: Kind) -> Self {
        Self {
            path,
            title,
            help,
            kind,
            only: None,
            used: None,
            unset: "off",
        }
    }

    /// The same, if another field is one of some words.
    pub const fn only(mut self, path: &'static str, words: &'static [&'static str]) -> Self {
        self.only = Some((path, words));
        self
    }

    /// The same, which does nothing unless another field is one of some words.
    pub const fn used(mut self, path: &'static str, words: &'static [&'static str]) -> Self {
        self.used = Some((path, words));
        self
    }

    /// The same, which says this where it is nothing.
    pub const fn unset(mut self, word: &'static str) -> Self {
        self.unset = word;
        self
    }

    /// Whether a recipe has it.
    pub fn exists(&self, tree: &Tree) -> bool {
        holds(self.only, tree)
    }

    /// Whether it does anything in a recipe.
    pub fn is_used(&self, tree: &Tree) -> bool {
        holds(self.used, tree)
    }

    /// Whether all of the searched words are in what it says.
    pub fn matches(&self, searched: &str) -> bool {
        is_found(searched, &[self.path, self.title, self.help])
    }
}

fn holds(condition: Option<(&str, &[&str])>, tree: &Tree) -> bool {
    condition.is_none_or(|(path, words)| {
        let word = tree.get(path).as_str();
        word.is_some_and(|word| words.contains(&word))
    })
}

/// Whether all of the searched words are in what is said.
pub fn is_found(searched: &str, said: &[&str]) -> bool {
    let said = said.join(" ").to_lowercase();
    let searched = searched.to_lowercase();
    searched.split_whitespace().all(|word| said.contains(word))
}

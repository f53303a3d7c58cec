use std::collections::HashMap;

use super::super::class::default_name;
use super::super::{Class, ClassTable, MaskError, Rgb, UNLABELED};
use super::decisions::{MaskDecisions, Unknown, ZeroMeans};
use super::meaning::Encoding;
use super::shades::Shade;
use super::shading::squared_distance;
use super::survey::known_class;
use super::understood::Understood;
use super::zero::{class_of_zero, is_zero};

/// Colors past the listed ones whose class is remembered instead of looked for again.
const MOST_REMEMBERED: usize = 1 << 19;

/// What each shade of a file becomes, as decided.
pub(super) struct Translation {
    pub(super) classes: ClassTable,
    class_of: HashMap<Shade, u8>,
    /// For colors that were too many to be listed.
    colors: Option<Colors>,
}

impl Translation {
    /// The decided meaning of every shade.
    ///
    /// # Errors
    /// [`MaskError::ClassTable`] when new classes find no index.
    pub(super) fn new(
        understood: &Understood,
        given: Option<&ClassTable>,
        decisions: MaskDecisions,
    ) -> Result<Self, MaskError> {
        let meaning = &understood.meaning;
        let is_void = decisions.zero == ZeroMeans::Unlabeled;
        let mut classes = given.unwrap_or(&meaning.classes).clone();
        let mut class_of = HashMap::new();
        let is_coded = meaning.encoding == Encoding::Rgb;
        let colors = is_coded.then(|| Colors::new(understood, decisions));
        for (shade, _) in understood.counts.by_frequency() {
            let class = match known_class(shade, meaning, given) {
                Some(class) => class,
                None if is_void && is_zero(meaning, shade) => UNLABELED,
                None => match (decisions.unknown, &colors, meaning.color_of(shade)) {
                    (Unknown::NewClasses, Some(_), Some(color)) => add_color(&mut classes, color)?,
                    (Unknown::NewClasses, None, _) => add_number(&mut classes, shade)?,
                    (_, Some(colors), Some(color)) => colors.class_of(color),
                    _ => UNLABELED,
                },
            };
            class_of.insert(shade, class);
        }
        let mut translation = Self {
            classes,
            class_of,
            colors,
        };
        if is_void {
            translation.unlabel_zero(understood)?;
        } else if understood.origin.is_made() {
            // It was asked about and is a class like others, so it is drawn like them.
            translation.classes = translation.classes.with_background(None)?;
        }
        Ok(translation)
    }

    /// The class of a shade.
    pub(super) fn class_of(&mut self, shade: Shade) -> u8 {
        if let Some(&class) = self.class_of.get(&shade) {
            return class;
        }
        // Numbers are all listed, so what was not is a color.
        let class = match (&self.colors, shade) {
            (Some(colors), Shade::Color(color)) => colors.class_of(color),
            _ => UNLABELED,
        };
        if self.class_of.len() < MOST_REMEMBERED {
            self.class_of.insert(shade, class);
        }
        class
    }

    fn unlabel_zero(&mut self, understood: &Understood) -> Result<(), MaskError> {
        let zero = match understood.meaning.encoding {
            Encoding::Rgb => class_of_zero(&understood.meaning),
            _ => Some(0),
        };
        let Some(zero) = zero else {
            return Ok(());
        };
        for class in self.class_of.values_mut() {
            if *class == zero {
                *class = UNLABELED;
            }
        }
        // A table that somebody wrote stays as it is.
        if !understood.origin.is_named() && self.classes.get(zero).is_some() {
            self.classes = self.classes.removed(zero)?;
        }
        Ok(())
    }
}

/// The codes of the classes, for colors that are none.
struct Colors {
    codes: Vec<(Rgb, u8)>,
    /// Square of the greatest distance.
    farthest: Option<u32>,
}

impl Colors {
    fn new(understood: &Understood, decisions: MaskDecisions) -> Self {
        let codes = understood.meaning.codes.iter();
        let mut codes: Vec<(Rgb, u8)> = codes.map(|(&code, &class)| (code, class)).collect();
        if decisions.zero == ZeroMeans::Unlabeled {
            codes.retain(|(code, _)| *code != [0; 3]);
            codes.push(([0; 3], UNLABELED));
        }
        codes.sort_unstable_by_key(|&(code, class)| (class, code));
        let farthest = match decisions.unknown {
            Unknown::Nearest { max_distance } => Some(u32::from(max_distance).pow(2)),
            Unknown::Unlabeled | Unknown::NewClasses => None,
        };
        Self { codes, farthest }
    }

    /// The class of the nearest code; of equally near ones that of the lowest index.
    fn class_of(&self, color: Rgb) -> u8 {
        let Some(farthest) = self.farthest else {
            return UNLABELED;
        };
        let distance = |&(code, class): &(Rgb, u8)| (squared_distance(color, code), class);
        let nearest = self.codes.iter().map(distance).min();
        let nearest = nearest.filter(|&(distance, _)| distance <= farthest);
        nearest.map_or(UNLABELED, |(_, class)| class)
    }
}

/// The index of a new class for a number that has none.
fn add_number(classes: &mut ClassTable, shade: Shade) -> Result<u8, MaskError> {
    let index = shade.as_number().map(u8::try_from);
    let Some(Ok(index)) = index else {
        let reason = "values beyond 254 cannot be classes; leave them unlabeled".to_owned();
        return Err(MaskError::ClassTable { reason });
    };
    *classes = classes.with_values([index]);
    Ok(index)
}

/// The index of a new class for a color that has none.
fn add_color(classes: &mut ClassTable, color: Rgb) -> Result<u8, MaskError> {
    let Some(index) = (0..UNLABELED).find(|&index| classes.get(index).is_none()) else {
        let reason = "the file has more unknown colors than there are free indices; snap them to \
                      the nearest class, or leave them unlabeled";
        return Err(MaskError::ClassTable {
            reason: reason.to_owned(),
        });
    };
    let new = Class {
        codes: vec![color],
        ..Class::new(index, default_name(index), color)
    };
    let all = classes.classes().iter().cloned().chain([new]).collect();
    *classes = ClassTable::new(classes.background(), all)?;
    Ok(index)
}

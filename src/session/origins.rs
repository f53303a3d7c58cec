use super::instant::ANSWERS_NAME;
use super::labels::new_layer;
use super::state::{Layer, Session};
use super::{LayerKind, keeping::Work};
use crate::label::{Class, ClassTable, Edit, EditKind, Mask, Origin, Rgb};

/// Colors of origins: imported, by hand, then models in turn (Okabe and Ito's, which color-blind
/// people can tell apart).
const COLORS: [Rgb; 7] = [
    [150, 150, 150],
    [0, 158, 115],
    [86, 180, 233],
    [213, 94, 0],
    [204, 121, 167],
    [240, 228, 66],
    [0, 114, 178],
];

/// As by hand, darker.
const CONFIRMED_COLOR: Rgb = [0, 104, 76];

impl Session {
    /// The origins that labels of this project can have, as classes of the layer of origins.
    pub fn origins(&self) -> ClassTable {
        let models = self
            .models
            .iter()
            .map(|model| format!("accepted from {model}"));
        let names = ["imported".to_owned(), "made by hand".to_owned()];
        let class = |(index, name): (usize, String)| {
            let color = match index {
                0 | 1 => COLORS[index],
                _ => COLORS[2 + (index - 2) % (COLORS.len() - 2)],
            };
            Class::new(index as u8, name, color)
        };
        let confirmed = Origin::CONFIRMED.index();
        let all = names.into_iter().chain(models).enumerate();
        let all = all.take(usize::from(confirmed)).map(class);
        let is_any = self.origin_areas()[usize::from(confirmed)] > 0;
        let right = Class::new(confirmed, "found right by hand", CONFIRMED_COLOR);
        let classes = all.chain(is_any.then_some(right)).collect();
        ClassTable::new(None, classes).expect("each has an index of its own")
    }

    /// Whose work an edit of this kind is.
    pub(super) fn origin_of(&mut self, kind: EditKind) -> Origin {
        match kind {
            EditKind::Import => Origin::IMPORTED,
            EditKind::Accept => {
                let name = self.prediction_name();
                self.origin_of_model(name)
            }
            _ => Origin::HAND,
        }
    }

    fn origin_of_model(&mut self, name: String) -> Origin {
        let known = self.models.iter().position(|model| *model == name);
        let place = known.unwrap_or_else(|| {
            self.models.push(name.clone());
            if let Some(keeper) = &mut self.keeper {
                let place = self.models.len() - 1;
                keeper.give(Work::Model { place, name });
            }
            self.models.len() - 1
        });
        Origin::model(place)
    }

    /// The run whose network made the prediction, else the file that it was read from, unless
    /// instant answers gave it.
    pub(super) fn prediction_name(&self) -> String {
        let shown = self.prediction.as_ref().map(|layer| layer.id);
        if shown.is_some() && shown == self.study.instant.layer() {
            return ANSWERS_NAME.to_owned();
        }
        let file = self
            .prediction
            .as_ref()
            .and_then(|layer| layer.path.as_ref());
        let path = self.maker().map(|made| &made.run).or(file);
        let name = path.and_then(|path| path.file_name());
        name.map_or_else(
            || "a prediction".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// Puts the origins of another label in place.
    pub(super) fn replace_origins(&mut self, mask: Option<Mask>) {
        let shown = self
            .origins
            .as_ref()
            .map(|old| (old.is_visible, old.opacity));
        let layer = mask.map(|mask| {
            let fresh = new_layer(self.next_number(), mask);
            let (is_visible, opacity) = shown.unwrap_or((false, fresh.opacity));
            Layer {
                is_visible,
                opacity,
                ..fresh
            }
        });
        self.put_layer(LayerKind::Origins, layer);
    }

    /// Notes whose work an edit is that was carried out on the label: that of `model`, else of what
    /// is there now.
    pub(super) fn signed(&mut self, edit: Edit, model: Option<String>) -> Edit {
        let origin = match model {
            Some(model) => self.origin_of_model(model),
            None => self.origin_of(edit.kind),
        };
        match &mut self.origins {
            Some(origins) => edit.with_origin(&mut origins.mask, origin),
            None => edit,
        }
    }
}

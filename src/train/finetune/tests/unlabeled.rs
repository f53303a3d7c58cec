//! Whether a click learns from ground without labels.

use super::*;
use crate::train::{Unlabeled, UpdateConfig};

impl World {
    /// A model of the wrong label that learned from ground without labels, too.
    fn parent_of_all_ground(&self, name: &str, unlabeled: Unlabeled) -> PathBuf {
        let recipe = Recipe {
            unlabeled,
            updates: UpdateConfig {
                ema: Some(0.9),
                ..UpdateConfig::default()
            },
            ..quick()
        };
        let image = self.image();
        let source = open_raster(&image).expect("an image");
        let scene = Scene::tiled(name.to_owned(), source, self.wrong(), 1 << 24);
        let ground = Ground::Image(scene.into());
        let plan = TrainPlan::new(recipe, ground, classes(), self.run(name)).expect("a plan");
        self.trained(plan.reading(TrainData::Image { image }));
        self.run(name)
    }

    /// The recipe of a click on `parent`, which is planned and not trained.
    fn clicked(&self, parent: &Path, unlabeled: Option<Unlabeled>) -> Recipe {
        let mut order = self.order(Some(parent), &ALL_CELLS);
        order.options.unlabeled = unlabeled;
        let plan = order.plan(self.run("click"), &Watch::NOBODY);
        plan.expect("a plan").recipe().clone()
    }
}

#[test]
fn a_click_learns_from_unlabeled_ground_as_the_chain_did_unless_another_way_is_asked_for() {
    let world = World::new();
    let share = |share| Unlabeled {
        share,
        ..Unlabeled::default()
    };
    let weak = Unlabeled {
        weight: 0.5,
        ..share(0.5)
    };
    let all = world.parent_of_all_ground("all", weak);
    let recipe = world.clicked(&all, None);
    assert_eq!((recipe.unlabeled, recipe.updates.ema), (weak, Some(0.9)));
    assert_eq!(world.clicked(&all, Some(share(0.0))).unlabeled, share(0.0));

    let labels_alone = world.parent("labels");
    assert_eq!(world.clicked(&labels_alone, None).unlabeled, share(0.0));
    let asked = world.clicked(&labels_alone, Some(share(1.0)));
    assert_eq!(asked.unlabeled, share(1.0));
    assert!(asked.updates.ema.is_some(), "it has a teacher");
}

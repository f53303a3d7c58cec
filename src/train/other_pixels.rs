//! A model meets images whose pixels are of another size than those it learned from.

use std::sync::Arc;

use super::test_world::{SIZE, World, class_at, classes, events_of, recipe, truth};
use super::{DeviceChoice, Engine, PredictEvent, PredictPlan, Recipe, SavedModel, TrainPlan};
use crate::dataset::{Ground, Scene};
use crate::geom::ImageSize;
use crate::job::{JobEvent, Waker};
use crate::label::Mask;

fn predicted(engine: &Engine, plan: PredictPlan, size: ImageSize) -> Mask {
    let job = engine.predict(plan, Waker::none());
    let mut mask = Mask::new(size);
    for event in events_of(&job) {
        match event {
            JobEvent::Said(PredictEvent::Block { rect, classes, .. }) => {
                mask.set_rect(rect, &classes);
            }
            JobEvent::Failed(why) => panic!("{why}"),
            _ => {}
        }
    }
    mask
}

#[test]
fn finer_images_are_read_as_the_model_learned_and_answered_on_their_own_grid() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let scene = Scene::tiled("w".to_owned(), World::on_the_map(1), truth(), 1 << 22);
    let recipe = Recipe {
        epochs: 6,
        ..recipe()
    };
    let ground = Ground::Image(Arc::new(scene));
    let plan = TrainPlan::new(recipe, ground, classes(), run.clone()).expect("a plan");
    let engine = Engine::start().expect("a thread");
    events_of(&engine.train(plan, Waker::none()));
    let model = SavedModel::load(&run).expect("a model");
    assert_eq!(model.card().pixel_size, Some(0.5));
    let plan = |source| PredictPlan::new(&run, source, DeviceChoice::Cpu).expect("a plan");
    let size = ImageSize::new(SIZE.width * 3, SIZE.height * 3);
    let fine = plan(World::on_the_map(3));
    assert!(fine.notes()[0].contains("1.5 times"), "{:?}", fine.notes());
    let mask = predicted(&engine, fine, size);
    let found = mask.read_rect(size.bounds());
    let is_right = |at: &usize| {
        let (x, y) = (*at as u32 % size.width / 3, *at as u32 / size.width / 3);
        found[*at] == class_at(x, y)
    };
    let right = (0..found.len()).filter(is_right).count();
    // A fortieth has no data.
    assert!(right * 100 > found.len() * 88, "{right} of {}", found.len());
    let void = found
        .iter()
        .map(|&class| usize::from(class == 255))
        .sum::<usize>();
    assert_eq!(void, 6 * 3 * 200 * 3);
    // Without a place on the map the image is read as it is, and that is said.
    let unknown = plan(World::new());
    assert_eq!(unknown.notes().len(), 1);
    let own = predicted(&engine, plan(World::on_the_map(1)), SIZE);
    let as_is = predicted(&engine, unknown, SIZE);
    assert_eq!(own.read_rect(SIZE.bounds()), as_is.read_rect(SIZE.bounds()));
}

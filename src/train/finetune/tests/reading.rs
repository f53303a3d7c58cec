//! How often judging ground was read, and by whom.

use super::*;

impl World {
    /// Judges a run on its test part, as the Run page does.
    fn judged(&self, name: &str) {
        let plan = JudgePlan::new(self.run(name), ScoredOn::Test, 1 << 24);
        let plan = plan.expect("a test part");
        let events = events_of(&self.engine.judge(plan, Waker::none()));
        assert_eq!(events.last(), Some(&JobEvent::Finished), "{events:?}");
    }

    /// How often the ground of a verdict was read, and how often of these for a test part.
    fn reads(&self, name: &str) -> (u32, u32) {
        let verdict = self.verdict(&self.run(name));
        (verdict.reads, verdict.test_reads)
    }

    /// Trains `name` from `parent` on all cells of the other image.
    fn learned_elsewhere(&self, name: &str, parent: &str) -> Lineage {
        let [image, label] = ["images", "masks"].map(|kind| self.run(kind).join("01.png"));
        let label = mask(&label);
        let order = FinetuneOrder {
            source: open_raster(&image).expect("an image"),
            origins: Some(label.origins_from(Origin::IMPORTED)),
            label,
            image,
            ..self.order(Some(&self.run(parent)), &ALL_CELLS)
        };
        let plan = order.plan(self.run(name), &Watch::NOBODY).expect("a plan");
        self.trained(plan);
        lineage(&self.run(name))
    }
}

#[test]
fn judging_a_fine_tuning_on_its_test_part_reads_the_judging_ground() {
    let world = World::new();
    world.parent_elsewhere("parent");
    world.learned("one", "parent");
    world.judged("one");
    world.judged("one");
    assert_eq!(world.reads("one"), (3, 2));
    // Another model on the same ground.
    world.learned("two", "parent");
    assert_eq!(world.reads("two"), (4, 2));
    world.judged("one");
    assert_eq!(world.reads("two"), (6, 3));
    // What was counted stays known where a run is gone.
    std::fs::remove_dir_all(world.run("one")).expect("removed");
    assert_eq!(world.reads("two"), (7, 3));
}

#[test]
fn judging_a_first_training_reads_what_judges_those_that_come_of_it() {
    let world = World::new();
    world.parent_ahead("parent");
    world.judged("parent");
    let child = world.learned("child", "parent");
    assert_eq!(child.held_out.judging.len(), 8);
    assert_eq!(world.reads("child"), (2, 1));
}

#[test]
fn what_was_learned_on_another_image_is_asked_where_that_was_judged() {
    let world = World::new();
    world.parent("parent");
    let before = world.learned_elsewhere("before", "parent");
    let of_before = world.verdict(&world.run("before"));
    assert_eq!((of_before.blocks, of_before.reads), (8, 1));
    assert_eq!(of_before.elsewhere, None);

    world.learned("one", "before");
    let verdict = world.verdict(&world.run("one"));
    let asked = verdict.elsewhere.expect("ground of the other image");
    assert_eq!(asked.image, before.image);
    assert_eq!(asked.blocks, before.held_out.judging);
    assert_eq!((asked.reads, asked.test_reads), (2, 0));
    assert_eq!(asked.scores.images, 8);
    assert_eq!(Some(&asked.scores.before), of_before.after.as_ref());
    let words = asked.in_words().expect("a gain");
    assert!(words.contains(" on 01.png, read 2 times by"), "{words}");

    // Each model that comes of it reads it once more, and so does another verdict there.
    world.learned("two", "one");
    let verdict = world.verdict(&world.run("two"));
    assert_eq!(verdict.elsewhere.map(|asked| asked.reads), Some(3));
    assert_eq!(world.reads("before"), (4, 0));
    // Another image in its place is not it.
    std::fs::copy(world.image(), &before.image).expect("a copy");
    let verdict = world.verdict(&world.run("two"));
    assert_eq!(verdict.elsewhere, None);
}

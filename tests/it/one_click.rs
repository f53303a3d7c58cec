//! The loop as a whole: one click makes a better model the active one, one takes it back, and a
//! model that was refused can be used all the same.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::label::{
    Class, ClassTable, Encoding, Mask, SaveAs, UNLABELED, load_mask, save_mask,
};
use orthobrush::session::{
    Command, FinetuneCommand, FinetunePhase, LayerKind, Predicting, Session, Severity,
};
use orthobrush::train::{Decision, DeviceChoice, FinetuneOptions, Recipe, SavedModel, Verdict};

use crate::fixture::finish;
use crate::improving::{accepted_from, activate, chain, kept, learn, mark_done, prediction};
use crate::training::{quick, start};

const MEADOW: u8 = 0;
const WATER: u8 = 2;
/// Columns and rows of the corrected image: four cells, the fewest that judge.
const SIDE: u32 = 2_048;

fn class_at(x: u32, y: u32) -> u8 {
    ((x / 96 + y / 64) % 3) as u8
}

/// Writes an image of three classes in plain colors with some grain, and its label, in which water
/// is meadow where the label does not know it.
fn write_world(folder: &Path, side: u32, knows_water: bool) -> PathBuf {
    let colors = [[70_u8, 110, 60], [150, 90, 80], [60, 80, 140]];
    let image = image::RgbImage::from_fn(side, side, |x, y| {
        let grain = ((x * 7 + y * 13) % 40) as u8;
        image::Rgb(colors[usize::from(class_at(x, y))].map(|level| level + grain))
    });
    std::fs::create_dir_all(folder).expect("a folder");
    let ortho = folder.join("ortho.png");
    image.save(&ortho).expect("saved");

    let places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    let labels: Vec<u8> = places
        .map(|(x, y)| match class_at(x, y) {
            WATER if !knows_water => MEADOW,
            class => class,
        })
        .collect();
    let mut mask = Mask::new(ImageSize::new(side, side));
    mask.set_rect(PixelRect::new(0, 0, side, side), &labels);
    let classes = vec![
        Class::new(MEADOW, "meadow", [58, 125, 66]),
        Class::new(1, "roof", [230, 159, 0]),
        Class::new(WATER, "water", [0, 114, 178]),
    ];
    let classes = ClassTable::new(Some(MEADOW), classes).expect("a table");
    let label = folder.join("ortho_label.png");
    save_mask(&label, &mask, &classes, None, SaveAs::IndexPng).expect("saved");
    classes.save(&folder.join("classes.toml")).expect("saved");
    ortho
}

/// Trains a small network on an image whose label does not know water.
fn train_parent(folder: &Path) -> PathBuf {
    let run = folder.join("parent");
    let ortho = write_world(&folder.join("before"), 1_024, false);
    let recipe = Recipe {
        steps_per_epoch: 8,
        batch: 8,
        learning_rate: 1e-2,
        ..quick()
    };
    finish(&mut kept(&ortho), start(recipe, &run));
    run
}

/// The one click. A rate of 1 is that of the parent's training.
fn improve(out: &Path, (rate_share, epochs): (f64, u32)) -> Command {
    let options = FinetuneOptions {
        epochs,
        rate_share,
        ..FinetuneOptions::default()
    };
    learn(options, out)
}

/// Does `command` to its end; what was said, and no error is among it.
fn said(session: &mut Session, command: Command) -> String {
    let began = Instant::now();
    let mut said = String::new();
    session.apply(command).expect("the command is accepted");
    loop {
        let taken = session.pump(64);
        session.check_invariants();
        for notice in session.take_notices() {
            assert!(notice.severity != Severity::Error, "{}", notice.text);
            said.push_str(&notice.text);
        }
        if session.is_idle() && taken == 0 {
            return said;
        }
        assert!(began.elapsed() < Duration::from_mins(5), "it does not end");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[track_caller]
fn verdict(session: &Session) -> &Verdict {
    match &session.finetuning().phase {
        FinetunePhase::Judged(verdict) => verdict,
        phase => panic!("{phase:?}"),
    }
}

/// Share of the label's pixels of which the prediction says the same.
fn agreement(session: &Session) -> f64 {
    let label = session.layer(LayerKind::Label).expect("a label");
    let bounds = label.mask.size().bounds();
    let (label, said) = (
        label.mask.read_rect(bounds),
        prediction(session).mask.read_rect(bounds),
    );
    let alike = label.iter().zip(&said).filter(|(a, b)| a == b).count();
    alike as f64 / label.len() as f64
}

/// The names of the models that share an ancestor with the active one, and how far down they are.
fn family(session: &Session) -> Vec<(String, usize)> {
    let family = session.finetuning().family.iter();
    let named = family.filter_map(|it| Some((it.model.run.file_name()?, it.depth)));
    named
        .map(|(name, depth)| (name.to_string_lossy().into_owned(), depth))
        .collect()
}

/// What the checkpoint of `child` says of where it comes from: its parent, its data, its recipe and
/// its scores.
fn check_card(child: &Path, [parent, ortho]: [&Path; 2]) {
    let card = SavedModel::card_of(child).expect("a model");
    let lineage = card.lineage.expect("a fine-tuned one");
    let before = SavedModel::load(parent).expect("a model").weights_print();
    let from = lineage.parent.expect("a parent");
    assert_eq!((&*from.run, from.weights), (parent, before));

    let all = u64::from(SIDE) * u64::from(SIDE);
    let learned = &lineage.learned;
    assert_eq!((lineage.generation, &*lineage.image), (1, ortho));
    assert_eq!((learned.done_cells, learned.trusted_pixels), (4, all));
    let size = ImageSize::new(SIDE, SIDE);
    let path = child.join("label.tif");
    let kept = load_mask(&path, Some(size), Encoding::Index, None).expect("a label");
    let histogram = kept.mask.histogram();
    assert_eq!(histogram[usize::from(UNLABELED)], 0);
    assert!(histogram[usize::from(WATER)] > all / 4);
    let environment = std::fs::read(child.join("environment.json")).expect("a file");
    let environment: serde_json::Value = serde_json::from_slice(&environment).expect("JSON");
    let fingerprint = card.data_fingerprint.expect("a fingerprint");
    assert_eq!(environment["data_fingerprint"], fingerprint);

    let recipe = Recipe::from_toml(&card.recipe.expect("a recipe"));
    let written = Recipe::load(&child.join("recipe.toml")).expect("a recipe");
    assert_eq!(recipe, Ok(written));
    let scores = card.metrics.expect("scores");
    assert!(scores.mean_iou > Some(0.9), "{scores:?}");
}

/// A session on an image whose work is kept beside it, which predicts on the processor.
fn on_processor(ortho: &Path) -> Session {
    let mut session = kept(ortho);
    let cpu = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(cpu));
    session
}

/// The image with four done cells, all of it predicted by `parent`, which is active.
fn corrected(ortho: &Path, parent: &Path) -> Session {
    let mut session = on_processor(ortho);
    finish(&mut session, activate(parent));
    finish(&mut session, Command::predict(None));
    for cell in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        mark_done(&mut session, cell);
    }
    session
}

#[test]
fn one_click_takes_a_better_model_one_gives_it_back_and_a_refused_one_can_be_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let [child, worse] = ["child", "worse"].map(|name| folder.path().join(name));
    let parent = train_parent(folder.path());
    let ortho = write_world(&folder.path().join("now"), SIDE, true);
    let mut session = corrected(&ortho, &parent);
    assert!(agreement(&session) < 0.8, "it does not know water");
    let by_parent = prediction(&session).mask.clone();

    // Better for sure: it is the active one without another word.
    let words = said(&mut session, improve(&child, (1.0, 4)));
    let judged = verdict(&session);
    assert_eq!((&judged.decision, judged.blocks), (&Decision::Promoted, 8));
    let water = judged.gain.per_class[usize::from(WATER)].as_ref();
    assert!(water.expect("water").low > 0.5, "{:?}", judged.gain);
    assert!(words.contains("is better and active now"), "{words}");
    let log = std::fs::read_to_string(child.join("log.txt")).expect("a log");
    assert!(
        log.contains("\tJudged better than the model before: +"),
        "{log}"
    );
    check_card(&child, [&parent, &ortho]);
    assert_eq!(session.finetuning().active.as_deref(), Some(&*child));
    assert_eq!(chain(&session), ["child", "parent"]);
    assert_eq!(session.prediction_state().run.as_deref(), Some(&*child));
    assert!(session.prediction_state().is_complete);
    assert!(agreement(&session) > 0.95);
    assert_eq!(accepted_from(&mut session), ["accepted from child"]);

    // One command goes back, also after a restart.
    finish(&mut session, activate(&parent));
    assert!(prediction(&session).mask == by_parent);
    assert_eq!(session.prediction_state().run.as_deref(), Some(&*parent));
    drop(session);
    let mut session = on_processor(&ortho);
    assert_eq!(session.finetuning().active.as_deref(), Some(&*parent));
    assert_eq!(chain(&session), ["parent"]);
    let of_both = [("parent".to_owned(), 0), ("child".to_owned(), 1)];
    assert_eq!(family(&session), of_both);

    // With a rate that tears down what was learned it gets worse and is refused; it is used anyway.
    let view = PixelRect::new(100, 200, 300, 250);
    let look = Command::Finetune(FinetuneCommand::Look(view));
    finish(&mut session, look);
    finish(&mut session, activate(&child));
    let words = said(&mut session, improve(&worse, (100.0, 1)));
    let decision = &verdict(&session).decision;
    assert!(matches!(decision, Decision::Kept(_)), "{decision:?}");
    assert!(words.contains("The model before stays active"), "{words}");
    assert_eq!(session.finetuning().active.as_deref(), Some(&*child));
    assert_eq!(session.prediction_state().run.as_deref(), Some(&*child));
    finish(&mut session, activate(&worse));
    assert_eq!(session.finetuning().active.as_deref(), Some(&*worse));
    assert_eq!(chain(&session), ["worse", "child", "parent"]);
    assert_eq!(session.prediction_state().run.as_deref(), Some(&*worse));
}

//! The training area of the window: runs, runs compared, data sets and recipes.

use std::fs;
use std::path::{Path, PathBuf};

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use image::{GrayImage, Luma, Rgb, RgbImage};
use orthobrush::app::App;
use orthobrush::dataset::Corrections;
use orthobrush::dataset::parts::PartRule;
use orthobrush::geom::ImageSize;
use orthobrush::label::ClassTable;
use orthobrush::metrics::Confusion;
use orthobrush::session::{Command, DataCommand, ScoredGround, VariedPatch};
use orthobrush::train::{EpochFiles, Patch, Recipe, write_run_files, write_strip};

use crate::fixture::{own_sample, turn};
use crate::training::{quick, start};
use crate::window::{session, set_number, settle, window};

/// A finished run of three epochs beside the image; its scores follow from `right`, the pixels of
/// 100 that were right.
fn made_run(folder: &Path, name: &str, right: u64) -> PathBuf {
    let run = folder.join("orthobrush-runs").join(name);
    fs::create_dir_all(&run).expect("a folder");
    let write = |name: &str, text: &str| {
        orthobrush::disk::replace_file(&run.join(name), text.as_bytes()).expect("written");
    };
    let recipe = Recipe {
        epochs: 3,
        steps_per_epoch: 2,
        ..Recipe::default()
    };
    write("recipe.toml", &recipe.to_toml());
    let classes = ClassTable::road();
    classes.save(&run.join("classes.toml")).expect("written");
    let iou = right as f64 / 100.0;
    let row = |epoch: u32| {
        let (loss, best) = (1.0 / f64::from(epoch), epoch < 3);
        format!("{epoch},{loss},{loss},{iou},{iou},{iou},{iou},1e-3,2.00,{best}")
    };
    let rows = [1, 2, 3].map(row).join("\n");
    write(
        "metrics.csv",
        &format!(
            "epoch,train_loss,val_loss,mean_iou,pixel_accuracy,iou_background,iou_road,lr,seconds,best\n{rows}\n"
        ),
    );
    write(
        "steps.csv",
        "step,loss\n1,2.0\n2,1.0\n3,0.9\n4,0.5\n5,0.4\n6,0.3\n",
    );
    for epoch in 1..=3 {
        let mut confusion = Confusion::new(2);
        confusion.add_many(0, 0, 300);
        confusion.add_many(1, 1, right);
        confusion.add_many(1, 0, 100 - right);
        let files = EpochFiles {
            epoch,
            is_best: epoch < 3,
            confusion: &confusion,
            classes: &classes,
        };
        write_run_files(&run, &files).expect("written");
        let patch = Patch {
            size: ImageSize::new(2, 2),
            image: &[90; 16],
            labels: &[0, 1, 0, 1],
            prediction: &[0, 1, 1, 1],
        };
        write_strip(&run, (0, epoch), &patch, &classes).expect("written");
    }
    write("report.md", "over");
    run
}

/// A window with two runs beside its image, in the training area.
pub fn shown() -> (tempfile::TempDir, Harness<'static, App>) {
    let (folder, ortho) = own_sample();
    made_run(folder.path(), "first", 40);
    made_run(folder.path(), "second", 70);
    let mut harness = window(Some(&ortho));
    harness.key_press(Key::F8);
    harness.run_steps(2);
    settle(&mut harness);
    (folder, harness)
}

pub fn press(harness: &mut Harness<'_, App>, label: &str) {
    // By its name: it may have to be scrolled to.
    harness.get_by_label(label).click_accesskit();
    harness.run_steps(3);
    settle(harness);
}

#[test]
fn a_finished_run_is_shown_and_its_classes_are_sorted() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    assert_eq!(session(&harness).runs().entries.len(), 2);
    press(&mut harness, "first");
    harness.get_by_label("Loss, 3 epochs");
    harness.get_by_label("Scores on the validation ground, 3 epochs");
    harness.get_by_label("Confusion matrix, 2 classes");
    harness.get_by_label("Sample 1 after epoch 2");
    harness.get_by_label("Finished all 3 epochs");
    let is_road_above = |harness: &Harness<'_, App>| {
        let y = |name: &str| harness.get_by_label(name).rect().top();
        y("road") < y("background")
    };
    assert!(!is_road_above(&harness), "at first by index");
    press(&mut harness, "IoU");
    assert!(is_road_above(&harness), "the worst class first");
}

#[test]
fn numbers_of_runs_say_what_ground_they_are_of() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    let word = "held-out, unreviewed";
    let is_said = |harness: &Harness<'_, App>| harness.query_all_by_label(word).next().is_some();
    press(&mut harness, "Recipe");
    assert!(!is_said(&harness), "there is no number yet");
    press(&mut harness, "Run");
    press(&mut harness, "first");
    for score in ["Mean IoU", "Pixel accuracy"] {
        harness.get_by_label(&format!("{score} · {word}"));
    }
    assert!(is_said(&harness), "beside the table of classes");
    press(&mut harness, "Compare first");
    press(&mut harness, "Compare second");
    assert_eq!(harness.query_all_by_label(word).count(), 2, "one a run");
}

#[test]
fn the_train_panel_says_what_ground_its_curves_are_of() {
    let _turn = turn();
    let (folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let training = start(quick(), &folder.path().join("run"));
    harness.state_mut().perform(vec![training]);
    harness.run_steps(3);
    settle(&mut harness);
    let ground = session(&harness).training().ground();
    assert_eq!(ground, ScoredGround::HeldOutUnreviewed);
    let words = harness.query_all_by_label(ground.word());
    assert_eq!(words.count(), 2, "of the scores and of the classes");
}

#[test]
fn all_figures_of_a_run_are_behind_a_fold() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    press(&mut harness, "first");
    let figures = [
        "Mean class accuracy",
        "Mean F1",
        "Frequency-weighted IoU",
        "Pooled IoU",
        "Cohen's kappa",
    ];
    for name in figures {
        assert!(harness.query_by_label(name).is_none(), "{name}");
    }
    press(&mut harness, "All figures");
    for name in figures {
        harness.get_by_label(name);
    }
}

#[test]
fn a_run_without_a_test_part_cannot_be_judged() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    let judge = "Judge on test part";
    assert!(harness.get_by_label(judge).accesskit_node().is_disabled());
    harness.get_by_label(judge).click();
    harness.run_steps(3);
    settle(&mut harness);
    assert_eq!(session(&harness).judging().run, None);
}

#[test]
fn the_slider_shows_the_patches_of_another_epoch() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    harness
        .get_by_role_and_label(egui::Role::Slider, "Epoch")
        .focus();
    harness.step();
    harness.key_press(Key::ArrowRight);
    harness.run_steps(3);
    settle(&mut harness);
    harness.get_by_label("Sample 1 after epoch 3");
    let classes = "Classes (validation, epoch 3, chosen below)";
    harness.get_by_label(classes);
    let of_best = "this is not of epoch 3";
    assert!(harness.query_by_label_contains(of_best).is_some());
    press(&mut harness, "Best");
    assert!(harness.query_by_label(classes).is_none());
    harness.get_by_label("Sample 1 after epoch 2");
}

#[test]
fn ticked_runs_are_overlaid_and_compared_with_the_pinned_one() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    press(&mut harness, "Compare first");
    press(&mut harness, "Compare second");
    harness.get_by_label("Validation loss, 3 epochs");
    harness.get_by_label("Mean IoU, 3 epochs");
    assert!(harness.query_by_label("+0.300").is_none());
    press(&mut harness, "Pin first");
    assert!(
        harness.query_all_by_label("+0.300").next().is_some(),
        "the road's IoU is 0.3 above the baseline's"
    );
}

#[test]
fn tables_reports_and_curves_are_written() {
    let _turn = turn();
    let (folder, mut harness) = shown();
    let export = |harness: &mut Harness<'_, App>, name: &str| -> Vec<u8> {
        let path = folder.path().join(name);
        press(harness, "Export…");
        // What is suggested gives way.
        harness.get_by_label("Path").focus();
        harness.step();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        harness.step();
        harness
            .get_by_label("Path")
            .type_text(path.to_str().expect("a plain path"));
        harness.run_steps(2);
        harness.get_by_label("Save").click();
        harness.run_steps(2);
        let began = std::time::Instant::now();
        while !path.exists() && began.elapsed().as_secs() < 60 {
            harness.step();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        settle(harness);
        fs::read(&path).expect("written")
    };
    let report = export(&mut harness, "run.html");
    assert!(report.starts_with(b"<!DOCTYPE html>"));
    let picture = export(&mut harness, "curves.png");
    assert!(picture.starts_with(b"\x89PNG"));
    press(&mut harness, "Compare first");
    press(&mut harness, "Compare second");
    let table = export(&mut harness, "runs.csv");
    let table = String::from_utf8(table).expect("text");
    assert_eq!(table.lines().count(), 3, "{table}");
}

/// Opens a data set on its page.
pub fn look_at(harness: &mut Harness<'_, App>, set: &Path) {
    press(harness, "Data");
    press(harness, "Open dataset…");
    let path = set.to_str().expect("a plain path");
    harness.get_by_label("Path").type_text(path);
    harness.run_steps(2);
    harness.get_by_label("Open").click();
    harness.run_steps(3);
    settle(harness);
}

#[test]
fn the_threshold_of_black_and_white_masks_is_corrected_on_the_page() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    let set = tempfile::tempdir().expect("a folder");
    for part in ["images", "masks"] {
        fs::create_dir_all(set.path().join(part)).expect("a folder");
    }
    for name in ["a.png", "b.png"] {
        let grey = |x: u32, _| Luma([[0, 100, 200, 255][x as usize / 16]]);
        let mask = GrayImage::from_fn(64, 64, grey);
        mask.save(set.path().join("masks").join(name))
            .expect("saved");
        let color = |x: u32, y: u32| Rgb([x * 4, y * 4, x + y].map(|value| value as u8));
        let image = RgbImage::from_fn(64, 64, color);
        image
            .save(set.path().join("images").join(name))
            .expect("saved");
    }
    look_at(&mut harness, set.path());
    let pixels = |harness: &Harness<'_, App>| {
        let data = session(harness).data().expect("a data set");
        let inspection = data.inspection.as_ref().expect("an inspection");
        let classes = inspection.classes.iter().map(|class| class.pixels);
        classes.collect::<Vec<u64>>()
    };
    assert_eq!(pixels(&harness), [4_096, 4_096]);
    press(&mut harness, "Recognized wrongly?");
    let field = (egui::Role::SpinButton, "Bright from");
    harness.get_by_role_and_label(field.0, field.1).focus();
    harness.run_steps(3);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("90".to_owned()));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    settle(&mut harness);
    let data = session(&harness).data().expect("a data set");
    assert_eq!(data.corrections.threshold, Some(90));
    assert_eq!(pixels(&harness), [2_048, 6_144]);
    press(&mut harness, "In the middle");
    assert_eq!(pixels(&harness), [4_096, 4_096]);
}

#[test]
fn a_data_set_is_looked_at_before_it_is_learned_from() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    let set = tempfile::tempdir().expect("a folder");
    let paths = crate::fixture::sample();
    for (kind, file) in [("images", &paths.ortho), ("masks", &paths.label)] {
        for (part, name) in [("train", "a.tif"), ("val", "b.tif")] {
            let folder = set.path().join(part).join(kind);
            fs::create_dir_all(&folder).expect("a folder");
            fs::copy(file, folder.join(name)).expect("a copy");
        }
    }
    look_at(&mut harness, set.path());
    // Pictures are made of what is in sight.
    harness.get_by_label("Find a sample").scroll_to_me();
    harness.run_steps(3);
    settle(&mut harness);
    let data = session(&harness).data().expect("a data set");
    assert_eq!(data.pictures.len(), 2);
    assert!(
        data.leaks
            .as_ref()
            .is_some_and(|report| !report.leaks.is_empty())
    );
    harness.get_by_label("Scores will be better than the network is");
    let other_split = "What the parts share is of another split than the recipe's; look again.";
    assert!(harness.query_by_label(other_split).is_none());
    harness.get_by_label("Majority baseline");
    harness.get_by_label("Sample a");
    let look = DataCommand::Look {
        folder: set.path().to_owned(),
        parts: Box::new(PartRule::default()),
        corrections: Corrections::default(),
    };
    harness.state_mut().perform(vec![Command::Data(look)]);
    harness.run_steps(3);
    settle(&mut harness);
    harness.get_by_label(other_split);
    press(&mut harness, "Look again");
    harness.run_steps(3);
    settle(&mut harness);
    assert!(harness.query_by_label(other_split).is_none());
}

#[test]
fn patches_of_a_data_set_are_varied_without_an_image() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    crate::program::tiles(&data);
    let mut harness = window(None);
    harness.key_press(Key::F8);
    harness.run_steps(2);
    press(&mut harness, "Recipe");
    assert!(harness.query_by_label("16 varied patches").is_none());
    let look = DataCommand::Look {
        folder: data,
        parts: Box::new(Recipe::default().parts()),
        corrections: Corrections::default(),
    };
    harness.state_mut().perform(vec![Command::Data(look)]);
    harness.run_steps(3);
    settle(&mut harness);
    harness.get_by_label("16 varied patches");
    let patches = |harness: &Harness<'_, App>| {
        let patches = session(harness).varied().patches.clone();
        patches.expect("asked for").expect("drawn")
    };
    let first = patches(&harness);
    let is_labeled = |patch: &VariedPatch| patch.labels.pixels.iter().any(|&value| value > 0);
    assert!(first.iter().any(is_labeled));
    press(&mut harness, "Draw others");
    let others = patches(&harness);
    assert_ne!(first[0].image.pixels, others[0].image.pixels);
    assert!(session(&harness).image().is_none());
}

#[test]
fn a_recipe_is_edited_marked_and_taken_back() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    press(&mut harness, "Recipe");
    harness.get_by_label("16 varied patches");
    assert!(harness.query_by_label("Reset Epochs").is_none());
    set_number(&mut harness, "Epochs", "31");
    press(&mut harness, "Reset Epochs");
    assert!(harness.query_by_label("Reset Epochs").is_none());
    harness.get_by_label("Find a field").focus();
    harness.step();
    harness.event(egui::Event::Text("momentum".to_owned()));
    harness.run_steps(3);
    assert!(harness.query_by_label("Epochs").is_none());
}

#[test]
fn the_title_of_a_group_finds_all_of_its_fields() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    press(&mut harness, "Recipe");
    harness.get_by_label("Find a field").focus();
    harness.step();
    harness.event(egui::Event::Text("length and".to_owned()));
    harness.run_steps(3);
    for field in ["Epochs", "Batch"] {
        assert!(harness.query_by_label(field).is_some(), "{field}");
    }
    assert!(harness.query_by_label("Rate").is_none());
}

#[test]
fn what_is_held_out_is_chosen_by_a_list_and_counted() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let set = folder.path().join("data");
    crate::program::tiles(&set);
    let mut harness = window(None);
    harness.key_press(Key::F8);
    harness.run_steps(2);
    look_at(&mut harness, &set);
    let names: Vec<String> = {
        let data = session(&harness).data().expect("a data set");
        let discovery = data.discovery.as_ref().expect("recognized");
        let samples = discovery.samples.iter();
        let labelled = samples.filter(|sample| sample.mask.is_some());
        labelled.map(|sample| sample.name.clone()).collect()
    };
    let list = set.join("chosen.txt");
    orthobrush::disk::replace_file(&list, names[0].as_bytes()).expect("written");
    press(&mut harness, "Recipe");
    harness.get_by_label("Find a field").focus();
    harness.step();
    harness.event(egui::Event::Text("parts".to_owned()));
    harness.run_steps(3);
    settle(&mut harness);
    let counted = "files for training";
    assert!(harness.query_by_label_contains(counted).is_some());
    let way = (egui::Role::ComboBox, "What is held out");
    harness
        .get_by_role_and_label(way.0, way.1)
        .click_accesskit();
    harness.run_steps(3);
    press(&mut harness, "By lists of names");
    press(&mut harness, "Choose the validation list");
    let path = list.to_str().expect("a plain path");
    harness.get_by_label("Path").type_text(path);
    harness.run_steps(2);
    harness.get_by_label("Open").click();
    harness.run_steps(3);
    settle(&mut harness);
    harness.get_by_label("chosen.txt");
    let rest = names.len() - 1;
    let words = format!("{rest} files for training, 1 for validation, 0 for the test");
    harness.get_by_label(&words);
    press(&mut harness, "Leave the validation list out");
    assert!(harness.query_by_label("chosen.txt").is_none());
}

//! What was recognized of a data set, corrected on the Data page.

use std::fs;
use std::path::Path;

use egui::{Key, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use image::{GrayImage, Luma, RgbImage};
use orthobrush::app::{App, AppConfig};
use orthobrush::dataset::{Corrections, Discovery};

use crate::fixture::turn;
use crate::window::{session, settle, window_of};

/// A window on the Data page that shows a data set.
fn showing(set: &Path) -> Harness<'static, App> {
    let mut harness = window_of(AppConfig {
        data: Some(set.to_owned()),
        ..AppConfig::default()
    });
    press(&mut harness, "Recognized wrongly?");
    harness
}

fn press(harness: &mut Harness<'_, App>, label: &str) {
    harness.get_by_label(label).click_accesskit();
    harness.run_steps(3);
    settle(harness);
}

fn found<'h>(harness: &'h Harness<'_, App>) -> (&'h Corrections, &'h Discovery) {
    let data = session(harness).data().expect("a data set");
    let discovery = data.discovery.as_deref().expect("recognized");
    (&data.corrections, discovery)
}

/// An image, and a mask with 0 on the left and 1 on the right.
fn save_pair(image: &Path, mask: &Path) {
    for path in [image, mask] {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    }
    RgbImage::new(16, 16).save(image).expect("saved");
    let class = |x: u32, _| Luma([u8::from(x > 7)]);
    GrayImage::from_fn(16, 16, class).save(mask).expect("saved");
}

#[test]
fn a_class_is_said_to_be_unlabeled_and_taken_back() {
    let _turn = turn();
    let set = tempfile::tempdir().expect("a folder");
    let file = |name: &str| set.path().join(name);
    save_pair(&file("images/a.png"), &file("masks/a.png"));
    let mut harness = showing(set.path());
    assert!(found(&harness).1.ignored.is_empty());
    let menu = harness.get_by_role_and_label(Role::Button, "Unlabeled classes");
    menu.click_accesskit();
    harness.run_steps(3);
    press(&mut harness, "0 class 0");
    let (said, discovery) = found(&harness);
    assert_eq!(said.ignored, Some(vec![0]));
    let ignored = discovery.ignored.iter().map(|class| class.index);
    assert_eq!(ignored.collect::<Vec<_>>(), [0]);
    harness.get_by_label("Counted as unlabeled: class 0.");
    press(&mut harness, "As recognized");
    assert_eq!(found(&harness).0, &Corrections::default());
}

#[test]
fn masks_are_told_by_what_their_names_end_with() {
    let _turn = turn();
    let set = tempfile::tempdir().expect("a folder");
    let file = |name: &str| set.path().join(name);
    save_pair(&file("a.png"), &file("a_truth.png"));
    save_pair(&file("b.png"), &file("b_truth.png"));
    let mut harness = showing(set.path());
    let num_masks = |harness: &Harness<'_, App>| {
        let samples = found(harness).1.samples.iter();
        samples.filter(|sample| sample.mask.is_some()).count()
    };
    assert_eq!(num_masks(&harness), 0);
    let field = harness.get_by_role_and_label(Role::TextInput, "Masks end with");
    field.focus();
    harness.run_steps(3);
    harness.event(egui::Event::Text("_truth".to_owned()));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    settle(&mut harness);
    let (said, discovery) = found(&harness);
    assert_eq!(said.mask_suffix.as_deref(), Some("_truth"));
    assert_eq!(discovery.samples.len(), 2);
    assert_eq!(num_masks(&harness), 2);
    press(&mut harness, "As recognized");
    assert_eq!(num_masks(&harness), 0);
}

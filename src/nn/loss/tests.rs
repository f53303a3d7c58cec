//! What holds for every loss: agreement with PyTorch, gradients by finite differences, ignored
//! pixels, order of pixels.

use super::test_pixels::{Pixels, assert_near, number};
use super::{Loss, LossTerm};

/// Written by `tests/reference/losses.py`.
const REFERENCE: &str = include_str!("../../../tests/reference/losses.json");

#[derive(serde::Deserialize)]
struct Case {
    term: LossTerm,
    pixels: Pixels,
    class_weights: Vec<f32>,
    loss: f64,
    gradient: Vec<f32>,
}

impl Case {
    fn loss_of(&self, pixels: &Pixels) -> f64 {
        let (logits, labels) = pixels.tensors();
        let loss = Loss(vec![self.term]);
        number(
            loss.value(logits, labels, &self.class_weights)
                .expect("a loss"),
        )
    }

    fn gradient_of(&self, pixels: &Pixels) -> Vec<f32> {
        let loss = Loss(vec![self.term]);
        pixels.gradient(|logits, labels| {
            loss.value(logits, labels, &self.class_weights)
                .expect("a loss")
        })
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(REFERENCE).expect("the reference")
}

#[test]
fn losses_and_gradients_agree_with_pytorch() {
    let cases = cases();
    assert!(cases.len() >= 10);
    for case in cases {
        println!("{:?}", case.term);
        assert_near(case.loss_of(&case.pixels), case.loss, 2e-6);
        let found = case.gradient_of(&case.pixels);
        assert_eq!(found.len(), case.gradient.len());
        for (found, expected) in found.iter().zip(&case.gradient) {
            assert_near(f64::from(*found), f64::from(*expected), 1e-6);
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_losses() {
    // Lovász has kinks where two errors are equal; the reference keeps them farther apart.
    const STEP: f32 = 1e-3;
    for case in cases() {
        println!("{:?}", case.term);
        let gradient = case.gradient_of(&case.pixels);
        for at in (0..gradient.len()).step_by(7) {
            let moved = |by: f32| {
                let mut pixels = case.pixels.clone();
                pixels.logits[at] += by;
                case.loss_of(&pixels)
            };
            let slope = (moved(STEP) - moved(-STEP)) / f64::from(2.0 * STEP);
            assert_near(f64::from(gradient[at]), slope, 2e-4);
        }
    }
}

#[test]
fn ignored_pixels_teach_nothing_whatever_their_label_says() {
    for case in cases() {
        println!("{:?}", case.term);
        let gradient = case.gradient_of(&case.pixels);
        let mut other = case.pixels.clone();
        for (at, slope) in gradient.iter().enumerate() {
            if !other.is_labelled_at(at) {
                assert_eq!(*slope, 0.0);
                other.logits[at] = 9.0 - other.logits[at];
            }
        }
        let num_classes = other.shape[1] as i32;
        for label in other
            .labels
            .iter_mut()
            .filter(|label| **label >= num_classes)
        {
            *label = num_classes;
        }
        assert_near(case.loss_of(&other), case.loss, 2e-6);
    }
}

#[test]
fn a_batch_without_labels_costs_and_teaches_nothing() {
    for case in cases() {
        let pixels = case.pixels.clone().without_labels();
        assert_eq!(case.loss_of(&pixels), 0.0, "{:?}", case.term);
        assert!(case.gradient_of(&pixels).iter().all(|slope| *slope == 0.0));
    }
}

#[test]
fn the_order_of_the_pixels_does_not_matter() {
    for case in cases() {
        let turned = case.pixels.clone().rows_turned();
        assert_near(case.loss_of(&turned), case.loss, 2e-6);
    }
}

#[test]
fn terms_add_up_by_weight() {
    let pixels = Pixels::sample();
    let weights = [1.0, 2.0, 0.0];
    let value = |terms: Vec<LossTerm>| {
        let (logits, labels) = pixels.tensors();
        number(Loss(terms).value(logits, labels, &weights).expect("a loss"))
    };
    let smooth = 1.0;
    let dice = |weight| LossTerm::Dice { weight, smooth };
    let focal = |weight| LossTerm::Focal { weight, gamma: 1.5 };
    let expected = 0.25 * value(vec![dice(1.0)]) + 3.0 * value(vec![focal(1.0)]);
    assert_near(value(vec![dice(0.25), focal(3.0)]), expected, 1e-6);
}

#[test]
fn class_weights_that_do_not_fit_are_refused() {
    let (logits, labels) = Pixels::sample().tensors();
    for weights in [&[1.0, 1.0][..], &[1.0, f32::NAN, 1.0], &[1.0, -1.0, 1.0]] {
        let value = Loss::default().value(logits.clone(), labels.clone(), weights);
        let error = value.expect_err("a refusal").to_string();
        assert!(error.contains("3 numbers"), "{error}");
    }
}

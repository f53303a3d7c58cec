//! The command line beside a window that works on the same project.

use orthobrush::session::{Command, CommandError, ReviewCommand, Safety};
use orthobrush::train::FinetuneOptions;

use crate::fixture::{finish, own_sample};
use crate::improving::{activate, kept, learn, paint};
use crate::predicting::run;
use crate::program::{failed, json, text};

#[test]
fn a_project_that_a_window_holds_is_looked_at_and_not_learned_into() {
    let (folder, ortho) = own_sample();
    let mut window = kept(&ortho);
    paint(&mut window);
    let project = ortho.with_extension("orthobrush");
    assert_eq!(window.safety(), Safety::Kept(project.clone()));
    let new = folder.path().join("new");
    let quick = "finetune --activate --epochs 1 --steps 2 --device cpu".split(' ');
    let places = ["--project", text(&project), "--out", text(&new)];
    let errors = failed(&quick.chain(places).collect::<Vec<_>>(), 1);
    assert!(errors.contains("works on this project"), "{errors}");
    assert!(
        errors.contains("improve the model in that window"),
        "{errors}"
    );
    assert!(!new.exists(), "nothing was trained");
    let queue = [
        "queue",
        "--count",
        "3",
        "--json",
        "--project",
        text(&project),
    ];
    for by in ["doubt", "mistakes"] {
        let how = ["--by", by, "--model", text(run())];
        let found = json(&[&queue[..], &how].concat());
        let count = found["places"].as_array().map(Vec::len);
        // Which mistakes are likely depends on the network; squares of doubt there are always.
        assert!(
            count == Some(3) || by == "mistakes" && count.is_some(),
            "{found}"
        );
    }
    drop(window);
}

#[test]
fn a_second_window_ranks_places_and_changes_nothing() {
    let (folder, ortho) = own_sample();
    let mut first = kept(&ortho);
    paint(&mut first);
    let mut second = kept(&ortho);
    assert_eq!(second.safety(), Safety::ReadOnly);
    finish(&mut second, Command::predict(Some(run().to_owned())));
    finish(&mut second, Command::Review(ReviewCommand::StartDoubtful));
    assert!(second.review().is_some());
    for changing in [
        Command::Review(ReviewCommand::Accept),
        learn(FinetuneOptions::default(), &folder.path().join("new")),
        activate(run()),
    ] {
        let refused = second.apply(changing);
        assert!(
            matches!(refused, Err(CommandError::ReadOnly)),
            "{refused:?}"
        );
    }
}

use std::time::{Duration, Instant};

use super::*;
use crate::job::Waker;
use crate::metrics::PairedGain;
use crate::session::{Command, ProjectPlace, SessionConfig, StepTo};

/// Does `command` to its end; what was said.
#[track_caller]
fn done(session: &mut Session, command: Command) -> String {
    session.apply(command).expect("accepted");
    let began = Instant::now();
    while session.pump(64) > 0 || !session.is_idle() {
        assert!(began.elapsed() < Duration::from_mins(1), "it never ends");
        std::thread::sleep(Duration::from_millis(1));
    }
    told(session)
}

fn told(session: &mut Session) -> String {
    let notices = session.take_notices().into_iter();
    notices.map(|notice| notice.text).collect()
}

/// The open image was learned from, and the comparing with the model before runs.
fn judging(session: &mut Session, run: &Path) {
    let image = session.image.as_ref().map(|image| absolute(&image.path));
    session.finetuning_begins(run.to_owned(), image);
    session.study.finetune.phase = FinetunePhase::Judging;
    session.study.finetune.judging = Some(JobId(0));
}

/// The new model is found to be better; what is said.
fn is_better(session: &mut Session) -> String {
    let verdict = Verdict {
        decision: Decision::Promoted,
        before: None,
        after: None,
        gain: PairedGain::default(),
        blocks: 8,
        reads: 1,
        test_reads: 0,
        forgetting: None,
        elsewhere: None,
        seconds: 0.0,
    };
    session.absorb_verdict(JobId(0), VerdictEvent::Finished(Box::new(verdict)));
    told(session)
}

#[test]
fn a_better_model_is_taken_in_its_project_whatever_image_of_it_is_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let [ours, others, run] = ["ours", "others", "run"].map(|name| folder.path().join(name));
    for folder in [&ours, &others, &run] {
        std::fs::create_dir_all(folder).expect("a folder");
        for name in ["east.png", "west.png"] {
            let green = image::RgbImage::from_pixel(300, 200, image::Rgb([40, 90, 30]));
            green.save(folder.join(name)).expect("written");
        }
    }
    std::fs::File::create(run.join("recipe.toml")).expect("a file");
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Beside { fallback: None },
    });
    done(&mut session, Command::Open { path: ours });
    judging(&mut session, &run);
    done(&mut session, Command::Step(StepTo::Next));
    assert!(!session.is_corrected_image_open());
    let said = is_better(&mut session);
    assert!(said.contains("is better and active now"), "{said}");
    assert_eq!(session.finetuning().active.as_ref(), Some(&run));
    assert!(!session.finetuning().is_left);

    // Another project has a model of its own, and whoever works there may take this one.
    judging(&mut session, &run);
    done(&mut session, Command::Open { path: others });
    let said = is_better(&mut session);
    assert!(said.contains("since another project was open"), "{said}");
    assert!(!said.contains("active"), "{said}");
    assert_eq!(session.finetuning().active, None);
    assert!(session.finetuning().is_left);
    let take = FinetuneCommand::Activate { run: run.clone() };
    done(&mut session, Command::Finetune(take));
    assert_eq!(session.finetuning().active, Some(run));
    assert!(!session.finetuning().is_left);
}

//! No finished step is lost when the program is killed: a scripted painter as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use orthobrush::disk::replace_file;
use orthobrush::geom::ImagePoint;
use orthobrush::label::{CellKey, CellMark, CellState, Cleanup, Mask, MaskDecisions};
use orthobrush::session::{
    ClassCommand, Command, ImportCommand, LayerKind, PlaceCommand, Safety, Session, Wholesale,
};

use crate::fixture::{finish, own_sample, settle};
use crate::keeping::{CHILD, label, opened, stroke};

/// What the scripted painter does as step `number`, one step of the history or back or forth in it;
/// it depends on nothing else.
fn act(session: &mut Session, number: u64) {
    let mut random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut place = || (next(1_024) as f64 + 0.5, next(1_024) as f64 + 0.5);
    let (from, to, third) = (place(), place(), place());
    let class = next(5) as u8;
    let point = |(x, y)| ImagePoint::new(x, y);
    // Runs of steps back and forth among the strokes, and one of each larger change.
    let kind = match number % 40 {
        20..=25 => 7,
        26..=28 => 9,
        30..=35 => return act_largely(session, number),
        _ => next(10),
    };
    let commands = match kind {
        0..5 => {
            let diameter = 4.0 + next(200) as f64;
            session
                .apply(Command::SetBrushDiameter(diameter))
                .expect("accepted");
            return stroke(session, from, to, class);
        }
        5 => vec![
            Command::SelectClass(class),
            Command::FillPolygon {
                class: None,
                corners: [from, to, third].map(point).to_vec(),
            },
        ],
        6 => vec![
            Command::SelectClass(class),
            Command::FloodFill { at: point(from) },
        ],
        7 | 8 => vec![Command::Undo],
        _ => vec![Command::Redo],
    };
    for command in commands {
        session.apply(command).expect("accepted");
    }
}

/// Steps that are jobs, or more than pixels.
fn act_largely(session: &mut Session, number: u64) {
    let image = session.image().expect("an image").path.clone();
    let truth = image.with_file_name("label_true.tif");
    let cell = CellKey {
        row: 0,
        col: (number / 40 % 2) as u32,
    };
    // The first class that the sample's table has not.
    let added = session.classes().get(5).map(|class| class.index);
    let corners = [(10.0, 10.0), (600.0, 40.0), (300.0, 700.0)];
    let commands = match number % 40 {
        30 => {
            // A class is no step of the history: it may be there already after a kill.
            if added.is_none() {
                let name = "added".to_owned();
                let add = Command::Class(ClassCommand::Add { name });
                session.apply(add).expect("accepted");
            }
            vec![Command::FillPolygon {
                class: Some(5),
                corners: corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec(),
            }]
        }
        31 => match added {
            Some(class) => vec![Command::Class(ClassCommand::Remove { class, into: 0 })],
            None => Vec::new(),
        },
        32 => vec![Command::Wholesale {
            change: Wholesale::CleanUp(Cleanup::Majority { radius: 1 }),
            within: None,
        }],
        33 => vec![Command::Import(ImportCommand::Take {
            path: truth,
            decisions: MaskDecisions::default(),
        })],
        34 => vec![
            Command::OpenMask {
                layer: LayerKind::Prediction,
                path: truth,
            },
            Command::AcceptPrediction(orthobrush::session::Over::All),
        ],
        _ => vec![Command::Place(PlaceCommand::MarkCell {
            cell,
            state: Some(CellState::Done),
        })],
    };
    for command in commands {
        finish(session, command);
    }
}

#[test]
fn a_restart_between_any_two_steps_changes_nothing() {
    let (_folder, ortho) = own_sample();
    let mut model = crate::fixture::opened(&ortho);
    for number in 1..=85 {
        act(&mut model, number);
        assert!(settle(&mut model).is_empty());
        let mut session = opened(&ortho);
        act(&mut session, number);
        assert!(settle(&mut session).is_empty());
        let found = State::of(&mut session);
        let expected = State::of(&mut model);
        let differing = differences(&expected, &found);
        assert!(expected == found, "step {number}: {differing:?}");
    }
}

/// Paints without end; says which step it begins and up to which all are on the disk. The test
/// below starts it as a process of its own and kills it.
#[test]
#[ignore = "the child of the next test"]
fn scripted_painter() {
    let Ok(task) = std::env::var(CHILD) else {
        return;
    };
    let (first, image) = task.split_once(' ').expect("a step and an image");
    let mut session = opened(Path::new(image));
    for number in first.parse::<u64>().expect("a number").. {
        println!("begin {number}");
        act(&mut session, number);
        session.pump(64);
        if number % 3 == 0 {
            assert!(settle(&mut session).is_empty());
            println!("kept {number}");
        }
    }
}

/// Lets the painter work from step `first` on, kills it after `patience`, and gives the last step
/// that was surely kept and the last that was begun.
fn paint_and_kill(image: &Path, first: u64, patience: Duration) -> (Option<u64>, Option<u64>) {
    let mut child = Process::new(std::env::current_exe().expect("this program"))
        .args([
            "killed::scripted_painter",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(CHILD, format!("{first} {}", image.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (mut kept, mut begun) = (None, None);
    let mut hear = |line: &str| {
        let number = |word: &str| line.split_once(word)?.1.trim().parse::<u64>().ok();
        kept = number("kept ").or(kept);
        begun = number("begin ").or(begun);
    };
    // Its start takes a different time each time; what counts is when it paints.
    for line in lines.by_ref().map_while(Result::ok) {
        hear(&line);
        if line.contains("begin ") {
            break;
        }
    }
    std::thread::sleep(patience);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    lines.map_while(Result::ok).for_each(|line| hear(&line));
    (kept, begun)
}

#[test]
fn no_finished_step_is_lost_when_the_program_is_killed() {
    const KILLS_OF_A_PROJECT: u64 = 40;
    let kills = std::env::var("ORTHOBRUSH_KILLS").map_or(Ok(200), |text| text.parse::<u64>());
    let kills = kills.expect("a number of kills");
    let projects = kills.div_ceil(KILLS_OF_A_PROJECT);
    let while_painting: u64 = (0..projects)
        .map(|_| kill_again_and_again(KILLS_OF_A_PROJECT))
        .sum();
    assert!(while_painting > kills / 20, "kills came between steps only");
}

/// Kills the painter of one project again and again; each time the label and its history must be
/// those of one of the steps that may have survived. Gives the kills that came in the middle of work.
fn kill_again_and_again(kills: u64) -> u64 {
    let (_folder, ortho) = own_sample();
    let mut model = crate::fixture::opened(&ortho);
    let mut states = vec![State::of(&mut model)];
    let (mut done, mut while_painting) = (0, 0);
    let mut stuck = 0;
    for round in 0..kills {
        // A step that takes longer than its time is given more the next time.
        let patience = Duration::from_millis(round * 13 % 61 + 150 * stuck);
        let (kept, begun) = paint_and_kill(&ortho, done as u64 + 1, patience);
        let begun = begun.map_or(done, |begun| begun as usize);
        while states.len() <= begun {
            act(&mut model, states.len() as u64);
            model.pump(64);
            states.push(State::of(&mut model));
        }
        let least = kept.map_or(done, |kept| kept as usize);
        let mut session = opened(&ortho);
        assert_ne!(
            session.safety(),
            Safety::ReadOnly,
            "the lock of the killed painter is held"
        );
        let found = State::of(&mut session);
        drop(session);
        // Steps that change nothing make equal states: the latest is as good as the first.
        let survived = (least..=begun).rev().find(|&step| states[step] == found);
        done = survived.unwrap_or_else(|| {
            let differing: Vec<_> = (least..=begun)
                .map(|step| differences(&states[step], &found))
                .collect();
            panic!(
                "round {round}: one of the steps {least} to {begun} was to survive; {differing:?}"
            )
        });
        stuck = if done > least { 0 } else { stuck + 1 };
        while_painting += u64::from(begun > least);
        if done < begun {
            states.truncate(done + 1);
            model = restarted_model(&ortho, done);
        }
    }
    assert!(done > 20, "only {done} steps were painted");
    while_painting
}

/// All that must be there again.
#[derive(PartialEq)]
struct State {
    label: Mask,
    /// Who made it.
    origins: Mask,
    /// Steps done, and all.
    steps: (usize, usize),
    /// What was said about cells.
    marks: [CellMark; 2],
    /// The label with all undone steps done again.
    redone: Mask,
}

impl State {
    fn of(session: &mut Session) -> Self {
        let origins = &session.layer(LayerKind::Origins).expect("origins").mask;
        let origins = origins.clone();
        let mark = |col| session.coverage().mark(CellKey { row: 0, col });
        let (marks, steps) = ([0, 1].map(mark), session.num_steps());
        let label_now = label(session).clone();
        let undone = steps.1 - steps.0;
        for _ in 0..undone {
            session.apply(Command::Redo).expect("accepted");
        }
        let redone = label(session).clone();
        for _ in 0..undone {
            session.apply(Command::Undo).expect("accepted");
        }
        settle(session);
        Self {
            label: label_now,
            origins,
            steps,
            marks,
            redone,
        }
    }
}

/// In what a state differs from what was found.
fn differences(state: &State, found: &State) -> Vec<String> {
    let pixels = |a: &Mask, b: &Mask| {
        let all = a.size().bounds();
        let pairs = a.read_rect(all).into_iter().zip(b.read_rect(all));
        pairs.filter(|(a, b)| a != b).count()
    };
    vec![
        format!("{} pixels", pixels(&state.label, &found.label)),
        format!("{} origins", pixels(&state.origins, &found.origins)),
        format!("steps {:?}, found {:?}", state.steps, found.steps),
        format!("cells alike {}", state.marks == found.marks),
        format!("{} pixels undone", pixels(&state.redone, &found.redone)),
    ]
}

/// What a power cut or a bad disk does to the journal may cost the steps in it, never those before,
/// and never the program.
#[test]
fn a_damaged_journal_leaves_one_of_the_states_that_were() {
    let (_folder, ortho) = own_sample();
    let (_, begun) = paint_and_kill(&ortho, 1, Duration::from_millis(400));
    let begun = begun.expect("it painted");
    let project = ortho.with_extension("orthobrush");
    let journal = ortho.with_file_name("ortho.orthobrush-wal");
    let [whole, tail] = [&project, &journal].map(|path| std::fs::read(path).expect("left behind"));
    assert!(!tail.is_empty(), "the journal is open when it is killed");
    let mut model = crate::fixture::opened(&ortho);
    let mut states = vec![label(&model).clone()];
    for number in 1..=begun {
        act(&mut model, number);
        settle(&mut model);
        states.push(label(&model).clone());
    }
    for round in 0..18_usize {
        let mut bytes = tail.clone();
        let at = bytes.len() * (round * 29 % 100) / 100;
        match round % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << (round % 8),
            _ => {
                let end = bytes.len().min(at + 3_000);
                bytes[at..end].fill(0xa5);
            }
        }
        replace_file(&project, &whole).expect("written");
        replace_file(&journal, &bytes).expect("written");
        let index = ortho.with_file_name("ortho.orthobrush-shm");
        drop(std::fs::remove_file(index));
        let mut session = opened_however(&ortho);
        let told = settle(&mut session);
        let is_told = told.iter().any(|error| error.contains("set aside"));
        let found = label(&session).clone();
        drop(session);
        assert!(
            states.contains(&found) || is_told,
            "round {round}: a state that never was ({told:?})"
        );
    }
}

/// Opens an image and lets whatever is complained of be heard later.
fn opened_however(image: &Path) -> Session {
    let mut session = crate::keeping::keeping();
    let path = image.to_owned();
    session.apply(Command::Open { path }).expect("accepted");
    session
}

/// A session that did the first `steps` steps without ever being killed.
fn restarted_model(ortho: &Path, steps: usize) -> Session {
    let mut model = crate::fixture::opened(ortho);
    for number in 1..=steps as u64 {
        act(&mut model, number);
        model.pump(64);
    }
    model
}

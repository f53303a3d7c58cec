//! A person who knows the truth, but may only do what a person can do, in a person's time.

use std::path::Path;
use std::time::{Duration, Instant};

use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::job::Waker;
use orthobrush::metrics::{Confusion, Scores};
use orthobrush::session::{
    ClassCommand, Command, LayerKind, ProjectPlace, Session, SessionConfig, Severity,
};

use super::area::Area;
use super::plan::{Ground, Limits, Planned};

/// Seconds of what people do, after the keystroke-level model (Card, Moran and Newell 1980):
/// making up one's mind, pointing, pressing a button, pressing a key.
const MIND: f32 = 1.35;
const POINT: f32 = 1.1;
const PRESS: f32 = 0.2;
const KEY: f32 = 0.28;
/// Seconds for each width of a tunnel that is steered along (Accot and Zhai 1997), and the fastest
/// a hand goes, in pixels a second.
const STEER: f32 = 0.1;
const FASTEST: f32 = 1_000.0;
/// Turning the wheel until the brush has its size.
const RESIZE: f32 = 0.8;

/// What was done until a moment, and how good the label was then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    pub strokes: u32,
    pub others: u32,
    /// Of the person.
    pub seconds: f32,
    /// In which the person waits for the machine.
    pub waited: f32,
    pub mean_iou: f64,
}

pub struct Hand<'a> {
    pub session: Session,
    pub area: &'a Area,
    pub ground: Ground,
    pub now: Moment,
    pub moments: Vec<Moment>,
    class: Option<u8>,
    radius: f32,
}

impl<'a> Hand<'a> {
    /// Opens the area's image, nothing being labeled.
    pub fn new(area: &'a Area, image: &Path) -> Self {
        let mut session = Session::new(SessionConfig {
            waker: Waker::none(),
            settings_path: None,
            projects: ProjectPlace::Nowhere,
        });
        let path = image.to_owned();
        session.apply(Command::Open { path }).expect("accepted");
        settle(&mut session);
        // No label says yet which classes there are.
        let path = image.with_file_name("classes.toml");
        let load = Command::Class(ClassCommand::Load { path });
        session.apply(load).expect("accepted");
        settle(&mut session);
        Self {
            session,
            ground: Ground::of(&area.truth),
            area,
            now: Moment::default(),
            moments: Vec::new(),
            class: None,
            radius: 0.0,
        }
    }

    /// The pixels of a layer; unlabeled where there is none.
    pub fn shown(&self, kind: LayerKind) -> Vec<u8> {
        let bounds = self.ground.bounds;
        let layer = self.session.layer(kind);
        layer.map_or_else(
            || vec![255; self.ground.truth.len()],
            |layer| layer.mask.read_rect(bounds),
        )
    }

    /// How good a layer is.
    pub fn mean_iou(&self, kind: LayerKind) -> f64 {
        let Some(layer) = self.session.layer(kind) else {
            return 0.0;
        };
        let classes = &self.area.classes;
        let counted = Confusion::within(
            &self.area.truth,
            &layer.mask,
            self.ground.bounds,
            classes.num_classes(),
        );
        Scores::new(&counted, classes).mean_iou.unwrap_or_default()
    }

    /// The stroke that a person would make next so that `kind` becomes right.
    pub fn next_stroke(
        &self,
        kind: LayerKind,
        within: PixelRect,
        limits: Limits,
    ) -> Option<Planned> {
        let shown = self.shown(kind);
        self.ground
            .best(&shown, within, limits, |stroke| self.seconds_of(stroke))
    }

    fn seconds_of(&self, stroke: &Planned) -> f32 {
        let mut seconds = MIND + POINT + PRESS;
        if self.class != Some(stroke.class) {
            seconds += MIND + KEY;
        }
        let change = stroke.radius / self.radius.max(0.1);
        if !(0.8..=1.25).contains(&change) {
            seconds += RESIZE;
        }
        let length = stroke.length();
        seconds + (STEER * stroke.steering).max(length / FASTEST)
    }

    pub fn stroke(&mut self, stroke: &Planned) {
        self.now.seconds += self.seconds_of(stroke);
        self.now.strokes += 1;
        let change = stroke.radius / self.radius.max(0.1);
        if !(0.8..=1.25).contains(&change) {
            self.radius = stroke.radius;
            let diameter = f64::from(2.0 * stroke.radius);
            self.apply(Command::SetBrushDiameter(diameter));
        }
        self.class = Some(stroke.class);
        let mut path = stroke
            .path
            .iter()
            .map(|&(x, y)| ImagePoint::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
        let at = path.next().expect("a stroke has a beginning");
        let class = stroke.class;
        self.apply(Command::BeginStroke { at, class });
        for to in path {
            self.apply(Command::ExtendStroke { to });
        }
        self.apply(Command::EndStroke);
        self.note();
    }

    /// Does something with a key after a thought.
    pub fn by_key(&mut self, command: Command) {
        self.now.seconds += MIND + KEY;
        self.other(command);
    }

    /// Does something in a menu or with a button after a thought.
    pub fn by_menu(&mut self, command: Command) {
        self.now.seconds += MIND + 2.0 * (POINT + PRESS);
        self.other(command);
    }

    /// Notes what `commands`, by menus, would come to, and takes them back.
    pub fn consider<const N: usize>(&mut self, commands: [Command; N]) {
        let before = self.now;
        let mut changes = 0;
        for command in commands {
            let label = self.shown(LayerKind::Label);
            self.by_menu(command);
            changes += u32::from(self.shown(LayerKind::Label) != label);
        }
        for _ in 0..changes {
            self.apply(Command::Undo);
            self.wait();
        }
        self.now = before;
    }

    fn other(&mut self, command: Command) {
        self.now.others += 1;
        self.apply(command);
        self.wait();
        self.note();
    }

    pub fn apply(&mut self, command: Command) {
        self.session.apply(command).expect("accepted");
    }

    /// Waits for the machine.
    pub fn wait(&mut self) {
        let began = Instant::now();
        settle(&mut self.session);
        self.now.waited += began.elapsed().as_secs_f32();
    }

    fn note(&mut self) {
        self.now.mean_iou = self.mean_iou(LayerKind::Label);
        self.moments.push(self.now);
    }

    /// Paints until `until` or until no stroke mends `least` pixels.
    pub fn paint(&mut self, within: PixelRect, least: f32, until: impl Fn(&Self) -> bool) {
        let limits = Limits {
            radius: f32::INFINITY,
            length: 2_000.0,
        };
        while !until(self) {
            let Some(stroke) = self.next_stroke(LayerKind::Label, within, limits) else {
                return;
            };
            if stroke.gain < least {
                return;
            }
            self.stroke(&stroke);
        }
    }

    /// The share of the known pixels of `within` that are right on a layer.
    pub fn right_share(&self, kind: LayerKind, within: PixelRect) -> f64 {
        let truth = self.area.truth.read_rect(within);
        let layer = self.session.layer(kind);
        let shown = layer.map_or_else(
            || vec![255; truth.len()],
            |layer| layer.mask.read_rect(within),
        );
        let known = truth.iter().zip(&shown).filter(|(truth, _)| **truth != 255);
        let (right, all) = known.fold((0, 0), |(right, all), (truth, shown)| {
            (right + u32::from(truth == shown), all + 1)
        });
        f64::from(right) / f64::from(all.max(1))
    }
}

fn settle(session: &mut Session) {
    loop {
        let taken = session.pump(64);
        for notice in session.take_notices() {
            assert!(notice.severity != Severity::Error, "{}", notice.text);
        }
        if session.is_idle() && taken == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

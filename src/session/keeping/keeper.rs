use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use super::clerk::Clerk;
use super::load::Companion;
use super::place::ProjectPlace;
use crate::geom::ImageSize;
use crate::job::{Job, JobEvent, Waker, spawn};
use crate::label::{CellKey, CellMark, MapCheck, Mask, MaskDecisions, StateMark};
use crate::project::{Bookmark, KeptClasses, KeptImage, KeptStep, KeptTile, SourceFile};
use crate::session::jobs::Report;
use crate::session::{ImageId, LayerId};

/// The clerk takes work out at once, whatever the disk does; more than this never waits.
const INBOX: usize = 1_024;

/// A window that closes waits so long for the last strokes.
const LAST_WAIT: Duration = Duration::from_secs(20);

/// What the clerk is asked to do, in order.
#[derive(Debug)]
pub(in crate::session) enum Work {
    /// Read the label of an image: as it was kept, else from its mask file.
    Load {
        layer: LayerId,
        opened: ImageId,
        image: PathBuf,
        size: ImageSize,
        companion: Option<Companion>,
    },
    /// Begin to keep a label.
    Begin {
        layer: LayerId,
        image: PathBuf,
        mask: Mask,
        origins: Mask,
        source: Option<SourceFile>,
        mark: StateMark,
    },
    Step {
        layer: LayerId,
        step: Box<KeptStep>,
    },
    Cursor {
        layer: LayerId,
        mark: StateMark,
        tiles: Vec<KeptTile>,
    },
    /// Read steps that led to the state `base`.
    Recall {
        layer: LayerId,
        base: StateMark,
    },
    Saved {
        layer: LayerId,
        file: SourceFile,
        mark: StateMark,
    },
    /// The label of an image that may not be open any more was saved in this state.
    SavedOf {
        image: PathBuf,
        file: SourceFile,
        mark: StateMark,
    },
    Classes(Box<KeptClasses>),
    /// Which classes are locked.
    Locks(Vec<u8>),
    Image(KeptImage),
    /// What was decided about a mask file.
    Decisions(MaskDecisions),
    /// The run whose model is active.
    ActiveModel(PathBuf),
    /// What somebody said about a cell of an image.
    Cell {
        image: PathBuf,
        key: CellKey,
        mark: CellMark,
    },
    /// All bookmarks of an image.
    Bookmarks {
        image: PathBuf,
        bookmarks: Vec<Bookmark>,
    },
    /// The points of an image that somebody looks at.
    Check {
        image: PathBuf,
        points: MapCheck,
    },
    /// A model whose prediction was accepted for the first time.
    Model {
        place: usize,
        name: String,
    },
}

/// Says nothing, and ends when the thread that wrote a project has ended.
pub(super) type Ended = Receiver<Infallible>;

/// The session's end of the one thread that writes the project.
pub(in crate::session) struct Keeper {
    job: Job<Report>,
    /// What was opened, absolute: its project is the same whenever it is opened.
    opened: PathBuf,
    /// For the next thread that writes the same project.
    ended: Option<Ended>,
    /// Events that were taken while the inbox was full.
    early: VecDeque<JobEvent<Report>>,
    /// `None` once no more work comes.
    inbox: Option<SyncSender<Work>>,
    /// Work that was given and is not done.
    pub waiting: usize,
    /// Why the disk refuses, while it does.
    pub failing: Option<String>,
    /// Whether another window writes the project.
    pub is_read_only: bool,
    /// The project's file, once its place is known.
    pub path: Option<PathBuf>,
    /// The label that is being kept.
    pub layer: Option<LayerId>,
    /// Whether the open image has a label in the project.
    pub knows_image: bool,
    /// Whether the kept label still needs the mask file that it came from.
    pub needs_source: bool,
}

impl Keeper {
    /// Starts the thread for what was `opened` (absolute); it waits until the one `before` it, if
    /// any still writes the same project, has ended.
    pub fn start(
        place: ProjectPlace,
        opened: PathBuf,
        before: Option<Ended>,
        waker: Waker,
    ) -> std::io::Result<Self> {
        let (inbox, outbox) = sync_channel(INBOX);
        let (end, ended) = sync_channel(1);
        let clerk = Clerk::new(place, opened.clone(), before);
        let job = spawn("project", waker, move |job| {
            clerk.run(&outbox, job);
            drop(end);
            Ok(())
        })?;
        Ok(Self {
            job,
            opened,
            ended: Some(ended),
            early: VecDeque::new(),
            inbox: Some(inbox),
            waiting: 0,
            failing: None,
            is_read_only: false,
            path: None,
            layer: None,
            knows_image: false,
            needs_source: false,
        })
    }

    /// Gives work; never lost, and waits only when very much of it waits already.
    pub fn give(&mut self, work: Work) {
        let Some(inbox) = &self.inbox else { return };
        let mut work = work;
        loop {
            match inbox.try_send(work) {
                Ok(()) => break self.waiting += 1,
                Err(TrySendError::Full(back)) => {
                    work = back;
                    // The clerk may be waiting for us to hear it.
                    self.early
                        .extend(self.job.next_within(Duration::from_millis(5)));
                }
                Err(TrySendError::Disconnected(_)) => {
                    let why = "The project's thread ended; save the label now";
                    break self.failing = Some(why.to_owned());
                }
            }
        }
    }

    pub fn next(&mut self) -> Option<JobEvent<Report>> {
        self.early.pop_front().or_else(|| self.job.try_next())
    }

    /// Gives no more work; what was given is still written, and the last good copy made.
    pub fn leave(&mut self) {
        self.inbox = None;
    }

    /// What was opened, absolute.
    pub fn opened(&self) -> &Path {
        &self.opened
    }

    /// What tells when this thread has ended, for the next one that opens the same.
    pub fn ended(&mut self, opened: &Path) -> Option<Ended> {
        if self.opened == opened {
            self.ended.take()
        } else {
            None
        }
    }

    /// Whether everything that was given is on the disk.
    pub const fn is_done(&self) -> bool {
        self.waiting == 0
    }
}

impl Drop for Keeper {
    /// Waits until the last strokes are on the disk.
    fn drop(&mut self) {
        self.leave();
        let began = Instant::now();
        while let Some(left) = LAST_WAIT.checked_sub(began.elapsed()) {
            match self.job.next_within(left) {
                Some(JobEvent::Said(_)) => {}
                _ => return,
            }
        }
    }
}

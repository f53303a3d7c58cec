//! What corrections are worth: the arms of `docs/loop/protocol.md`, on pairs of areas, as a table
//! that grows line by line; lines that are there already are left alone.
//!
//! `cargo bench --bench correcting -- OUT [--area NAME] [--budget PERCENT] [--pick NAME]
//! [--tune [--only END]]` with OUT a folder for areas, runs and `arms.csv`. `--tune` tries settings
//! of the click, or those whose name has an end, on the pairs `tuning`, `back` and `back_1m` (or that
//! of `--area`), which the protocol does not use.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

mod area;
mod arm;
mod pick;
mod pieces;
mod table;

use std::path::PathBuf;

use orthobrush::train::{FinetuneOptions, Unlabeled};

use area::Area;
use arm::{Arm, Task};
use pick::Pick;
use table::Table;

/// Shares of the cells of an area that are corrected, in percent, in the order of their asking.
const BUDGETS: [u32; 4] = [5, 1, 10, 2];
const SEEDS: [u64; 3] = [1, 2, 3];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(out) = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"))
    else {
        println!("Name a folder to work in: cargo bench --bench correcting -- OUT");
        return;
    };
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let value_of = |word: &str| {
        let at = arguments.iter().position(|argument| argument == word)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let wanted = value_of("--area");
    let out = PathBuf::from(out);
    let mut table = Table::open(&out.join("arms.csv"));
    if has("--tune") {
        for name in ["tuning", "back", "back_1m"] {
            if wanted.is_none_or(|wanted| wanted == name) {
                let area = Area::made(name, &out).expect("the data of the tuning pair");
                tune(&area, &mut table, value_of("--only"));
            }
        }
        return;
    }
    let budget = value_of("--budget").map(|percent| percent.parse().expect("a whole percentage"));
    let asked = Asked {
        budget,
        pick: value_of("--pick").map(str::to_owned),
    };
    let names = ["loveda", "deepglobe", "abroad", "abroad_1m", "roads"];
    for name in names {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        match Area::made(name, &out) {
            Some(area) => run(&area, &asked, &mut table),
            None => println!("{name}: its data is not there, so it is left out"),
        }
    }
}

/// Rows that are computed: all of an area, or those of one budget or one pick.
struct Asked {
    /// In percent.
    budget: Option<u32>,
    pick: Option<String>,
}

/// All arms on one area, in the order of the budgets.
fn run(area: &Area, asked: &Asked, table: &mut Table) {
    for seed in SEEDS {
        for budget in BUDGETS {
            if asked.budget.is_some_and(|only| only != budget) {
                continue;
            }
            for pick in Pick::ALL {
                if asked.pick.as_ref().is_some_and(|only| only != pick.name()) {
                    continue;
                }
                let cells = pick.cells(area, budget, seed);
                for arm in Arm::ALL {
                    if !arm.is_asked(budget) {
                        continue;
                    }
                    let task = Task {
                        area,
                        budget,
                        pick,
                        seed,
                        cells: &cells,
                        usual: FinetuneOptions::default(),
                    };
                    table.add_missing(&task, arm, arm.name());
                }
            }
        }
    }
}

/// Settings of the click that are tried, each at a budget in percent.
fn tried() -> Vec<(u32, FinetuneOptions)> {
    let usual = FinetuneOptions::default();
    let quick = |rate_share, epochs, replay_share| {
        let options = FinetuneOptions {
            rate_share,
            epochs,
            replay_share,
            ..usual.clone()
        };
        (5, options)
    };
    let whole = |budget, encoder_share, epochs, unlabeled| {
        let options = FinetuneOptions {
            encoder_share: Some(encoder_share),
            epochs,
            unlabeled: Some(Unlabeled {
                share: unlabeled,
                ..Unlabeled::default()
            }),
            ..usual.clone()
        };
        (budget, options)
    };
    vec![
        quick(1.0, 12, 0.25),
        quick(0.25, 12, 0.25),
        quick(1.0, 12, 0.0),
        quick(1.0, 12, 0.5),
        quick(3.0, 12, 0.25),
        quick(1.0, 36, 0.25),
        whole(5, 0.1, 12, 0.0),
        whole(5, 1.0, 12, 0.0),
        whole(5, 0.03, 36, 0.0),
        whole(5, 0.1, 36, 0.0),
        whole(5, 0.3, 36, 0.0),
        whole(5, 0.1, 72, 0.0),
        whole(5, 0.1, 36, 0.5),
        whole(1, 0.1, 36, 0.0),
        whole(1, 0.1, 36, 0.5),
    ]
}

fn name_of(options: &FinetuneOptions) -> String {
    let whole = options.encoder_share.map(|share| {
        let unlabeled = options.unlabeled.unwrap_or_default().share;
        format!(" encoder {share} unlabeled {unlabeled}")
    });
    format!(
        "rate {} epochs {} replay {}{}",
        options.rate_share,
        options.epochs,
        options.replay_share,
        whole.unwrap_or_default()
    )
}

/// Tries settings of the click, those whose name ends with `only` or all.
fn tune(area: &Area, table: &mut Table, only: Option<&str>) {
    let seed = 1;
    let cells = [1, 5].map(|budget| (budget, Pick::Queue.cells(area, budget, seed)));
    for (budget, cells) in &cells {
        let mut task = Task {
            area,
            budget: *budget,
            pick: Pick::Queue,
            seed,
            cells,
            usual: FinetuneOptions::default(),
        };
        table.add_missing(&task, Arm::Parent, Arm::Parent.name());
        if *budget == 5 && only.is_none() {
            table.add_missing(&task, Arm::ScratchTenfold, Arm::ScratchTenfold.name());
        }
        let tried = tried().into_iter().filter(|(of, _)| of == budget);
        for (_, options) in tried {
            let name = name_of(&options);
            task.usual = options;
            if only.is_none_or(|end| name.ends_with(end)) {
                table.add_missing(&task, Arm::Click, &name);
            }
        }
    }
}

//! What corrections are worth: the arms of `docs/loop/protocol.md`, on pairs of areas, as a table
//! that grows line by line; lines that are there already are left alone.
//!
//! `cargo bench --bench correcting -- OUT [--area NAME] [--tune]` with OUT a folder for areas, runs
//! and `arms.csv`. `--tune` tries settings of the click on a pair that the protocol does not use.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

mod area;
mod arm;
mod pick;
mod pieces;
mod table;

use std::path::PathBuf;

use orthobrush::train::FinetuneOptions;

use area::Area;
use arm::{Arm, Task};
use pick::Pick;
use table::Table;

/// Shares of the cells of an area that are corrected, in percent.
const BUDGETS: [u32; 4] = [1, 2, 5, 10];
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
    let wanted = arguments.iter().position(|argument| argument == "--area");
    let wanted = wanted.and_then(|at| arguments.get(at + 1));
    let out = PathBuf::from(out);
    let mut table = Table::open(&out.join("arms.csv"));
    if has("--tune") {
        let area = Area::made("tuning", &out).expect("the data of the tuning pair");
        return tune(&area, &mut table);
    }
    let names = ["loveda", "deepglobe", "abroad", "roads"];
    for name in names {
        if wanted.is_some_and(|wanted| *wanted != name) {
            continue;
        }
        match Area::made(name, &out) {
            Some(area) => run(&area, &mut table),
            None => println!("{name}: its data is not there, so it is left out"),
        }
    }
}

/// All arms on one area, the cheapest questions first.
fn run(area: &Area, table: &mut Table) {
    for seed in SEEDS {
        for budget in [5, 1, 10, 2] {
            assert!(BUDGETS.contains(&budget));
            for pick in Pick::ALL {
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

/// Settings of the click at 5 %: learning rate as a share of the parent's, epochs, share of replay.
const TRIED: [(f64, u32, f64); 8] = [
    (0.25, 12, 0.25),
    (1.0, 12, 0.25),
    (1.0, 12, 0.0),
    (1.0, 12, 0.5),
    (3.0, 12, 0.25),
    (1.0, 36, 0.25),
    (0.25, 36, 0.25),
    (3.0, 36, 0.25),
];

fn tune(area: &Area, table: &mut Table) {
    for seed in [1, 2] {
        let cells = Pick::Queue.cells(area, 5, seed);
        let mut task = Task {
            area,
            budget: 5,
            pick: Pick::Queue,
            seed,
            cells: &cells,
            usual: FinetuneOptions::default(),
        };
        table.add_missing(&task, Arm::Parent, Arm::Parent.name());
        for (rate_share, epochs, replay_share) in TRIED {
            task.usual = FinetuneOptions {
                rate_share,
                epochs,
                replay_share,
                ..FinetuneOptions::default()
            };
            let name = format!("rate {rate_share} epochs {epochs} replay {replay_share}");
            table.add_missing(&task, Arm::Click, &name);
        }
        for arm in [
            Arm::Encoder,
            Arm::Scratch,
            Arm::ScratchTenfold,
            Arm::Instant,
        ] {
            task.usual = FinetuneOptions::default();
            table.add_missing(&task, arm, arm.name());
        }
    }
}

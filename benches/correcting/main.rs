//! What corrections are worth: the arms of `docs/loop/protocol.md`, on pairs of areas, as a table
//! that grows line by line; lines that are there already are left alone.
//!
//! `cargo bench --bench correcting -- OUT [--area NAME] [--tune]` with OUT a folder for areas, runs
//! and `arms.csv`. `--tune` works on an area that the protocol does not use, to choose defaults.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

mod area;
mod arm;
mod pick;
mod table;

use std::path::PathBuf;

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
    let names: &[&str] = if has("--tune") {
        &["tuning"]
    } else {
        &["roads", "loveda", "deepglobe"]
    };
    let out = PathBuf::from(out);
    let mut table = Table::open(&out.join("arms.csv"));
    for name in names {
        if wanted.is_some_and(|wanted| wanted != name) {
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
                    };
                    table.add_missing(&task, arm);
                }
            }
        }
    }
}

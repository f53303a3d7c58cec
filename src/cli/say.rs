use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _, stdout};
use std::path::Path;

use anyhow::ensure;

use crate::disk::is_same_file;
use crate::raster::files_beneath;

/// What a shell expects of a program that wrote into a pipe that nobody reads (SIGPIPE).
const NOBODY_READS: i32 = 141;

/// Writes a line to stdout. Ends the program when nobody reads any more (`| head`), which is no
/// success since work may be left, and with a complaint when the line cannot be written.
pub fn line(text: Arguments<'_>) {
    let Err(error) = writeln!(stdout(), "{text}") else {
        return;
    };
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(NOBODY_READS);
    }
    eprintln!("orthobrush: The result could not be written ({error})");
    std::process::exit(1);
}

/// Refuses to write over what is read, which are also the files of a mosaic, or twice to one file.
pub fn refuse_to_overwrite<'a>(
    out: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> anyhow::Result<()> {
    for input in inputs {
        let is_beneath = || {
            files_beneath(input)
                .iter()
                .any(|file| is_same_file(out, file))
        };
        let is_input = out == input || is_same_file(out, input) || out.is_file() && is_beneath();
        let out = out.display();
        ensure!(
            !is_input,
            "The output would replace a file that is read or written as well; give it another \
             name: {out}"
        );
    }
    Ok(())
}
